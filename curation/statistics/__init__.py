"""Statistics as pure functions: intervals, paired differences, tests, agreement. No store, no workspace."""
