"""Which frontier model a stage asks: endpoints with names (tables of config.toml), the options that stages share, the client, keys.

The client itself is models/frontier; here it is opened for a workspace, with its journal of paid replies and price table.
"""
