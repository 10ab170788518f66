"""Pictures on their way into the store."""

import io

from PIL import Image

from data.images import ImageInfo


def png_bytes(picture: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def image_row(info: ImageInfo) -> dict:
    """The row of the table `image`."""
    row = info.to_row()
    return {"image": row.pop("sha256"), **row}
