"""Clients of frontier models: one plugin a file. What a caller needs besides the plugin is named here; openai isn't imported."""

from models.frontier.requests import FrontierStopped, Outcome, Reply, Request, Spend
from models.paid_calls.journal import Journal

__all__ = ["FrontierStopped", "Journal", "Outcome", "Reply", "Request", "Spend"]
