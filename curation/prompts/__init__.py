"""What a frontier model is asked: prompt texts (*.md) and their templates, requests, reply schemas, versions, validation of edited texts.

Requests are pure functions from rows to models.frontier.Request; the hash of a prompt's text is its version.
"""
