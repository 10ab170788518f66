"""Which frontier model a stage asks: named endpoints, the options that stages share, the client."""
