"""Makes e58fa80.tar.xz: a workspace as commit e58fa80 left it when the machine went down in the middle of its work.

    git worktree add --detach /tmp/e58fa80 e58fa80
    cd /tmp/e58fa80 && python ABSOLUTE/PATH/TO/make_e58fa80.py ABSOLUTE/PATH/TO/e58fa80.tar.xz

It is run in a checkout of that commit, with that commit's requirements installed. It sends requests to the app of that commit, as pages and
command line do, and imports nothing of Mistakebook, so that it stays valid while the code around it changes. It takes a minute.

In the archive:

    facts.json            what that version answered, and the number of rows in each table of the store when it was killed
    home/e58fa80/         the workspace: one round of failures, diagnosed in part, clustered; samples, reviewed; a backup; jobs
    home/tiny-llava/      a model of the user's own: the checkpoint that is being finetuned

Four of its jobs are unfinished:

- an import that was paused;
- a diagnose that was paused, with paid replies of rows that have no result yet;
- a finetune that was killed together with the app, some steps after its snapshot step 50, with an evaluate chained to it;
- an import of predictions, queued behind the finetune.
"""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

COMMIT = "e58fa80"
PATIENCE = 300  # seconds
TEACHER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}
FAMILIES = {"photo": (70, 6, 14), "knowledge": (24, 2, 6)}  # of PocketVQA: train, dev, eval
LATE_IMPORT = {"train": 5, "dev": 1, "eval": 2}  # of another family, paused
DIAGNOSED_FIRST = 14
SNAPSHOT, STEPS = 50, 90  # of the finetune: the snapshot step that is kept, about how many steps it has
LEFT_OUT = ("search.sqlite", "thumbnails", "app.json", "lock", "replies.sqlite-shm")  # beginnings of names; the next app makes them anew
COLOURS = {"red": (220, 40, 40), "green": (40, 170, 60), "blue": (40, 60, 220), "yellow": (230, 210, 40), "orange": (240, 140, 30)}


