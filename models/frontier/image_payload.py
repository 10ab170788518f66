"""Images as data URLs. A file goes out as it is unless it is too large, turned by EXIF, or of a kind that the APIs don't take."""

import base64
import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from data.errors import MistakebookError
from data.images import read

_TAKEN = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
_ORIENTATION = 0x0112  # EXIF tag


class BadImage(MistakebookError):
    """An image that can't be read or decoded; names the file."""


@dataclass(frozen=True)
class Picture:
    """An image file of a request."""

    path: str
    sha256: str  # of the file, so that a key doesn't depend on how it is re-encoded
    width: int  # pixels, as sent
    height: int


class Pictures:
    """Reads, hashes and encodes image files; used from several threads. Keeps the last encoded ones, up to `keep_bytes`."""

    def __init__(self, max_pixels: int, keep_bytes: int = 32 << 20):
        self._max_pixels = max_pixels
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int, int], Picture] = OrderedDict()
        self._encoded: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def describe(self, path: str) -> Picture:
        """Hash and size. Raises BadImage."""
        try:
            status = Path(path).stat()
            mark = (path, status.st_mtime_ns, status.st_size)
            if mark in self._known:
                return self._known[mark]
            data = read(Path(path))
            with Image.open(io.BytesIO(data)) as image:
                width, height = _fitted(image, self._max_pixels)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
            raise _bad(path, error) from error
        picture = Picture(path, hashlib.sha256(data).hexdigest(), width, height)
        with self._lock:
            self._known[mark] = picture
            if len(self._known) > 10_000:
                self._known.popitem(last=False)
        return picture

    def data_url(self, picture: Picture) -> str:
        """Raises BadImage if the file can't be decoded, or isn't what it was when it was described."""
        with self._lock:
            if picture.sha256 in self._encoded:
                self._encoded.move_to_end(picture.sha256)
                return self._encoded[picture.sha256]
        try:
            data = read(Path(picture.path))
            if hashlib.sha256(data).hexdigest() != picture.sha256:
                raise ValueError("the file changed while its request was waiting; retry the row")
            url = _encode(data, self._max_pixels)
        except (OSError, Image.DecompressionBombError, ValueError) as error:
            raise _bad(picture.path, error) from error
        with self._lock:
            if picture.sha256 not in self._encoded:
                self._encoded[picture.sha256] = url
                self._bytes += len(url)
            while self._bytes > self._keep_bytes and len(self._encoded) > 1:
                self._bytes -= len(self._encoded.popitem(last=False)[1])
        return url


def _bad(path: str, error: Exception) -> BadImage:
    return BadImage(f"image {path}: {getattr(error, 'strerror', None) or error}")


def _fitted(image: Image.Image, max_pixels: int) -> tuple[int, int]:
    width, height = image.size
    if image.getexif().get(_ORIENTATION, 1) >= 5:  # a quarter turn
        width, height = height, width
    shrink = min(1.0, (max_pixels / (width * height)) ** 0.5)
    return max(1, int(width * shrink)), max(1, int(height * shrink))


def _encode(data: bytes, max_pixels: int) -> str:
    with Image.open(io.BytesIO(data)) as image:
        kind = image.format or ""
        as_it_is = kind in _TAKEN and image.getexif().get(_ORIENTATION, 1) == 1 and not getattr(image, "is_animated", False)
        if not as_it_is or image.width * image.height > max_pixels:
            size = _fitted(image, max_pixels)
            kind = "JPEG" if kind in ("JPEG", "MPO") else "PNG"
            turned = ImageOps.exif_transpose(image)
            if kind == "JPEG" or turned.mode not in ("L", "LA", "RGB", "RGBA"):
                turned = turned.convert("RGBA" if "transparency" in turned.info and kind == "PNG" else "RGB")
            if turned.size != size:
                turned = turned.resize(size, Image.Resampling.LANCZOS)
            turned.info.pop("exif", None)
            buffer = io.BytesIO()
            turned.save(buffer, kind, **({"quality": 92} if kind == "JPEG" else {}))
            data = buffer.getvalue()
    return f"data:{_TAKEN[kind]};base64,{base64.b64encode(data).decode()}"
