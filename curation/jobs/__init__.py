"""Jobs: launched, watched, stopped and resumed by the manager; worked by a child process; results collected into the store."""