def until(condition: Callable[[], object], what: str, every: float = 0.05):
    """Waits until the condition's value is true and returns it."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain: {what}"
        time.sleep(every)
    return value


class App:
    """The app of that commit on a workspace of its own home."""

    def __init__(self, home: Path):
        self.root = home / COMMIT
        with (home.parent / "app.log").open("wb") as log:
            command = [sys.executable, "app.py", "--headless", "--workspace", COMMIT, "--port", "0"]
            self.process = subprocess.Popen(command, env={**os.environ, "MISTAKEBOOK_HOME": str(home)}, stdout=log, stderr=log)
        self.events, self.stopped = 0, []  # events sent; process ids of stopped children
        until(self._is_up, "the app's start")

    def _is_up(self) -> bool:
        assert self.process.poll() is None, (self.root.parent.parent / "app.log").read_text()
        if not (self.root / "app.json").exists():
            return False
        self.owner = json.loads((self.root / "app.json").read_text())
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.owner["address"].rpartition(":")[2]))) == 0

    def send(self, method: str, path: str, body: object = None, reviewer: str = "ada"):
        headers = {"Authorization": f"Bearer {self.owner['token']}", "X-Mistakebook-Reviewer": reviewer, "Content-Type": "application/json"}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/octet-stream"
        request = urllib.request.Request(self.owner["address"] + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")

    def get(self, path: str):
        return self.send("GET", path)

    def post(self, path: str, body: object = None, reviewer: str = "ada"):
        return self.send("POST", path, {} if body is None else body, reviewer)

    def event(self) -> str:
        """A new event id, as browsers send it."""
        self.events += 1
        return f"event-{self.events:05d}"

    def launch(self, stage: str, options: dict, then: list | None = None) -> int:
        return self.post("/api/jobs", {"stage": stage, "options": options, "then": then or []})["job_id"]

    def run(self, stage: str, options: dict) -> None:
        """Launches a job and waits for it; it must end as done."""
        job_id = self.launch(stage, options)
        job = until(lambda: (job := self.get(f"/api/jobs/{job_id}"))["status"] not in ("queued", "running") and job, f"the end of {stage}")
        print(f"{stage}: {job['status']}, {job['done']} of {job['total']} done, {job['failed']} failed; {job['message']}")
        assert job["status"] == "done", self.get(f"/api/jobs/{job_id}/log")["text"]

    def lines(self, job_id: int, name: str) -> list[dict]:
        path = self.root / "jobs" / str(job_id) / name
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]

    def pause_process(self, job_id: int) -> int:
        """Stops the child of a job (SIGSTOP) in the middle of its work, however fast it is; returns its process id."""
        pid = next(event["pid"] for event in reversed(self.lines(job_id, "events.jsonl")) if event["event"] == "start")
        os.kill(pid, signal.SIGSTOP)
        self.stopped.append(pid)
        return pid

    def continue_process(self, pid: int) -> None:
        os.kill(pid, signal.SIGCONT)
        self.stopped.remove(pid)

    def kill(self) -> None:
        """As when the machine goes down: the app, and the stopped children with all that they started."""
        self.process.kill()
        self.process.wait()
        for pid in self.stopped:
            os.killpg(pid, signal.SIGKILL)


def import_own_list(app: App) -> None:
    """A JSON Lines dataset with its pictures, and predictions of a model that was asked elsewhere: uploaded, each with a bad line."""
    from PIL import Image, ImageDraw

    lines, answers, batch = [], [], "new"
    for number, (colour, rgb) in enumerate(COLOURS.items()):
        path = app.root.parent.parent / "picture.png"
        picture = Image.new("RGB", (64, 64), (236, 236, 230))
        ImageDraw.Draw(picture).rectangle((10 + 4 * number, 14, 34 + 4 * number, 44), fill=rgb)
        picture.save(path)
        kept = app.post(f"/api/data/upload/{batch}/list/{colour}.png", path.read_bytes())
        batch = kept["batch"]
        lines.append({"id": colour, "image": f"{colour}.png", "question": "What colour is the rectangle?", "answer": colour})
        answers.append({"id": colour, "answer": "red", "split": "train"})
    lines.append({"id": "gone", "image": "nowhere.png", "question": "What is this?", "answer": "a line that can't be used"})
    answers.append({"id": "no such example", "answer": "red", "split": "train"})
    paths = {}
    for name, rows in (("own.jsonl", lines), ("answers.jsonl", answers)):
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        paths[name] = app.post(f"/api/data/upload/{batch}/list/{name}", content)["path"]
    app.run("import", {"format": "jsonl", "source": {"path": paths["own.jsonl"], "split": "train"}})
    app.run("import_predictions", {"path": paths["answers.jsonl"], "dataset": "own", "checkpoint": "elsewhere"})


def import_and_diagnose(app: App) -> None:
    """Datasets, round 1, its failures, and the diagnoses of some of them."""
    for family, (train, dev, held_out) in FAMILIES.items():
        app.run("import", {"format": "pocket_vqa", "source": {"family": family, "train": train, "dev": dev, "eval": held_out}})
    app.post("/api/data/checkpoint", {"name": "pocket-llava", "baseline": "llava", "model": "pocket-llava"})
    app.post("/api/command/rounds", {"checkpoint": "pocket-llava"})
    import_own_list(app)
    app.run("evaluate", {})
    app.run("diagnose", {**TEACHER, "limit": DIAGNOSED_FIRST})


def edit_clusters_and_triage(app: App) -> None:
    """Clusters and people's changes to them (one undone), triage labels (some undone), a saved view."""
    app.run("cluster", {**TEACHER, "min_size": 2, "resamples": 5})
    clusters = app.post("/api/failures/clusters")
    first, second, third = (row["cluster_id"] for row in clusters[:3])
    app.post("/api/clusters/rename", {"cluster_id": first, "title": "Renamed by ada", "event_id": app.event()})
    app.post("/api/clusters/merge", {"cluster_ids": [first, second], "into": first, "event_id": app.event()})
    rows = app.post("/api/failures/page", {"cluster_id": [third]})["rows"]
    move = {"failure_ids": [rows[0]["failure_id"]], "into": first, "event_id": app.event()}
    moved = app.post("/api/clusters/move", move, reviewer="grace")
    app.post("/api/clusters/undo", {"change_id": moved["change_id"], "event_id": app.event()}, reviewer="grace")
    shown = [row["failure_id"] for row in app.post("/api/failures/page", {"limit": 5})["rows"]]
    app.post("/api/failures/triage", {"failure_ids": shown[:2], "label": "label error", "event_id": app.event()})
    undone = app.event()
    app.post("/api/failures/triage", {"failure_ids": shown[2:4], "label": "scorer artefact", "event_id": undone})
    app.post("/api/failures/triage/undo", {"batch_id": undone, "event_id": app.event()})
    app.post("/api/views/save", {"name": "What ada looks at", "query": f"cluster_id={first}&triage=label+error"})


