"""Where a list's pictures lie: people name them by paths that fit their own machine, or by file name alone."""

import io
import os
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from PIL import Image

from data.bounded_reading import still_wanted
from data.datasets._reading import Unusable

SHOWN = 80  # characters of a name in its error
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")


class Pictures:
    """The pictures below a folder. A name is looked for where it says, then in `places`, then by its file name anywhere in the folder."""

    def __init__(self, root: Path, places: tuple[str, ...] = ()) -> None:
        self.root, self.places = root, places
        self._real = os.path.realpath(root)
        self._by_name: dict[str, list[str]] | None = None
        self._sound: dict[str, bool] = {}  # by folder: whether it lies inside, links followed

    def find(self, name: str, *places: str) -> Path:
        """The path of a picture; one that isn't there is where it should be, and is missed when it is kept. Raises Unusable.

        `places`: folders to look in first. Absolute paths, file: addresses, percent-encoded names and ".." are taken where they lead
        into the folder.
        By file name alone it is found where the name has no folder: else `b/1.jpg` would stand for a missing `a/1.jpg`.
        """
        for spelled in dict.fromkeys((name, unquote(name))):  # p%2F6.png is p/6.png, unless a file has that very name
            inside = self._inside(spelled)
            for place in (*places, "", *self.places):
                if self._is_there(candidate := self.root / place / inside):
                    return self._allowed(candidate, name)
            if found := self._anywhere(inside):
                return self._allowed(self.root / found, name)
        return self.root / (places[0] if places else "") / self._inside(name)

    def _inside(self, name: str) -> PurePosixPath:
        """The name as a path below the folder."""
        if name.startswith("file:"):
            name = unquote(urlsplit(name).path)
        if "://" in name or name.startswith("data:"):
            raise Unusable(
                f"image {name[:SHOWN]!r} is a web address; images are not downloaded: save the file beside the list and name that"
            )
        if "\0" in name:
            raise Unusable(f"image {name[:SHOWN]!r} is no name of a file; correct it")
        path = os.path.normpath(name.replace("\\", "/"))
        if path.startswith("/"):
            for root in (str(self.root.absolute()), self._real):
                if path.startswith(root.rstrip("/") + "/"):
                    return PurePosixPath(os.path.relpath(path, root))
        if path.startswith(("/", "..")):
            raise Unusable(
                f"image {name[:SHOWN]!r} is outside {self.root}; give a path in that folder, or name its folder by the option images"
            )
        return PurePosixPath(path)

    def _allowed(self, path: Path, name: str) -> Path:
        """The path, unless a link leads out of the folder."""
        folder = str(path.parent)
        if folder not in self._sound:
            self._sound[folder] = self._holds(os.path.realpath(folder))
        if self._sound[folder] and not (path.is_symlink() and not self._holds(os.path.realpath(path))):
            return path
        raise Unusable(
            f"image {name[:SHOWN]!r} is a symbolic link that leaves {self.root}; copy the file there, or name its folder by images"
        )

    def _holds(self, real: str) -> bool:
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")

    def _is_there(self, path: Path) -> bool:
        try:
            return path.exists()
        except (OSError, ValueError):  # a name that is too long
            return False

    def _anywhere(self, inside: PurePosixPath) -> str | None:
        """The one file of that name below the folder, or the one whose folders are most alike; a name may be composed or decomposed."""
        if self._by_name is None:
            self._by_name = {}
            for folder, folders, files in os.walk(self.root):
                still_wanted()
                folders[:] = sorted(one for one in folders if not one.startswith((".", "__MACOSX")))
                for file in files:
                    if file.lower().endswith(ENDINGS) and not file.startswith("._"):
                        self._by_name.setdefault(_form(file), []).append(str(Path(folder, file).relative_to(self.root)))
        found = self._by_name.get(_form(inside.name), [])
        alike = [_alike(path, str(inside)) for path in found]
        best = max(alike, default=0)
        return found[alike.index(best)] if alike.count(best) == 1 and best >= min(2, len(inside.parts)) else None


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _alike(path: str, wanted: str) -> int:
    """How many parts of two paths are the same, from their end."""
    same = 0
    for one, other in zip(reversed(path.split("/")), reversed(wanted.split("/"))):
        if _form(one) != _form(other):
            break
        same += 1
    return same


def white(side: int = 336) -> bytes:
    """A white picture, for a question without one that is kept on request: the bytes of a PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(buffer, "PNG")
    return buffer.getvalue()
