"""What a frontier model is asked: prompt texts (*.md), templates, reply schemas, versions of a workspace, validation of edited texts."""