def generate_and_review(app: App) -> None:
    """Samples by an edited prompt, drawn and filtered; decisions of all kinds by two reviewers."""
    prompt = app.post("/api/prompts/show", {"name": "proposal"})
    edited = {"system": prompt["system"] + "\nWrite short questions.", "user": prompt["user"], "note": "shorter", "name": "proposal"}
    assert app.post("/api/prompts/save", edited)["flaws"] == []
    app.run("generate", {**TEACHER, "limit": 8, "per_failure": 2, "route": "both"})
    app.run("draw", {"model": "pocket-flux"})
    app.run("filter", TEACHER)
    app.post("/api/settings/filter", {"filter": "judge", "enabled": True, "threshold": 2.5})
    app.post("/api/review/assign", {"reviewers": ["ada", "grace"], "copies": 2, "title": "Both look", "event_id": app.event()})
    cards = app.post("/api/review/next", {"matching": {"statuses": ["pending"]}, "order": "oldest", "count": 40})["cards"]
    assert len(cards) >= 10, f"too few samples pass the filters: {len(cards)}"
    for card in cards[:3]:
        _decide(app, card, "approve")
    _decide(app, cards[3], "reject", reason="wrong answer", note="look again")
    _decide(app, cards[4], "approve")
    _decide(app, cards[4], "reject", reviewer="grace", reason="unclear question")  # disputed
    undone = _decide(app, cards[5], "reject", reason="wrong answer")
    app.post("/api/review/undo", {"event_id": app.event(), "undone_event": undone})
    _edit(app, cards[6], "approve")
    _edit(app, cards[7], None)
    failure = cards[0]["failure_id"]
    by_hand = {"question": "What colour is the thing on the left?", "answer": "red", "failure_id": failure, "event_id": app.event()}
    app.post("/api/review/by_hand", by_hand)
    matching = {"statuses": ["pending"], "sample_ids": [card["sample_id"] for card in cards[8:-1]]}
    app.post("/api/review/bulk", {"matching": matching, "action": "approve", "event_id": app.event(), "reason": "passes every filter"})


def _decide(app: App, card: dict, action: str, reviewer: str = "ada", **why: str) -> str:
    event = app.event()
    body = {"sample_id": card["sample_id"], "revision": card["revision"], "action": action, "event_id": event, **why}
    app.post("/api/review/decide", body, reviewer)
    return event


def _edit(app: App, card: dict, then: str | None) -> None:
    text = {"question": card["question"] + " Look closely.", "choices": card["choices"], "answer": card["answer"]}
    state = app.post("/api/review/edit", {"sample_id": card["sample_id"], "revision": card["revision"], **text, "event_id": app.event()})
    if then:
        _decide(app, {**card, "revision": state["revision"]}, then)


def paused_diagnose(app: App) -> dict:
    """A diagnose of the other failures, paused in the middle: of some rows the blind answer is paid for, the diagnosis not asked yet."""
    job_id = app.launch("diagnose", {**TEACHER, "concurrency": 4})
    until(lambda: len(app.lines(job_id, "results.jsonl")) >= 6, "the first diagnoses", every=0.002)
    job = _paused(app, job_id)
    with sqlite3.connect(app.root / "replies.sqlite") as journal:
        (replies,) = journal.execute("SELECT count(*) FROM reply WHERE scope = ?", (str(job_id),)).fetchone()
    print(f"diagnose: {job['status']} after {job['done']} of {job['total']}, {replies} replies")
    assert job["status"] == "paused" and job["done"] < job["total"] and replies > 2 * job["done"]
    return {"job_id": job_id, "done": job["done"], "total": job["total"], "replies": replies, "spend_usd": job["spend_usd"]}


def paused_import(app: App) -> dict:
    """An import that was paused before it had read anything."""
    job_id = app.launch("import", {"format": "pocket_vqa", "source": {"family": "quiz", **LATE_IMPORT}})
    until(lambda: any(event["event"] == "start" for event in app.lines(job_id, "events.jsonl")), "the import's start", every=0.002)
    job = _paused(app, job_id)
    assert job["status"] == "paused" and job["done"] == 0
    return {"job_id": job_id, "dataset": "pocket-quiz", **LATE_IMPORT}


def _paused(app: App, job_id: int) -> dict:
    child = app.pause_process(job_id)
    app.post(f"/api/jobs/{job_id}/pause")
    app.continue_process(child)
    return until(lambda: (job := app.get(f"/api/jobs/{job_id}"))["status"] != "running" and job, "the pause")


