"""Kinds of question, where a dataset states none: which questions are worded alike, so that a frontier model names each wording once."""
