"""The JSON routes of one page, called as the page calls them.

api = PageApi(app, "finetune")
api("plan", options={...})          # the answer of POST /api/finetune/plan
api("plan", 422, options={...})     # which must be refused
"""

from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient


def client_of(app: FastAPI) -> TestClient:
    """A client from the app's own origin: others are turned away."""
    return TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})


class PageApi:
    def __init__(self, app: FastAPI, page: str) -> None:
        self.client, self.page = client_of(app), page

    def __call__(self, route: str, expect: int = 200, **body) -> Any:
        answer = self.client.post(f"/api/{self.page}/{route}", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()
