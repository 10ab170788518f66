"""The image store with real pictures, broken ones and random bytes."""

import io
import random
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from data import images, scenes
from data.images import BadImage, ImageStore, load, phash


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(seed: int) -> Image.Image:
    return scenes.draw(scenes.random_things(random.Random(seed)))


@pytest.fixture
def store(tmp_path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.mark.parametrize(("kind", "extension"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp"), ("GIF", ".gif"), ("BMP", ".bmp")])
def test_a_picture_keeps_its_bytes_under_their_hash(store, kind, extension):
    content = encoded(scene(1), kind)
    info = store.add(content)
    assert (info.width, info.height, info.bytes) == (64, 64, len(content))
    path = store.path(info.sha256)
    assert path.read_bytes() == content
    assert path.relative_to(store.root).as_posix() == f"{info.sha256[:2]}/{info.sha256[2:]}{extension}"
    assert store.add(path) == info
    assert len([file for file in store.root.rglob("*") if file.is_file()]) == 1


def test_threads_adding_the_same_picture_leave_one_whole_file(store):
    content = encoded(scene(2))
    threads = [threading.Thread(target=store.add, args=(content,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [file.read_bytes() for file in store.root.rglob("*") if file.is_file()] == [content]


def test_thumbnails_shrink_but_never_enlarge(store):
    big = store.add(encoded(Image.effect_noise((1500, 600), 60), "JPEG"))
    small = store.add(encoded(scene(3)))
    for size, expected in ((96, (96, 38)), (256, (256, 102)), (1024, (1024, 410))):
        with Image.open(store.thumbnail(big.sha256, size)) as thumbnail:
            assert (thumbnail.format, thumbnail.size) == ("JPEG", expected)
    with Image.open(store.thumbnail(small.sha256, 256)) as thumbnail:
        assert thumbnail.size == (64, 64)
    with pytest.raises(ValueError, match="there are: 96, 256, 1024"):
        store.thumbnail(big.sha256, 100)
    with pytest.raises(FileNotFoundError, match="import its dataset again"):
        store.thumbnail("0" * 64)


def test_pictures_open_as_rgb_upright_and_on_white(store):
    turned = Image.new("RGB", (40, 20), "red")
    turned.putpixel((0, 0), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    info = store.add(encoded(turned, exif=exif))
    assert (info.width, info.height) == (20, 40)
    assert store.open(info.sha256).getpixel((19, 0)) == (0, 0, 255)

    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert store.open(store.add(encoded(clear)).sha256).getpixel((4, 4)) == (255, 255, 255)
    deep = Image.fromarray(np.full((8, 8), 257 * 100, dtype=np.uint16))
    assert load(encoded(deep)).getpixel((4, 4)) == (100, 100, 100)


def test_the_first_frame_of_an_animation_counts(store):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    info = store.add(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert store.open(info.sha256).getpixel((8, 8)) == (255, 0, 0)


@pytest.mark.parametrize(("kind", "mode"), [("TIFF", "RGB"), ("TIFF", "CMYK"), ("TIFF", "I;16"), ("AVIF", "RGB")])
def test_what_browsers_do_not_show_is_kept_as_png(store, kind, mode):
    picture = Image.new(mode, (16, 8), {"RGB": (200, 30, 40), "CMYK": (0, 255, 255, 0), "I;16": 100 * 257}[mode])
    info = store.add(encoded(picture, kind))
    assert (info.mime, info.width, info.height) == ("image/png", 16, 8)
    assert store.path(info.sha256).suffix == ".png" and store.path(info.sha256).stat().st_size == info.bytes
    seen = store.open(info.sha256).getpixel((4, 4))
    wanted = {"RGB": (200, 30, 40), "CMYK": (255, 0, 0), "I;16": (100, 100, 100)}[mode]
    assert max(abs(one - other) for one, other in zip(seen, wanted)) <= (8 if kind == "AVIF" else 0)
    assert store.add(encoded(picture, kind)) == info


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file, expected PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a known format, expected PNG"),
        (encoded(Image.new("RGB", (9, 9)), "PPM"), "not an image of a known format"),
        (encoded(Image.new("RGB", (9, 9)), "TIFF")[:-40], "damaged or incomplete"),
        (encoded(scene(4))[:-200], "damaged or incomplete"),
        (encoded(scene(4), "JPEG")[:-200], "damaged or incomplete"),
        (encoded(Image.new("1", (9000, 9000))), "over the limit of 64 million pixels; make the image smaller"),
    ],
)
def test_bad_pictures_name_their_source_and_leave_nothing(store, content, message):
    with pytest.raises(BadImage, match=f"^val/17.png: {message}"):
        store.add(content, "val/17.png")
    assert not store.root.exists()


def test_files_missing_or_too_large(store, tmp_path, monkeypatch):
    with pytest.raises(BadImage, match=r"gone.png: can't be read .*check the path"):
        store.add(tmp_path / "gone.png")
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(images.MAX_BYTES + 2**20)
    with pytest.raises(BadImage, match=r"large.png: 51 MB, the limit is 50 MB"):
        store.add(large)


def test_a_perceptual_hash_survives_compression_and_tells_scenes_apart():
    for seed in range(20):
        picture = scene(seed)
        again = load(encoded(picture.resize((128, 128)), "JPEG", quality=70))
        assert (phash(picture) ^ phash(again)).bit_count() <= 4
    others = [phash(scene(seed)) for seed in range(100, 130)]
    assert min((phash(scene(0)) ^ other).bit_count() for other in others) > 4
    assert all(0 <= value < 2**63 for value in others)


@given(st.binary(max_size=300), st.sampled_from(["", "PNG", "JPEG", "WEBP", "GIF", "BMP"]), st.integers(0, 400))
def test_broken_bytes_only_ever_raise_bad_image(noise, kind, at):
    content = encoded(scene(5), kind) if kind else b""
    content = content[:at] + noise + content[at + len(noise) :]
    try:
        assert load(content, "noise").mode == "RGB"
    except BadImage as error:
        assert str(error).startswith("noise: ")
