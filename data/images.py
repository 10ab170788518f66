"""Pictures, kept once each under the SHA-256 of their bytes; decoded with limits, and shrunk on demand.

root/ab/cdef….png                   the bytes as they came, for image "abcdef…"
root/ab/cdef….ref                   or where they lie, {"path": …}, for a picture that is referenced instead of copied
root/thumbnails/256/ab/cdef….jpg    made when first asked for; may be deleted at any time
"""

import hashlib
import io
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps

from data import bounded_reading
from data.errors import MistakebookError
from data.files import write_whole
from data.records import Record

MAX_BYTES = 50 * 2**20
MAX_PIXELS = 64_000_000
EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif", "BMP": "bmp"}
CONVERTED = ("TIFF", "AVIF")  # kept as PNG of their first frame: browsers and processors of models don't read them all
THUMBNAIL_SIZES = (96, 256, 1024)  # pixels of the longer side
REFERENCE = ".ref"  # ending of a file that names a picture elsewhere
HASH_SIDE = 8  # a perceptual hash has HASH_SIDE ** 2 bits
_PHASH_INPUT = 32  # pixels of the grey square that the hash is computed from
ThumbnailSize = Literal[96, 256, 1024]  # pixels of the longer side


class BadImage(MistakebookError):
    """A picture that can't be used; the message names its source, what was found and what to do."""


class MovedPicture(BadImage, FileNotFoundError):
    """A picture that is referenced and is no longer where it was, or has changed."""


@dataclass(frozen=True)
class ImageInfo(Record):
    """`phash` lies below 2 ** 63; width and height are as displayed, in pixels."""

    sha256: str
    mime: str
    width: int
    height: int
    bytes: int
    phash: int


class ImageStore:
    """The pictures of a workspace. Adding the same bytes twice keeps one file; several processes may add at once."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def add(self, source: bytes | Path, name: str | None = None, durable: bool = True) -> ImageInfo:
        """Checks a picture and keeps its bytes. Raises BadImage; `name` is what its message calls raw bytes.

        Where many are added, `durable=False` spares waiting for the disk each time: call `settle` before relying on them.
        """
        content, name = _content(source, name)
        picture, kind = _decoded(content, name)
        if kind in CONVERTED:
            content, kind = png_bytes(picture), "PNG"
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.root / sha256[:2] / f"{sha256[2:]}.{EXTENSIONS[kind]}"
        if not _holds(target, len(content)):
            write_whole(target, content, durable=durable)
        return ImageInfo(sha256, Image.MIME[kind], picture.width, picture.height, len(content), phash(picture))

    @staticmethod
    def name_of(source: bytes | Path) -> str:
        """What a picture is called in the store, SHA-256 of its bytes; it need not be there. Raises BadImage."""
        return hashlib.sha256(_content(source, None)[0]).hexdigest()

    def refer(self, source: Path, durable: bool = True) -> ImageInfo:
        """As `add`, but the bytes stay where they are: only their absolute path is kept. Each use holds them against their hash.

        What would be kept as PNG (CONVERTED) is copied. Raises BadImage.
        """
        content, name = _content(source, None)
        picture, kind = _decoded(content, name)
        if kind in CONVERTED:
            return self.add(source, durable=durable)
        sha256 = hashlib.sha256(content).hexdigest()
        told = json.dumps({"path": os.path.realpath(source)}, ensure_ascii=True)
        write_whole(self.root / sha256[:2] / f"{sha256[2:]}{REFERENCE}", told, durable=durable)
        return ImageInfo(sha256, Image.MIME[kind], picture.width, picture.height, len(content), phash(picture))

    def settle(self) -> None:
        """Waits until all that was added is on disk."""
        os.sync()

    def path(self, sha256: str) -> Path:
        """The file that stands for a picture: its bytes, or a reference, which `load` and `read` follow. Raises FileNotFoundError if it was
        never added."""
        stem = self.root / sha256[:2] / sha256[2:]
        for extension in (*(f".{extension}" for extension in EXTENSIONS.values()), REFERENCE):
            if (file := stem.with_suffix(extension)).exists():
                return file
        raise FileNotFoundError(f"image {sha256} is missing from {self.root}; import its dataset again or restore a backup")

    def file(self, sha256: str) -> Path:
        """Where a picture's bytes lie, here or elsewhere. Raises FileNotFoundError, MovedPicture."""
        path = self.path(sha256)
        return _followed(path)[1] if path.suffix == REFERENCE else path

    def open(self, sha256: str) -> Image.Image:
        """The picture, RGB, turned as its camera says, transparency on white."""
        return load(self.path(sha256))

    def thumbnail(self, sha256: str, size: ThumbnailSize = 256) -> Path:
        """A JPEG whose longer side is at most `size` pixels; smaller pictures keep their size."""
        if size not in THUMBNAIL_SIZES:
            raise ValueError(f"no thumbnails of {size} pixels; there are: {', '.join(map(str, THUMBNAIL_SIZES))}")
        target = self.root / "thumbnails" / str(size) / sha256[:2] / f"{sha256[2:]}.jpg"
        if not target.exists():
            picture = self.open(sha256)
            picture.thumbnail((size, size), Image.Resampling.LANCZOS)
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=90, subsampling=0)  # WebP takes twenty times as long to write
            write_whole(target, buffer.getvalue())
        return target


