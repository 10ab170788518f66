"""Filters held against people's decisions: rules, the scores they stand on, automatic approval."""
