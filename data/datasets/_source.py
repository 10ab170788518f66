"""A folder or file of somebody's, looked at before it is known what it holds: its files, and what their beginnings show."""

import os
import re
from functools import cached_property
from pathlib import Path

from data.bounded_reading import still_wanted
from data.datasets._reading import Unusable
from data.json_text import BadFile, Peek, peek

DEPTH = 4  # folders below the one that is named
MANY = 300  # files of one kind in one folder: one a picture (OCR, tables), none of them a list
ANNOTATION_FOLDERS = ("annotations", "annotation", "questions", "qas", "spdocvqa_qas", "infographicsvqa_qas")  # pictures lie beside them
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "dev",
    "testdev": "testdev",
    "test": "test",
    "testing": "test",
    "eval": "eval",
    "evaluation": "eval",
    "challenge": "challenge",
    "submission": "submission",
    "restval": "train",
    "testmini": "test",
}


class Source:
    """What lies at a path. `root` is the folder that pictures are looked for in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._peeks: dict[Path, Peek] = {}

    @property
    def is_folder(self) -> bool:
        return self.path.is_dir()

    @property
    def root(self) -> Path:
        if self.is_folder:
            return self.path
        folder = self.path.parent
        return folder.parent if folder.name.lower() in ANNOTATION_FOLDERS else folder

    @cached_property
    def files(self) -> list[Path]:
        """The regular files, less pictures and what systems leave (hidden files, __MACOSX); one that is a pipe or device is refused."""
        if not self.is_folder:
            return [self.path] if self.path.exists() else []
        found: list[Path] = []
        top = str(self.path)
        for folder, folders, names in os.walk(top):
            still_wanted()
            deep = folder[len(top) :].count(os.sep)
            folders[:] = sorted(one for one in folders if not one.startswith((".", "__MACOSX"))) if deep < DEPTH else []
            by_ending: dict[str, list[Path]] = {}
            for name in sorted(names):
                if not name.startswith("."):
                    by_ending.setdefault(Path(name).suffix.lower(), []).append(Path(folder, name))
            found += [path for ending in by_ending.values() if len(ending) <= MANY or ending[0].suffix == ".tar" for path in ending]
        return found

    def ending(self, *endings: str) -> list[Path]:
        """The files with one of these endings, as ".json", in their order."""
        return [path for path in self.files if path.name.lower().endswith(endings)]

    def peek(self, path: Path) -> Peek:
        """What the beginning of a JSON file shows; an empty Peek where it can't be read."""
        if path not in self._peeks:
            try:
                self._peeks[path] = peek(path)
            except BadFile:
                self._peeks[path] = Peek()
        return self._peeks[path]

    def named(self, path: Path) -> str:
        """A file's path as people see it: below the folder that they named."""
        return str(path.relative_to(self.path)) if self.is_folder and path != self.path else path.name

    def official(self, path: Path) -> str | None:
        """The split that a file's name, or a folder's above it, tells: a value of SPLIT_WORDS."""
        parts = [path.name, *(parent.name for parent in path.parents if self.is_folder and self.path in parent.parents)]
        return next((split for part in parts if (split := split_word(part))), None)


def split_word(text: str) -> str | None:
    """The split that a name tells.

    >>> split_word("v2_OpenEnded_mscoco_test-dev2015_questions.json"), split_word("TextVQA_0.5.1_train.json"), split_word("photos")
    ('testdev', 'train', None)
    """
    cleaned = re.sub(r"test[-_]dev", "testdev", text.lower())
    for word in re.findall(r"[a-z]+", cleaned):
        if word in SPLIT_WORDS:
            return SPLIT_WORDS[word]
    return None


def none_found(source: Source, what: str, expected: str) -> Unusable:
    """Why a folder is not what its format expects; names what is still packed."""
    packed = [source.named(path) for path in source.ending(".zip", ".tar.gz", ".tgz", ".7z", ".rar")][:5]
    if not source.path.exists():
        return Unusable(f"can't be read (No such file or directory); expected {expected}: check the path")
    hint = f"; unpack {', '.join(packed)} first" if packed else ""
    return Unusable(f"no {what} in it, expected {expected}{hint}")
