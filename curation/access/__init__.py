"""Who may use the app and what for: roles, users with hashed passwords, sessions, lock-out, folders that may be read, the audit log."""