def held_finetune(app: App, model: Path) -> dict:
    """A finetune with an evaluate chained to it, stopped some steps after its snapshot step; and a job that is queued behind it."""
    app.post("/api/data/checkpoint", {"name": "tiny-llava", "baseline": "llava", "model": str(model)})
    options = {"checkpoint": "tiny-llava", "name": "survivor", "epochs": 1}
    steps_an_epoch = app.post("/api/estimate", {"stage": "finetune", "options": options})["detail"]["steps"]
    options["epochs"] = STEPS / steps_an_epoch
    chained = {"stage": "evaluate", "options": {"splits": ["eval"], "datasets": ["pocket-knowledge"]}, "checkpoint_of": 0}
    job_id = app.launch("finetune", options, [chained])

    def progress() -> dict:
        steps = [event for event in app.lines(job_id, "events.jsonl") if event["event"] == "progress"]
        return steps[-1] if steps else {"done": 0}

    until(lambda: progress()["done"] > SNAPSHOT + 3, "steps after the snapshot step", every=0.002)
    app.pause_process(job_id)
    at = progress()
    assert at["done"] < at["total"] - 10 and (app.root / "jobs" / str(job_id) / "steps" / f"checkpoint-{SNAPSHOT}").is_dir(), at
    answers = next(app.root.glob("uploads/*/list/answers.jsonl"))
    waiting = app.launch("import_predictions", {"path": str(answers), "dataset": "own", "checkpoint": "elsewhere again"})
    return {"job_id": job_id, "snapshot": SNAPSHOT, "killed_at": at["done"], "steps": at["total"], "name": "survivor", "waiting": waiting}


def answers(app: App) -> dict:
    """What the routes of the pages answer, as far as a later version must answer the same."""

    def some(rows: list[dict], *names: str) -> list[dict]:
        return [{name: row[name] for name in names} for row in rows]

    here = app.get("/api/workspace")
    samples = app.post("/api/review/page", {"order": "oldest", "limit": 200})["rows"]
    prompt = app.post("/api/prompts/show", {"name": "proposal"})
    people = app.post("/api/review/people")
    return {
        "workspace": {name: here[name] for name in ("name", "round", "checkpoint", "counts", "spend_usd")},
        "jobs": some(app.get("/api/jobs"), "job_id", "stage", "status", "total", "done", "failed", "message"),
        "datasets": some(app.post("/api/data/overview")["datasets"], "name", "train", "dev", "eval"),
        "clusters": some(app.post("/api/failures/clusters"), "cluster_id", "error_type", "title", "failures"),
        "changes": some(app.post("/api/clusters/history"), "change_id", "action", "reviewer", "title", "undone"),
        "triage": some(app.post("/api/failures/triage/history"), "label", "reviewer", "undone"),
        "views": some(app.post("/api/views/list"), "view_id", "name", "query", "author"),
        "prompt": {name: prompt[name] for name in ("version", "in_use", "system", "user")},
        "filters": some(app.post("/api/settings/overview")["filters"], "filter", "enabled", "threshold", "comparison"),
        "samples": some(samples, "sample_id", "revision", "status", "question", "answer"),
        "assignments": some(people["assignments"], "assignment_id", "title", "copies"),
        "history": some(app.get("/api/review/history"), "action", "samples", "undone"),
    }


def rows_by_table(store: Path) -> dict[str, int]:
    """Counted in a copy: the store itself stays as the kill left it, with its write-ahead log."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        for path in store.parent.glob("store.duckdb*"):
            shutil.copy(path, folder)
        with duckdb.connect(str(Path(folder) / store.name)) as copy:
            names = [row[0] for row in copy.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
            return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def pack(home: Path, facts: dict, target: Path) -> None:
    (home.parent / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False))

    def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if Path(entry.name).name.startswith(LEFT_OUT):
            return None
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(target, "w:xz", preset=9) as archive:
        for name in ("facts.json", "home"):
            archive.add(home.parent / name, name, filter=kept)
    print(f"{target}: {target.stat().st_size:,} bytes")


def use(app: App) -> dict:
    """Everything that happens in the workspace until the kill; returns what facts.json holds of it."""
    import_and_diagnose(app)
    edit_clusters_and_triage(app)
    generate_and_review(app)
    backup = app.post("/api/settings/backup")
    cards = app.post("/api/review/next", {"matching": {"statuses": ["pending"]}, "order": "oldest"})["cards"]
    _decide(app, cards[0], "approve", note="after the backup")
    unfinished = {"import": paused_import(app), "diagnose": paused_diagnose(app)}
    unfinished["finetune"] = held_finetune(app, app.root.parent / "tiny-llava")
    return {"backup": backup["name"], **unfinished, "shown": answers(app)}


def main(target: Path) -> None:
    assert Path("app.py").is_file(), f"run it in a checkout of {COMMIT}"
    with tempfile.TemporaryDirectory(prefix=f"mistakebook-{COMMIT}-") as folder:
        home = Path(folder) / "home"
        build = "import sys; from pathlib import Path; from tests.tiny_llava import build; build(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", build, str(home / "tiny-llava")], check=True)
        app = App(home)
        try:
            facts = use(app)
        finally:
            app.kill()
        pack(home, {"home": str(home), **facts, "rows": rows_by_table(app.root / "store.duckdb")}, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
