"""LightlyStudio's own functions on the same work, run by the Python of its virtual environment (benchmarks/parts/peers.py).

    python benchmarks/peers/with_lightly_studio.py WORK_FOLDER

WORK_FOLDER holds samples.parquet (status, error_type) and a folder `pictures`; the result is printed as JSON. What people decided is a
tag there, and a facet's value too, since tags are what its pages filter by: a page is one call of the resolver behind its grid, facet
counts are one filtered count a tag, a decision adds a tag to a sample, a bulk decision adds one to many.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["LIGHTLY_STUDIO_ANALYTICS_ENABLED"] = "false"

import lightly_studio
import pyarrow.parquet as pq
from lightly_studio import db_manager
from lightly_studio.api.routes.api.validators import Paginated
from lightly_studio.models.image import ImageCreate
from lightly_studio.models.tag import TagCreate
from lightly_studio.resolvers import image_resolver, sample_resolver, tag_resolver
from lightly_studio.resolvers.image_filter import ImageFilter
from lightly_studio.resolvers.sample_resolver.sample_filter import SampleFilter

AT_ONCE = 5_000


def p95(work, times: int) -> float:
    """Milliseconds."""
    taken = []
    for number in range(times):
        started = time.perf_counter()
        work(number)
        taken.append(1000 * (time.perf_counter() - started))
    return round(sorted(taken)[min(times - 1, int(0.95 * times))], 1)


def main(folder: Path) -> dict:
    rows = pq.read_table(folder / "samples.parquet").to_pylist()
    db_manager.connect(db_file=str(folder / "lightly.db"), cleanup_existing=True)
    pictures = len(list((folder / "pictures").iterdir()))
    imported = lightly_studio.ImageDataset.create("imported")
    started = time.perf_counter()
    imported.add_images_from_path(folder / "pictures", embed=False)
    import_ms = 1000 * (time.perf_counter() - started)

    dataset = lightly_studio.ImageDataset.create("samples")
    session, collection = db_manager.persistent_session(), dataset.collection_id
    ids = []
    for start in range(0, len(rows), AT_ONCE):
        made = [ImageCreate(file_name=f"{i}.png", width=256, height=256, file_path_abs=f"/pictures/{i}.png")
                for i in range(start, min(start + AT_ONCE, len(rows)))]  # fmt: skip
        ids += image_resolver.create_many(session=session, collection_id=collection, samples=made)
    tags = {}
    for field in ("status", "error_type"):
        for value in sorted({row[field] for row in rows}):
            tag = tag_resolver.create(session, TagCreate(name=f"{field} {value}", collection_id=collection))
            mine = [identity for identity, row in zip(ids, rows) if row[field] == value]
            for start in range(0, len(mine), AT_ONCE):
                tag_resolver.add_sample_ids_to_tag_id(session, tag.tag_id, mine[start : start + AT_ONCE])
            tags[tag.name] = tag.tag_id
    approved = tag_resolver.create(session, TagCreate(name="decided: approve", collection_id=collection)).tag_id
    many = tag_resolver.create(session, TagCreate(name="decided in bulk", collection_id=collection)).tag_id
    of_tag = list(tags.values())

    def look(offset: int, limit: int, tag_ids: list) -> int:
        filters = ImageFilter(sample_filter=SampleFilter(tag_ids=tag_ids)) if tag_ids else None
        return image_resolver.get_all_by_collection_id(session, collection, Paginated(offset=offset, limit=limit), filters).total_count

    def decide(number: int) -> None:
        tag_resolver.add_tag_to_sample(session, approved, sample_resolver.get_by_id(session, ids[7 * number]))

    bulk = ids[: min(50_000, len(ids))]
    started = time.perf_counter()
    tag_resolver.add_sample_ids_to_tag_id(session, many, bulk)
    bulk_ms = 1000 * (time.perf_counter() - started)
    return {
        "samples": len(rows),
        "version": "1.2.0",
        "p95_ms": {
            "page": p95(lambda n: look(0, 60, [of_tag[n % len(of_tag)]]), 20),
            "jump": p95(lambda n: look((n + 1) * len(rows) // 22, 60, []), 10),
            "facets": p95(lambda n: [look(0, 1, [tag]) for tag in of_tag], 5),
            "decision": p95(
                lambda n: tag_resolver.add_tag_to_sample(session, approved, sample_resolver.get_by_id(session, ids[7 * n])), 30
            ),
            "bulk": round(bulk_ms, 1),
            "import": round(import_ms, 1),
        },
        "bulk_rows": len(bulk),
        "import_rows": pictures,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
