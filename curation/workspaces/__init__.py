"""A workspace as a whole: its owner process, backups, housekeeping (disk space, archived workspaces), the built-in one, the demo."""
