"""Several people reviewing at once over HTTP, each with a login of their own: how long decisions and the next cards take.

    python -m benchmarks.load --people 8 --seconds 60                      # makes a workspace of 50,000 samples
    python -m benchmarks.load --people 8 --workspace ~/.mistakebook/full   # measures a copy of that one

Each person decides once a second and asks for what the Review page asks for meanwhile: the cards that follow, their pictures, the state of
the workspace. The app is a process of its own, the people are threads of this one; both share the machine. The last line is JSON.
"""

import argparse
import http.client
import json
import random
import subprocess
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import numpy as np

from benchmarks.parts import peers
from benchmarks.parts.machine import machine
from benchmarks.parts.running_app import App, measured, processor_seconds
from curation.access.users import Users

PASSWORD = "correct horse battery"
AHEAD, FIRST, MORE = 64, 24, 40  # cards that the page keeps ahead, asks for first, and then (curation/ui/review/queue.js)
POLL = 2.5  # seconds between two looks at the workspace (curation/ui/frame/index.js)


class Client:
    """Somebody on a connection of their own, kept open as a browser keeps it; times in milliseconds, by kind of request."""

    def __init__(self, address: str, times: dict[str, list[float]], refused: list[str]):
        self.address, self.times, self.refused = address, times, refused
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.cookie = ""

    def call(self, kind: str, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        head = {"Origin": self.address, "Content-Type": "application/json", "Cookie": self.cookie}
        begun = time.perf_counter()
        self.connection.request(method, path, json.dumps(body) if body is not None else None, head)
        answer = self.connection.getresponse()
        content = answer.read()
        self.times[kind].append(1000 * (time.perf_counter() - begun))
        if answer.status >= 400:
            self.refused.append(f"{kind}: {answer.status} {content[:200].decode(errors='replace')}")
        if cookie := answer.getheader("set-cookie"):
            self.cookie = cookie.partition(";")[0]
        return content

    def review(self, until: float, place: int) -> None:
        """Decides once a second until then, on samples from this place of the queue on."""
        raise NotImplementedError


class Reviewer(Client):
    """Somebody on the Review page."""

    def log_in(self, name: str) -> None:
        self.call("login", "POST", "/login", {"name": name, "password": PASSWORD})

    def review(self, until: float, place: int) -> None:
        asked: dict[str, Any] = {"matching": {"statuses": ["pending", "passed", "failed"]}, "order": "random"}
        self._post("counts", "review/facets", asked["matching"])
        cards = self._post("begin", "review/next", {**asked, "skip": place, "count": FIRST})["cards"]
        polled = 0.0
        for now in every_second(until):
            if now - polled > POLL:
                polled = now
                self.call("workspace", "GET", "/api/workspace")
            if len(cards) < AHEAD:
                last = cards[-1]
                following = {**asked, "key": last["key"], "sample_id": last["sample_id"], "count": MORE}
                cards += self._post("next cards", "review/next", following)["cards"]
            card = cards.pop(0)
            decided = {name: card[name] for name in ("sample_id", "revision", "image")}
            action = "reject" if random.random() < 0.25 else "approve"
            self._post("decision", "review/decide", {**decided, "action": action, "event_id": uuid.uuid4().hex})
            if card["image"]:
                self.call("picture", "GET", f"/media/{card['image']}/full")

    def _post(self, kind: str, path: str, body: dict[str, Any]) -> Any:
        return json.loads(self.call(kind, "POST", f"/api/{path}", body))


class Tagger(Client):
    """Somebody on LightlyStudio's pages: a decision adds a tag to a sample. Its pictures would come from files and are not asked for."""

    known: ClassVar[dict[str, Any]]  # what its server said of itself

    def review(self, until: float, place: int) -> None:
        collection = f"/api/collections/{self.known['collection']}"
        waiting = {"sample_filter": {"tag_ids": [self.known["waiting"]]}}
        ids: list[str] = []
        for _ in every_second(until):
            if len(ids) < AHEAD:
                pages = {"offset": place + len(ids), "limit": MORE}
                page = json.loads(self.call("next cards", "POST", f"{collection}/images/list", {"filters": waiting, "pagination": pages}))
                ids += [sample["sample_id"] for sample in page["data"]]
            add = f"{collection}/tags/{self.known['approved']}/add/samples"
            self.call("decision", "POST", add, {"sample_ids": [ids.pop(0)]})


def every_second(until: float) -> Iterator[float]:
    due = time.monotonic() + random.random()
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        yield time.monotonic()
        due += 1


def all_at_once(clients: Sequence[Client], seconds: float, processor: Callable[[], float]) -> dict[str, Any]:
    """Everybody reviews for so long; `processor` says how many seconds the server has used of it."""
    times, refused = clients[0].times, clients[0].refused
    before, used, begun = sum(map(len, times.values())), processor(), time.monotonic()
    threads = [threading.Thread(target=client.review, args=(begun + seconds, 400 * i)) for i, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    requests = sum(map(len, times.values())) - before
    return {
        "requests": requests,
        "p50_ms": {kind: round(float(np.percentile(each, 50)), 1) for kind, each in sorted(times.items())},
        "p95_ms": {kind: round(float(np.percentile(each, 95)), 1) for kind, each in sorted(times.items())},
        "processor_share": round((processor() - used) / (time.monotonic() - begun), 2),
        "refused": len(refused),
        "first_refusals": refused[:3],
    }


def measure(app: App, people: int, seconds: float) -> dict[str, Any]:
    times: dict[str, list[float]] = defaultdict(list)
    refused: list[str] = []
    reviewers = [Reviewer(app.address, times, refused) for _ in range(people)]
    for i, reviewer in enumerate(reviewers):
        reviewer.log_in(f"person{i}")
    memory = app.memory_mb()
    figures = all_at_once(reviewers, seconds, app.processor_seconds)
    return {"people": people, "seconds": seconds, **figures, "memory_before_mb": memory, "memory_mb": app.memory_mb()}


def lightly_studio(samples: int, people: int, seconds: float) -> dict[str, Any]:
    """The same people on LightlyStudio's own server; {"not_run": why} where it can't be had."""
    try:
        with peers.lightly_server(samples) as server:
            Tagger.known = server.known
            times: dict[str, list[float]] = defaultdict(list)
            refused: list[str] = []
            clients = [Tagger(server.address, times, refused) for _ in range(people)]
            return all_at_once(clients, seconds, lambda: processor_seconds(server.process.pid))
    except (subprocess.SubprocessError, OSError, RuntimeError) as error:
        return {"not_run": f"{type(error).__name__}: {error}"[:500]}


PARTS = ("p50_ms", "p95_ms")
WORDS = {
    "decision": "a decision until its answer, on disk (aim: 60)",
    "next cards": "the next 40 cards (aim: 150)",
    "begin": "the first cards of the queue, and how many there are",
    "counts": "counts by facet",
    "workspace": "the state of the workspace, asked for every 2.5 s",
    "picture": "a picture",
    "login": "a login",
}


def users_of(home: Path, people: int) -> None:
    users = Users(home / "users.json")
    users.add("admin", "admin", PASSWORD)
    for i in range(people):
        users.add(f"person{i}", "reviewer", PASSWORD)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--workspace", type=Path, help="folder of a workspace; a copy of it is measured")
    parser.add_argument("--samples", type=int, default=50_000, help="of the workspace that is made where none is named")
    parser.add_argument("--json", action="store_true", help="kept for uniformity: the last line is JSON in any case")
    parser.add_argument("--alone", action="store_true", help="without LightlyStudio beside it")
    arguments = parser.parse_args()
    with measured(arguments.workspace, arguments.samples, lambda home: users_of(home, arguments.people)) as app:
        figures = measure(app, arguments.people, arguments.seconds)
    peer = {"not_run": "--alone"} if arguments.alone else lightly_studio(arguments.samples, arguments.people, arguments.seconds)
    print(f"{arguments.people} people for {arguments.seconds:g} s: {figures['requests']:,} requests, {figures['refused']} refused")
    print(f"{'milliseconds: median, p95; then those of LightlyStudio':60}")
    for kind, text in WORDS.items():
        for_each = [f"{each[part][kind]:>8,}" for each in (figures, peer) if "p50_ms" in each and kind in each["p50_ms"] for part in PARTS]
        print(f"{text:60}", *for_each)
    print(f"share of a core that the app used: {figures['processor_share']:.0%}; LightlyStudio: {peer.get('processor_share', peer)}")
    print(f"memory of the app: {figures['memory_before_mb']} MB before, {figures['memory_mb']} MB after")
    print(json.dumps({**figures, "lightly_studio": peer, "machine": machine()}))


if __name__ == "__main__":
    main()