def load(source: bytes | Path, name: str | None = None) -> Image.Image:
    """A picture from bytes or a file: RGB, first frame, turned as its camera says. Raises BadImage."""
    return _decoded(*_content(source, name))[0]


def read(path: Path) -> bytes:
    """The bytes of a kept picture; a reference is followed. Raises MovedPicture, OSError."""
    return _followed(path)[0] if path.suffix == REFERENCE else path.read_bytes()


def _followed(reference: Path) -> tuple[bytes, Path]:
    """The bytes that a reference names, held against the hash that is its name, and where they lie. Raises MovedPicture."""
    again = "put it back as it was, or import its dataset anew: mistakebook import --again replace"
    try:
        path = Path(json.loads(reference.read_bytes())["path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MovedPicture(f"{reference}: is no reference to a picture ({error}); import its dataset anew: --again replace") from error
    try:
        content, _ = _content(path, str(path))
    except BadImage as error:
        raise MovedPicture(f"{path}: the picture was referenced, not copied, and can't be read any more; {again}") from error
    if hashlib.sha256(content).hexdigest() != reference.parent.name + reference.stem:
        raise MovedPicture(f"{path}: the picture was referenced, not copied, and has changed since; {again}")
    return content, path


def png_bytes(picture: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def image_row(info: ImageInfo) -> dict[str, Any]:
    """The row of the table `image`."""
    row = info.to_row()
    return {"image": row.pop("sha256"), **row}


def phash(picture: Image.Image) -> int:
    """Perceptual hash: which of the 64 lowest frequencies of the grey picture lie above their median.

    Bits row by row from the highest, but for the first: mean brightness always lies above, so it says nothing, and without
    it the number also fits signed 64-bit columns. Zauner 2010, "Implementation and benchmarking of perceptual image hash functions".
    """
    grey = picture.convert("L").resize((_PHASH_INPUT, _PHASH_INPUT), Image.Resampling.LANCZOS)
    cosines = _cosines()
    low = (cosines @ np.asarray(grey, dtype=np.float64) @ cosines.T).ravel()
    half = low.size // 2
    bits = low > np.partition(low, (half - 1, half))[half - 1 : half + 1].mean()  # the median; np.median takes five times as long
    bits[0] = False
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


@cache
def _cosines() -> np.ndarray:
    """Rows of the discrete cosine transform of type II, the lowest HASH_SIDE frequencies: (8, 32)."""
    frequency, position = np.arange(HASH_SIDE)[:, None], np.arange(_PHASH_INPUT)[None, :]
    return np.cos(np.pi * frequency * (2 * position + 1) / (2 * _PHASH_INPUT))


def _content(source: bytes | Path, name: str | None) -> tuple[bytes, str]:
    """The bytes of a picture and what to call it, refusing files that are missing or too large before reading them."""
    if isinstance(source, Path) and source.suffix == REFERENCE:
        content, path = _followed(source)
        return content, name or str(path)
    if isinstance(source, bytes):
        content, name = source, name or f"image of {len(source)} bytes"
        size = len(content)
    else:
        name = name or str(source)
        try:
            with bounded_reading.opened(source) as file:
                size = os.fstat(file.fileno()).st_size
                content = file.read(MAX_BYTES + 1) if size <= MAX_BYTES else b""
            size = max(size, len(content))
        except OSError as error:
            raise BadImage(f"{name}: can't be read ({error.strerror}); check the path and its permissions") from error
    if size > MAX_BYTES:
        raise BadImage(f"{name}: {size / 2**20:.0f} MB, the limit is {MAX_BYTES // 2**20} MB; make the image smaller")
    return content, name


def _decoded(content: bytes, name: str) -> tuple[Image.Image, str]:
    """The decoded first frame as RGB, and its format (a key of EXTENSIONS, or one of CONVERTED)."""
    expected = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"
    try:
        picture = Image.open(io.BytesIO(content), formats=(*EXTENSIONS, *CONVERTED))
        if picture.width * picture.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        kind = "JPEG" if picture.format == "MPO" else picture.format or ""  # phones write several JPEGs into one file
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        return _rgb(picture), kind
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(f"{name}: over the limit of {MAX_PIXELS // 10**6} million pixels; make the image smaller") from error
    except Image.UnidentifiedImageError as error:
        problem = "an empty file" if not content else "not an image of a known format"
        raise BadImage(f"{name}: {problem}, expected {expected}; convert it") from error
    except Exception as error:  # Pillow's decoders raise nearly anything on broken bytes
        raise BadImage(f"{name}: damaged or incomplete ({error}); expected a complete {expected} file: download it again") from error


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel: `convert` would clip at 255 instead of scaling
        picture = Image.fromarray((np.asarray(picture).astype(np.float64) / 257).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _holds(target: Path, size: int) -> bool:
    """Whether a file is there, whole: one that a power cut took the content of is written again."""
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False
