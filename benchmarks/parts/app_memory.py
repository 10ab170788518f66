"""The memory of the app while it is used: all pages' routes on a workspace, in one process of its own.

python -m benchmarks.parts.app_memory WORKSPACE_FOLDER      prints {"peak_mb", "resident_mb"}
"""

import json
import sys
import uuid
from pathlib import Path

from fastapi.testclient import TestClient

from benchmarks.parts.machine import peak_mb, resident_mb
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.store import Store
from data.workspace import Workspace


def main(folder: Path) -> dict[str, int]:
    workspace = Workspace(folder).create()
    store = Store(workspace.store)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="bench"))
    client = TestClient(app, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"})

    def post(name: str, **body) -> dict:
        answer = client.post(f"/api/review/{name}", json=body)
        answer.raise_for_status()
        return answer.json()

    matching = {"statuses": ["pending"]}
    for order in ("informative", "random", "newest", "oldest"):
        post("page", matching={}, order=order)
        post("page", matching=matching, order=order, offset=6_000)
        cards = post("next", matching=matching, order=order, count=20)["cards"]
        for card in cards:
            known = {name: card[name] for name in ("sample_id", "revision", "image")}
            post("decide", action="approve", event_id=uuid.uuid4().hex, **known)
    post("facets", **matching)
    post("bulk/preview", matching=matching)
    event = uuid.uuid4().hex
    post("bulk", matching=matching, action="reject", event_id=event)
    post("undo", event_id=uuid.uuid4().hex, undone_event=event)
    client.get("/api/review/history")
    figures = {"peak_mb": round(peak_mb()), "resident_mb": round(resident_mb())}
    store.close()
    return figures


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
