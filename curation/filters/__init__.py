"""One file a filter, one class a file, and nothing else: the file's name is the filter's name (data/registry.py lists them).

The contract and what filters share is in curation/filtering.
"""
