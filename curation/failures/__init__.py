"""What people do with failures: triage labels, slices, the nearest neighbours of one."""
