"""leakage and duplicate at the paper's scale: every sample against every eval example, and against all other samples.

    python -m benchmarks.filters --samples 553992 --eval 20000 --json
    python -m benchmarks.filters --folder /tmp/filters-data             # keeps pictures and tables for the next time

Pictures are drawn scenes of 256 pixels; questions fit their pictures. Planted among the samples: copies of eval items with the very same
picture, and with a picture that was compressed again; and the same of earlier samples. Each filter runs in a process of its own, as the
stage hands samples to it. The last line is JSON.
"""

import argparse
import io
import json
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.parts.machine import machine, peak_mb
from benchmarks.parts.pool import Pool, make_pool, openings
from curation.filtering.base import FilterContext, FilterInput, passes
from curation.stage import API_BATCH
from data.images import ImageStore, image_row
from data.registry import FILTERS

SAMPLES, EVAL, PICTURES = 553_992, 20_000, 20_000
PLANTED = 1_000  # of each sort, at most a twentieth of the samples
REWORDED = 0.5  # the share of questions that begin with half a sentence of their own
AIM_S, AIM_MB = 180, 2048


def make(folder: Path, samples: int, examples: int, pictures: int, seed: int = 7) -> None:
    """Writes images, samples.parquet and eval.parquet; in `planted` stands what was planted in a row, else an empty text."""
    rng = np.random.default_rng(seed)
    planted = min(PLANTED, samples // 80)
    images = ImageStore(folder / "images")
    of_eval = make_pool(images.root, max(24, pictures // 4), seed + 1)
    of_samples = make_pool(images.root, max(24, pictures), seed)
    table = {"example_id": np.arange(examples), **_rows(of_eval, examples, rng)}
    pq.write_table(_table(table), folder / "eval.parquet")

    mine = _rows(of_samples, samples, rng)
    mine["planted"] = np.full(samples, "", object)
    places = rng.choice(np.arange(samples // 2, samples), 4 * planted, replace=False).reshape(4, planted)
    for sort, into, source in zip(("leak", "leaking copy", "duplicate", "copied duplicate"), places, (table, table, mine, mine)):
        taken = rng.integers(0, min(len(source["question"]), samples // 2), planted)
        for column in ("question", "answer", "image", "phash"):
            mine[column][into] = source[column][taken]
        mine["planted"][into] = sort
        if "cop" in sort:
            for place in into.tolist():
                mine["image"][place], mine["phash"][place] = _compressed(images, mine["image"][place])
    pq.write_table(_table({"sample_id": np.arange(samples), **mine}), folder / "samples.parquet")


def _rows(pool: Pool, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    row = rng.integers(0, len(pool.question), count)
    own = rng.random(count) < REWORDED
    question = np.where(own, openings(count, rng) + ", " + pool.question[row], pool.question[row])
    images = np.array([image["image"] for image in pool.images], object)
    hashes = np.array([image["phash"] for image in pool.images], np.uint64)
    return {"image": images[pool.scene[row]], "phash": hashes[pool.scene[row]], "question": question, "answer": pool.gold[row]}


def _compressed(images: ImageStore, image: str) -> tuple[str, int]:
    buffer = io.BytesIO()
    images.open(image).save(buffer, "JPEG", quality=85)
    row = image_row(images.add(buffer.getvalue()))
    return row["image"], row["phash"]


def _table(columns: dict[str, np.ndarray]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.uint64() if name == "phash" else None) for name, values in columns.items()})


def run(folder: Path, name: str, results: multiprocessing.Queue) -> None:
    """Judges all samples by one filter, in a process of its own."""
    begun, cpu = time.monotonic(), time.process_time()
    plugin = FILTERS.make(name)
    plugin.setup(FilterContext(folder / "images", samples_parquet=folder / "samples.parquet", eval_parquet=folder / "eval.parquet"))
    ready = time.monotonic()
    columns = ["sample_id", "image", "phash", "question", "answer"]
    table = pq.read_table(folder / "samples.parquet", columns=[*columns, "planted"]).sort_by(
        [("image", "ascending"), ("sample_id", "ascending")]
    )
    shared = {"revision": 0, "dataset": "d", "metric": "exact_match", "answer_form": "one word"}
    failing, caught, judged = 0, dict.fromkeys(("leak", "leaking copy", "duplicate", "copied duplicate"), 0), 0
    for batch in table.to_batches(API_BATCH):
        rows = {row["sample_id"]: row for row in batch.to_pylist()}
        for verdict in plugin([FilterInput.from_row({**shared, **row}) for row in rows.values()]):
            judged += verdict.score is not None
            if not passes(verdict.score, plugin.threshold, plugin.comparison):
                failing += 1
                if planted := rows[verdict.sample_id]["planted"]:
                    caught[planted] += 1
    results.put(
        {
            "seconds": round(time.monotonic() - begun, 1),
            "setup_s": round(ready - begun, 1),
            "cpu_s": round(time.process_time() - cpu, 1),
            "peak_mb": round(peak_mb()),
            "judged": judged,
            "failing": failing,
            "caught": caught,
        }
    )


def measure(folder: Path, samples: int, examples: int, pictures: int) -> dict[str, Any]:
    """Makes the data where it is missing, runs both filters one after the other."""
    about = folder / "about.json"
    wanted = {"samples": samples, "eval": examples, "pictures": pictures}
    if not about.exists() or json.loads(about.read_text()) != wanted:
        make(folder, samples, examples, pictures)
        about.write_text(json.dumps(wanted))
    planted = dict(
        zip(*np.unique(pq.read_table(folder / "samples.parquet", columns=["planted"])["planted"].to_pylist(), return_counts=True))
    )
    figures: dict[str, Any] = {**wanted, "planted": {name: int(count) for name, count in planted.items() if name}}
    results = multiprocessing.get_context("spawn").Queue()
    for name in ("leakage", "duplicate"):
        process = multiprocessing.get_context("spawn").Process(target=run, args=(folder, name, results))
        process.start()
        figures[name] = results.get()
        process.join()
    return figures | {"seconds": round(sum(figures[name]["seconds"] for name in ("leakage", "duplicate")), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--eval", type=int, default=EVAL, help="examples of eval splits")
    parser.add_argument(
        "--pictures", type=int, default=PICTURES, help="different pictures of the samples; the eval split has a quarter as many"
    )
    parser.add_argument("--folder", type=Path, help="where pictures and tables are kept; a temporary folder otherwise")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(folder, asked.samples, asked.eval, asked.pictures) | {"machine": machine()}
    if not asked.json:
        print(_in_words(figures))
    print(json.dumps(figures))


def _in_words(found: dict[str, Any]) -> str:
    lines = [f"{found['samples']:,} samples on {found['pictures']:,} pictures, {found['eval']:,} eval examples"]
    for name in ("leakage", "duplicate"):
        row = found[name]
        took = f"{row['seconds']:7.1f} s  {row['cpu_s']:7.1f} s CPU  {row['peak_mb']:6,} MB"
        lines.append(f"{name:10} {took}  {row['failing']:,} fail, of the planted {row['caught']}")
    worst = max(found[name]["peak_mb"] for name in ("leakage", "duplicate"))
    return "\n".join([*lines, f"together {found['seconds']} s (aim {AIM_S}), {worst:,} MB at most (aim {AIM_MB:,})", str(found["machine"])])


if __name__ == "__main__":
    main()
