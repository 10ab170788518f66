"""COCO captions (Chen et al., arXiv 1504.00325), by COCO's files or in Karpathy's splits; an example is a picture with all its captions.

The files as they are unpacked: annotations/captions_{train,val}{2014,2017}.json and the pictures in train2014/ and so on; val is measured.
Or dataset_coco.json (also dataset_flickr30k.json and dataset_flickr8k.json), where test is measured and val steers. A real file, shortened:

{"images": [{"file_name": "COCO_val2014_000000391895.jpg", "id": 391895, ...}],
 "annotations": [{"image_id": 391895, "id": 770337, "caption": "A man with a red helmet on a small moped on a dirt road."}, ...]}
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from data.datasets._folders import BenchmarkFolder, Read
from data.datasets._lists import REQUEST
from data.datasets._reading import NO_ANSWERS, FolderOptions, LeftOut, Unusable, benchmark, identifier, member, text
from data.datasets._source import SPLIT_WORDS, Source
from data.json_text import Flawed, Peek, elements
from data.records import SourceExample

FOLDERS = {"train": "train2014", "restval": "val2014", "val": "val2014", "test": "val2014"}


class CocoCaptions(BenchmarkFolder):
    class Options(FolderOptions):
        question: str = Field(default=REQUEST, description="What is asked of each picture.")

    options: Options
    usual = benchmark("coco-captions", "COCO captions", "coco_captions", "cider", "Chen et al. 2015, arXiv 1504.00325", "CC BY 4.0")
    expected = "captions_…json with images and annotations that have a caption, or Karpathy's dataset_coco.json"
    test_has_answers = True

    @classmethod
    def claims(cls, path: Path, seen: Peek) -> bool:
        image, caption = seen.lists.get("images"), seen.lists.get("annotations")
        if not isinstance(image, dict):
            return False
        if _is_karpathy(image):
            return True
        captioned = "caption" in caption if isinstance(caption, dict) else caption is None and "captions" in path.name
        return "file_name" in image and captioned

    @classmethod
    def official(cls, source: Source, path: Path) -> str:
        image = source.peek(path).lists.get("images")
        return "all" if isinstance(image, dict) and _is_karpathy(image) else super().official(source, path)

    def items(self, path: Path) -> Iterator[Read]:
        karpathy = self.official(self.source, path) == "all"
        self.has_test = self.has_test or karpathy
        self.officials |= {"val"} if karpathy else set()
        captions: dict[Any, list[str]] = {}
        if not karpathy:
            for _, one in elements(path, "annotations"):
                if isinstance(one, dict) and isinstance(one.get("caption"), str) and isinstance(one.get("image_id"), int | str):
                    captions.setdefault(one["image_id"], []).append(one["caption"].strip())
        for number, (line, image) in enumerate(elements(path, "images"), 1):
            source = f"{path}:{line}, item {number}"
            if isinstance(image, Flawed):
                yield source, image
                continue
            known = image.get("id") if isinstance(image, dict) else None
            yield source, (image, captions.get(known, []) if isinstance(known, int | str) else [])

    def example(self, item: Any, official: str) -> SourceExample:
        image, captions = item
        if official == "all":
            return self._karpathy(image)
        name = text(image, "file_name")
        folder = next((part for part in name.split("_") if part in FOLDERS.values()), f"{official}2017")
        return self._captioned(identifier(image, "id"), official, captions, self.pictures.find(name, folder, f"images/{folder}"), name)

    def _karpathy(self, image: Any) -> SourceExample:
        told, name = text(image, "split"), text(image, "filename")
        if told not in SPLIT_WORDS:
            raise Unusable(f"split {told[:80]!r} is unknown, expected train, restval, val or test; correct it")
        captions = [text(sentence, "raw") for sentence in member(image, "sentences", list)]
        folder = image["filepath"] if isinstance(image.get("filepath"), str) else ""
        number = identifier(image, "cocoid" if "cocoid" in image else "imgid")
        picture = self.pictures.find(name, *([folder] if folder else []), "images", "flickr30k-images")
        return self._captioned(number, SPLIT_WORDS[told], captions, picture, name)

    def _captioned(self, number: str, official: str, captions: list[str], picture: Path, name: str) -> SourceExample:
        if not (golds := tuple(filter(None, captions))):
            raise LeftOut(NO_ANSWERS)
        return SourceExample(number, self.split(official, name), self.options.question, golds, picture)


def _is_karpathy(image: dict[str, Any]) -> bool:
    return "sentences" in image and "filename" in image
