"""A workspace as a whole: its owning process, backups, disk use, the built-in one, the demo."""
