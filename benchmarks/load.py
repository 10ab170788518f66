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
import resource
import threading
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.parts.machine import machine
from benchmarks.parts.running_app import App, measured
from curation.access.users import Users

PASSWORD = "correct horse battery"
AHEAD, FIRST, MORE = 64, 24, 40  # cards that the page keeps ahead, asks for first, and then (curation/ui/review/queue.js)
POLL = 2.5  # seconds between two looks at the workspace (curation/ui/frame/index.js)


class Person:
    """A reviewer on a connection of their own, kept open as a browser keeps it."""

    def __init__(self, address: str, name: str, times: dict[str, list[float]], refused: list[str]):
        self.address, self.name, self.times, self.refused = address, name, times, refused
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.cookie = ""
        self.call("login", "POST", "/login", {"name": name, "password": PASSWORD})

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

    def post(self, kind: str, path: str, body: dict[str, Any]) -> Any:
        return json.loads(self.call(kind, "POST", f"/api/{path}", body))

    def review(self, until: float, place: int) -> None:
        """Decides once a second until then, on cards from this place of the queue on."""
        asked: dict[str, Any] = {"matching": {"statuses": ["pending", "passed", "failed"]}, "order": "random"}
        self.post("counts", "review/facets", asked["matching"])
        cards = self.post("begin", "review/next", {**asked, "skip": place, "count": FIRST})["cards"]
        polled, due = 0.0, time.monotonic() + random.random()
        while cards and (now := time.monotonic()) < until:
            if now - polled > POLL:
                polled = now
                self.call("workspace", "GET", "/api/workspace")
            if len(cards) < AHEAD:
                last = cards[-1]
                following = {**asked, "key": last["key"], "sample_id": last["sample_id"], "count": MORE}
                cards += self.post("next cards", "review/next", following)["cards"]
            time.sleep(max(0.0, due - time.monotonic()))
            due += 1
            card = cards.pop(0)
            decided = {name: card[name] for name in ("sample_id", "revision", "image")}
            action = "reject" if random.random() < 0.25 else "approve"
            self.post("decision", "review/decide", {**decided, "action": action, "event_id": uuid.uuid4().hex})
            if card["image"]:
                self.call("picture", "GET", f"/media/{card['image']}/full")


def measure(app: App, people: int, seconds: float) -> dict[str, Any]:
    times: dict[str, list[float]] = defaultdict(list)
    refused: list[str] = []
    reviewers = [Person(app.address, f"person{i}", times, refused) for i in range(people)]
    memory, own = app.memory_mb(), resource.getrusage(resource.RUSAGE_SELF)
    processor, begun = app.processor_seconds(), time.monotonic()
    threads = [threading.Thread(target=person.review, args=(begun + seconds, 400 * i)) for i, person in enumerate(reviewers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    requests = sum(len(each) for each in times.values()) - people
    return {
        "people": people,
        "seconds": round(time.monotonic() - begun, 1),
        "requests": requests,
        "p50_ms": {kind: round(float(np.percentile(each, 50)), 1) for kind, each in sorted(times.items())},
        "p95_ms": {kind: round(float(np.percentile(each, 95)), 1) for kind, each in sorted(times.items())},
        "processor_ms_a_request": round(1000 * (app.processor_seconds() - processor) / requests, 1),
        "clients_processor_s": round(spent.ru_utime + spent.ru_stime - own.ru_utime - own.ru_stime, 1),
        "refused": len(refused),
        "first_refusals": refused[:3],
        "memory_before_mb": memory,
        "memory_mb": app.memory_mb(),
    }


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
    arguments = parser.parse_args()
    with measured(arguments.workspace, arguments.samples, lambda home: users_of(home, arguments.people)) as app:
        figures = measure(app, arguments.people, arguments.seconds)
    print(f"{arguments.people} people for {arguments.seconds:g} s: {figures['requests']:,} requests, {figures['refused']} refused")
    for kind, text in WORDS.items():
        if kind in figures["p95_ms"]:
            print(f"{text:64} {figures['p50_ms'][kind]:>8,} {figures['p95_ms'][kind]:>8,}  ms (median, p95)")
    print(f"processor of the app: {figures['processor_ms_a_request']} ms a request")
    print(f"memory of the app: {figures['memory_before_mb']} MB before, {figures['memory_mb']} MB after")
    print(json.dumps({**figures, "machine": machine()}))


if __name__ == "__main__":
    main()
