"""pocket-teacher: the built-in frontier model, which looks at pixels by rules. `python -m models.pocket.teacher`."""
