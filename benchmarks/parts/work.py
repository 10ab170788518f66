"""The work of the review bench on a store, timed: pages, facets, decisions, bulk, opening, import."""

import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from curation.review import decisions, queue
from curation.stage import Context, Job
from curation.stages.import_dataset import Import
from data.scenes import SIZE, draw, random_things
from data.store import Store
from data.workspace import Workspace

ORDERS = ("informative", "random", "newest", "oldest")
FACETS = {"status": "statuses", "error_type": "error_types", "dataset": "datasets", "route": "routes", "failing": "failing"}
PAGE = 60
REVIEWER = "bench"


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one call: by the clock, and of processors (of child processes too, once they have ended)."""

    wall: float
    cpu: float


def p95(taken: list[Timing]) -> float:
    """Milliseconds by the clock."""
    return round(sorted(request.wall for request in taken)[min(len(taken) - 1, int(0.95 * len(taken)))], 1)


def median_cpu(taken: list[Timing]) -> float:
    """Milliseconds of processors."""
    return round(statistics.median(request.cpu for request in taken), 1)


def timed(work: Callable[..., Any], arguments: list[tuple]) -> list[Timing]:
    """Each call's timing."""
    taken = []
    for argument in arguments:
        before, started = _processors(), time.perf_counter()
        work(*argument)
        wall = time.perf_counter() - started
        taken.append(Timing(1000 * wall, 1000 * (_processors() - before)))
    return taken


def _processors() -> float:
    """Seconds of processors so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def figures(path: Path, bulk_rows: int, imported: int, seed: int = 3) -> dict[str, Any]:
    """p95 in milliseconds by kind of work, and how many rows bulk and import had. The store at `path` is changed."""
    rng, measured = random.Random(seed), {}
    for _ in range(2):
        Store(path).close()
    measured["open"] = timed(lambda: Store(path).close(), [()] * 10)
    store = Store(path)
    try:
        filters = [_random_filter(queue.facets(store, {}), rng) for _ in range(80)]
        total = queue.rank(store, {}, "newest", None).total
        queue.page(store, {}, "informative", 0, PAGE)
        pages = [(store, condition, rng.choice(ORDERS), PAGE * rng.randrange(3), PAGE) for condition in filters]
        measured["page"] = timed(queue.page, pages)
        measured["jump"] = timed(queue.page, [(store, {}, rng.choice(ORDERS), rng.randrange(total), PAGE) for _ in range(30)])
        measured["facets"] = timed(queue.facets, [(store, condition) for condition in [{}] * 20 + filters])
        # one on a sample that waits, as the queue brings them and as peers add a first tag; and one over an earlier word
        for name, statuses in (("decision", ["pending", "failed"]), ("overrule", ["approved", "rejected"])):
            measured[name] = timed(lambda d: decisions.decide(store, d, REVIEWER), _decisions(store, rng, statuses))
        matching, count = filter_of_size(store, bulk_rows)
        measured["preview"] = timed(lambda: decisions.preview_bulk(store, matching), [()] * 10)
        measured["bulk"], measured["undo"] = [], []
        for _ in range(5):
            event = decisions.new_event()
            measured["bulk"] += timed(lambda event=event: decisions.decide_bulk(store, matching, "approve", REVIEWER, event), [()])
            measured["undo"] += timed(lambda event=event: decisions.undo(store, REVIEWER, decisions.new_event(), undone_event=event), [()])
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            pictures = make_pictures(Path(folder), imported)
            measured["import"] = import_pictures(store, Path(folder), pictures)
    finally:
        store.close()
    return {
        "p95_ms": {name: p95(taken) for name, taken in measured.items()},
        "cpu_ms": {name: median_cpu(taken) for name, taken in measured.items()},
        "bulk_rows": count,
        "import_rows": imported,
        "samples": total,
    }


def filter_of_size(store: Store, wanted: int) -> tuple[dict, int]:
    """A filter by status and error type that matches about so many samples, and how many it does."""
    matching = {"statuses": ["pending", "failed", "approved"], "error_types": []}
    names = [row.value for row in queue.facets(store, {"statuses": matching["statuses"]})["error_type"]]
    count = 0
    for name in names:
        more = {**matching, "error_types": [*matching["error_types"], name]}
        size = decisions.preview_bulk(store, more).count
        if size <= wanted * 1.1:
            matching, count = more, size
    return matching, count


def make_pictures(folder: Path, count: int) -> Path:
    """A list of examples in JSON lines, with a picture of 64 x 64 pixels each beside it; returns its path."""
    (folder / "pictures").mkdir()
    with ProcessPoolExecutor(2) as workers:
        lines = [line for part in workers.map(_draw, [folder] * 2, [range(i, count, 2) for i in range(2)]) for line in part]
    path = folder / "benchmark.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def import_pictures(store: Store, folder: Path, path: Path) -> list[Timing]:
    """Both halves of the import stage, the first in a process of its own, as a job runs them; its start is not counted."""
    Workspace(folder / "workspace").create()
    with ProcessPoolExecutor(1, get_context("spawn")) as child:
        child.submit(_options, path).result()
        taken = timed(_import, [(store, folder, path, child)])
    return taken


def _import(store: Store, folder: Path, path: Path, child: ProcessPoolExecutor) -> None:
    results = child.submit(_read, folder, path).result()
    with store.write() as write:
        Import().collect(write, Job(0, Import.name, 1, _options(path), folder), results)
    assert results[0]["bad"] == 0


def _read(folder: Path, path: Path) -> list[dict]:
    stage = Import()
    stage.setup(Context(Workspace(folder / "workspace"), folder, _options(path), lambda: False, lambda event: None))
    return list(stage([{"key": "benchmark"}]))


def _options(path: Path) -> Import.Options:
    return Import.Options(format="jsonl", source={"path": str(path)})


def _draw(folder: Path, numbers: range) -> list[str]:
    lines = []
    for number in numbers:
        draw(random_things(random.Random(number))).save(folder / "pictures" / f"{number}.png")
        lines.append(f'{{"id": "{number}", "image": "pictures/{number}.png", "question": "How many shapes of {SIZE}?", "answer": "2"}}')
    return lines


def _random_filter(facets: dict[str, list[queue.FacetCount]], rng: random.Random) -> dict:
    """Some values of one to three facets; now and then nothing."""
    chosen = rng.sample(sorted(FACETS), rng.choice((0, 1, 1, 2, 3)))
    return {
        FACETS[name]: [row.value for row in rng.sample(facets[name], rng.randint(1, min(3, len(facets[name]))))]
        for name in chosen
        if facets[name]
    }


def _decisions(store: Store, rng: random.Random, statuses: list[str]) -> list[tuple[decisions.Decision]]:
    """200 decisions on random samples of these statuses, as their cards would send them."""
    sample_ids = store.column("samples_matching", statuses=statuses)
    ids = rng.sample(sample_ids, min(200, len(sample_ids)))
    known = store.rows("sample_revisions", sample_ids=ids)
    return [
        (
            decisions.Decision(
                row["sample_id"], row["revision"], rng.choice(("approve", "reject")), decisions.new_event(), image=row["image"]
            ),
        )
        for row in known
    ]
