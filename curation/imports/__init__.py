"""A dataset before it is imported: uploaded files, and a preview of its first rows and of the lines that can't be used."""
