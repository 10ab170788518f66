"""LightlyStudio's own server on as many samples, for benchmarks/load.py; run by the Python of its virtual environment.

    python benchmarks/peers/serve_lightly_studio.py FOLDER SAMPLES PORT

Prints one JSON line, {collection, approved, waiting, ids}, once its database is filled, and serves until it is stopped. A decision is
a tag there; those that wait have another tag, by which its pages filter.
"""

import json
import os
import sys
from pathlib import Path

os.environ["LIGHTLY_STUDIO_ANALYTICS_ENABLED"] = "false"

import lightly_studio
from lightly_studio import db_manager
from lightly_studio.api.server import Server
from lightly_studio.models.image import ImageCreate
from lightly_studio.models.tag import TagCreate
from lightly_studio.resolvers import image_resolver, tag_resolver

AT_ONCE = 5_000


def main(folder: Path, count: int, port: int) -> None:
    db_manager.connect(db_file=str(folder / "lightly.db"), cleanup_existing=True)
    collection = lightly_studio.ImageDataset.create("samples").collection_id
    session = db_manager.persistent_session()
    waiting, approved = (
        tag_resolver.create(session, TagCreate(name=name, collection_id=collection)).tag_id for name in ("waiting", "approved")
    )
    ids = []
    for start in range(0, count, AT_ONCE):
        made = [ImageCreate(file_name=f"{i}.png", width=256, height=256, file_path_abs=f"/pictures/{i}.png")
                for i in range(start, min(start + AT_ONCE, count))]  # fmt: skip
        ids += image_resolver.create_many(session=session, collection_id=collection, samples=made)
        tag_resolver.add_sample_ids_to_tag_id(session, waiting, ids[start:])
    server = Server(host="127.0.0.1", port=port)
    known = {"collection": str(collection), "approved": str(approved), "waiting": str(waiting), "ids": [str(each) for each in ids[:5_000]]}
    print(json.dumps(known), flush=True)
    server.create_uvicorn_server().run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
