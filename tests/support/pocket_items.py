"""PocketVQA's questions as samples with right answers, for the tests of filters."""

from collections.abc import Iterable
from pathlib import Path

from curation.filtering.base import FilterInput
from data.images import ImageStore
from data.registry import DATASETS


def pocket_items(folder: Path, families: Iterable[str], count: int) -> tuple[ImageStore, list[FilterInput]]:
    """`count` dev questions of each family, and the store with their pictures."""
    store, items = ImageStore(folder), []
    for family in families:
        plugin = DATASETS.make("pocket_vqa", {"family": family, "train": 0, "dev": count, "eval": 0})
        about = plugin.about()
        for example in plugin.read():
            image = store.add(example.picture).sha256
            row = {"sample_id": len(items), "revision": 0, "answer": example.golds[0], "image": image, "image_path": str(store.path(image))}
            items.append(FilterInput.from_row(about.to_row() | example.to_row() | row | {"dataset": about.name}))
    return store, items
