"""The client of frontier models: chat completions with images and a reply schema, at any OpenAI-compatible endpoint.

What callers need besides the client itself (client.py) is named here; openai isn't imported by it.
"""

from models.frontier.requests import Outcome, Request
from models.paid_calls.journal import Journal
from models.paid_calls.records import FrontierStopped, Reply, Spend

__all__ = ["FrontierStopped", "Journal", "Outcome", "Reply", "Request", "Spend"]
