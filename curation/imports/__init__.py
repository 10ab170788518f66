"""A dataset before it is imported: files uploaded, read, previewed."""
