"""The loop on a benchmark that no built-in part was made for (tests/support/crowded_scenes.py): what each part makes of it.

    python -m benchmarks.stranger FOLDER --steps import,evaluate,kinds,diagnose,cluster,generate,draw,filter,review,finetune,measure

Steps may be run one after another: FOLDER holds workspace and data. Prints clusters against the true kinds, samples that practise the
failed kind, and accuracy by kind beside the rate of the most frequent answer. Kinds are known to this file alone.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb

from curation import checkpoints
from curation.jobs.manager import JobManager
from curation.review import decisions
from curation.stages import STAGES, stage_class
from curation.workspaces.builtin import POCKET_LLAVA, prepare
from data.store import Store
from data.workspace import Workspace
from tests.support import crowded_scenes

TEACHER = {"endpoint": "pocket-teacher", "model": "pocket-teacher"}
STEPS = ("import", "evaluate", "kinds", "diagnose", "cluster", "generate", "draw", "filter", "review", "finetune", "measure")
PATIENCE = 1800  # seconds for a job
NAME = "practised"


def options_of(step: str, data: Path) -> dict[str, Any]:
    return {
        "import": {"format": "jsonl", "source": {"path": str(data / "scenes.jsonl")}},
        "evaluate": {},
        "kinds": TEACHER,
        "diagnose": TEACHER,
        "cluster": {**TEACHER, "resamples": 0},
        "generate": {**TEACHER, "limit": 150, "per_failure": 3},
        "draw": {"model": "pocket-flux"},
        "filter": TEACHER,
        "finetune": {"epochs": 6, "name": NAME},
        "measure": {"checkpoint": NAME, "splits": ["eval"]},
    }[step]


def run(folder: Path, steps: list[str]) -> None:
    workspace = Workspace(folder / "workspace").create()
    store = Store(workspace.store)
    jobs = JobManager(store, workspace, stage_class)
    try:
        for step in steps:
            began = time.monotonic()
            if step == "review":
                decisions.decide_bulk(store, {"statuses": ["pending"]}, "approve", "rule", decisions.new_event(), "passes every filter")
            elif step not in STAGES and step != "measure":
                continue  # an earlier version has no such stage
            else:
                job_id = jobs.launch({"measure": "evaluate"}.get(step, step), options_of(step, folder / "data"), "rule")
                ended = jobs.wait(job_id, PATIENCE)
                took = time.monotonic() - began
                print(f"{step}: {ended.status}, {ended.done} done, {ended.failed} failed, {took:.0f} s. {ended.message or ''}")
            if step == "import":
                prepare(store)
                checkpoints.register(store, POCKET_LLAVA)
                checkpoints.begin_round(store, POCKET_LLAVA.name)
    finally:
        jobs.shutdown()
        store.close()


def report(folder: Path) -> None:
    kinds = json.loads((folder / "kinds.json").read_text())
    with duckdb.connect(str(folder / "workspace" / "store.duckdb"), read_only=True) as store:
        rows = store.execute(
            "SELECT e.external_id, s.error_type, coalesce(s.cluster_id::TEXT, '-'), c.title, s.use FROM failure_state s "
            "JOIN example e USING (example_id) LEFT JOIN cluster c USING (cluster_id) WHERE s.round = 1"
        ).fetchall()
        _clusters([(kinds[identity], error_type, cluster, title, use) for identity, error_type, cluster, title, use in rows])
        _samples(
            [
                (kinds[identity], *rest)
                for identity, *rest in store.execute(
                    "SELECT e.external_id, s.question, s.contrast, t.status::TEXT, s.route::TEXT FROM sample s "
                    "JOIN sample_state t USING (sample_id) "
                    "JOIN failure f ON f.failure_id = s.failure_id JOIN example e ON e.example_id = f.example_id"
                ).fetchall()
            ]
        )
        answers = store.execute(
            "SELECT c.name, e.external_id, e.golds[1], p.strict FROM prediction p JOIN checkpoint c USING (checkpoint_id) "
            "JOIN example e USING (example_id) WHERE e.split = 'eval'"
        ).fetchall()
        _accuracy([(name, kinds[identity], gold, score) for name, identity, gold, score in answers])


def _clusters(rows: list[tuple]) -> None:
    placed = [row for row in rows if row[2] != "-"]
    print(f"\n{len(rows)} failures: {dict(Counter(row[4] for row in rows))}")
    if not placed:
        return
    from sklearn.metrics import adjusted_mutual_info_score

    members: dict[str, Counter[str]] = defaultdict(Counter)
    titles = {}
    for kind, error_type, cluster, title, _ in placed:
        members[cluster][kind] += 1
        titles[cluster] = f"{error_type}: {title}"
    purity = sum(max(found.values()) for found in members.values()) / len(placed)
    agreement = adjusted_mutual_info_score([row[0] for row in placed], [row[2] for row in placed])
    print(f"{len(members)} clusters of {len(placed)} failures: purity {purity:.3f}, adjusted mutual information {agreement:.3f}")
    for cluster, found in sorted(members.items(), key=lambda item: -item[1].total()):
        print(f"  {found.total():4} {titles[cluster]}: {', '.join(f'{kind} {count}' for kind, count in found.most_common(4))}")


def _samples(rows: list[tuple]) -> None:
    if not rows:
        return
    for what, chosen in (("generated", rows), ("approved", [row for row in rows if row[3] in ("approved", "auto_approved")])):
        aimed = [row for row in chosen if not row[2]]
        hits = Counter(row[0] for row in aimed if crowded_scenes.kind_of(row[1]) == row[0])
        asked = Counter(row[0] for row in aimed)
        share = sum(hits.values()) / max(len(aimed), 1)
        routes = dict(Counter(row[4] for row in chosen))
        print(f"{what}: {len(chosen)} samples {routes}, {len(chosen) - len(aimed)} contrasts")
        print(f"  {share:.3f} of the others practise the failed kind: ", end="")
        print(", ".join(f"{kind} {hits[kind]} of {asked[kind]}" for kind in crowded_scenes.KINDS))


def _accuracy(rows: list[tuple]) -> None:
    if not rows:
        return
    names = list(dict.fromkeys(row[0] for row in rows))
    golds = {kind: Counter(row[2] for row in rows if row[1] == kind and row[0] == names[0]) for kind in crowded_scenes.KINDS}
    print(f"\n{'kind':18}{'n':>5}{'majority':>10}" + "".join(f"{name:>14}" for name in names))
    for kind, counts in golds.items():
        scores = {name: [row[3] for row in rows if row[:2] == (name, kind)] for name in names}
        means = "".join(f"{sum(found) / max(len(found), 1):14.3f}" for found in scores.values())
        if not counts:
            continue
        print(f"{kind:18}{counts.total():5}{max(counts.values()) / counts.total():10.3f}{means}")
    whole = {name: [row[3] for row in rows if row[0] == name] for name in names}
    majority = sum(max(counts.values()) for counts in golds.values()) / sum(counts.total() for counts in golds.values())
    print(f"{'all':18}{len(whole[names[0]]):5}{majority:10.3f}" + "".join(f"{sum(v) / len(v):14.3f}" for v in whole.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--train", type=int, default=75, help="pictures to mine, each asked eight times")
    parser.add_argument("--eval", type=int, default=50, help="pictures to measure on")
    given = parser.parse_args()
    steps = given.steps.split(",")
    data = given.folder / "data"
    if not data.exists():
        data.mkdir(parents=True)
        (given.folder / "kinds.json").write_text(json.dumps(crowded_scenes.write(data, given.train, given.eval)))
    run(given.folder, [step for step in steps if step in STEPS])
    report(given.folder)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
