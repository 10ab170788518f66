"""What a LoRA teaches pocket-llava: accuracy per kind before and after, with gold train examples in place of approved samples.

    python -m benchmarks.finetune_pocket --kinds negation/existence,counting/3 --golds 300

Kinds are those that the baseline fails on unless named. Replay is drawn from train examples that it answers right.
"""

import argparse
import json
import random
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from curation.training import replay
from data.metrics import score
from data.question_text import full_text
from data.records import Ask, Checkpoint
from data.registry import BASELINES, DATASETS
from models.finetune import RECIPES, RunSpec, finetune, write_rows

SOURCES = [("easy_vqa", {}), *(("pocket_vqa", {"family": family}) for family in ("photo", "chart", "quiz", "knowledge"))]
FAILING = 0.6  # accuracy below which a kind counts as failed


def read(folder: Path, per_kind: int) -> list[dict]:
    """Train examples, and at most `per_kind` eval examples a kind, with their pictures in the folder."""
    rows, seen = [], defaultdict(int)
    for plugin, options in SOURCES:
        dataset = DATASETS.make(plugin, options)
        about = dataset.about()
        for example in dataset.read():
            kind = f"{about.name} {example.kind}"
            seen[kind, example.split] += 1
            if example.split == "eval" and seen[kind, "eval"] > per_kind:
                continue
            path = folder / f"{about.name}-{example.split}-{example.external_id}.png".replace("/", "_")
            path.write_bytes(example.picture if isinstance(example.picture, bytes) else example.picture.read_bytes())
            text = full_text(example.question, example.choices, about.prompt_suffix)
            rows.append({"kind": kind, "split": example.split, "image_path": str(path), "text": text, "question": example.question,
                         "dataset": about.name,
                         "metric": about.metric, "golds": example.golds, "choices": example.choices})  # fmt: skip
    return rows


def accuracies(rows: list[dict], options: dict) -> tuple[dict[str, float], list[bool]]:
    """Accuracy per kind, and which rows were right."""
    answers = BASELINES.make("llava", options).answer([Ask(str(i), r["text"], r["image_path"]) for i, r in enumerate(rows)])
    right = [score(r["metric"], a, r["golds"], r["choices"]).strict >= 0.5 for r, a in zip(rows, answers)]
    kinds = defaultdict(list)
    for row, ok in zip(rows, right):
        kinds[row["kind"]].append(ok)
    return {kind: sum(oks) / len(oks) for kind, oks in sorted(kinds.items())}, right


def mix(train: list[dict], right: list[bool], taught: list[str], golds: int, replay_share: float, rng: random.Random) -> list[dict]:
    """`golds` examples of each taught kind, and replay of what was answered right, chosen as the product does."""
    chosen = []
    for kind in taught:
        of_kind = [row for row in train if row["kind"] == kind]
        chosen += [("sample", row) for row in rng.sample(of_kind, min(golds, len(of_kind)))]
    known = [row for row, ok in zip(train, right) if ok and row["kind"] not in taught]
    wanted = round(len(chosen) * replay_share / (1 - replay_share))
    examples = [
        replay.KnownExample(i, row["image_path"], row["question"], (), tuple(row["golds"]), "", row["dataset"], row["kind"])
        for i, row in enumerate(known)
    ]
    chosen += [("replay", known[example.example_id]) for example in replay.choose([row["question"] for _, row in chosen], examples, wanted)]
    rng.shuffle(chosen)
    return [{"source": source, "id": str(i), "image_path": row["image_path"], "text": row["text"], "answer": row["golds"][0]}
            for i, (source, row) in enumerate(chosen)]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="", help="kinds to teach together, by commas; a part of the name is enough")
    parser.add_argument("--golds", type=int, default=300, help="examples of each")
    parser.add_argument("--replay", type=float, default=0.75, help="share of the mix")
    parser.add_argument("--per-kind", type=int, default=100, help="eval examples of each kind")
    parser.add_argument("--recipe", default="{}", help="changes to the recipe pocket, as JSON")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = read(folder, arguments.per_kind)
        train, held_out = ([row for row in rows if row["split"] == split] for split in ("train", "eval"))
        base = {"model": "pocket-llava"}
        _, right = accuracies(train, base)
        before, _ = accuracies(held_out, base)
        wanted = [part for part in arguments.kinds.split(",") if part]
        taught = [k for k, value in before.items() if (any(part in k for part in wanted) if wanted else value < FAILING)]
        recipe = RECIPES["pocket"].model_copy(update=json.loads(arguments.recipe))
        run = folder / "run"
        RunSpec(checkpoint=Checkpoint("base", "llava", "pocket-llava"), recipe=recipe, seed=arguments.seed).write(run)
        chosen = mix(train, right, taught, arguments.golds, arguments.replay, random.Random(arguments.seed))
        write_rows(run / "train.parquet", chosen)
        write_rows(run / "dev.parquet", [])
        started, cpu = time.time(), time.process_time()
        events: list[dict] = []
        adapter = finetune(run, events.append, lambda: False)
        speeds = sorted(event["samples_per_s"] for event in events if "samples_per_s" in event)
        print(f"{len(chosen)} rows, {events[-1]['total']} steps: {time.time() - started:.0f} s, {time.process_time() - cpu:.0f} s of CPU; "
              f"median {speeds[len(speeds) // 2]} samples/s; {recipe!r}")  # fmt: skip
        after, _ = accuracies(held_out, {**base, "adapter": str(adapter)})
        for kind in before:
            mark = "taught" if kind in taught else ""
            print(f"{kind:42} {before[kind]:.3f} -> {after[kind]:.3f} {after[kind] - before[kind]:+.3f} {mark}")


if __name__ == "__main__":
    main()
