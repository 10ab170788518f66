"""The work: a room for each thing that people do, and for what these share; the floors between them are a contract in pyproject.toml."""
