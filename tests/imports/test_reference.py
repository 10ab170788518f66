"""Pictures that are referenced where they lie: found, held against their hash at each use, told where they moved or changed."""

import json

import pytest
from fastapi.testclient import TestClient

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.stages.import_dataset import UploadsReferenced
from curation.ui.server.app import create_app
from curation.workspaces import backups
from data import images
from data.images import ImageStore, MovedPicture
from models.frontier.image_payload import BadImage, Pictures
from tests.support import official_layouts as official
from tests.support.seed import seeded_store


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A seeded store and a list of three pictures of which one is a TIFF, imported by reference."""
    folder = tmp_path_factory.mktemp("reference")
    store, _, workspace = seeded_store(folder / "seeded", 20, samples=4)
    jobs = JobManager(store, workspace, stage_class)
    for number in range(2):
        official.put(folder / f"{number}.png", official.picture(number))
    official.put(folder / "2.tif", official.picture(2, "TIFF"))
    rows = [{"id": str(i), "image": name, "question": f"Q{i}?", "answer": "x"} for i, name in enumerate(("0.png", "1.png", "2.tif"))]
    path = official.put(folder / "own.jsonl", "\n".join(map(json.dumps, rows)))
    job = jobs.wait(jobs.launch("import", {"format": "jsonl", "source": {"path": str(path)}, "reference": True}, "ada"), 240)
    assert job.status == "done", job.message
    yield store, workspace, jobs, folder
    jobs.shutdown()
    store.close()


def shas(store):
    return {row["external_id"]: row["image"] for row in store.rows("dataset_items", dataset="own", split=None, limit=None)}


def test_a_referenced_picture_stays_where_it_is(world):
    store, workspace, _, folder = world
    kept, known = ImageStore(workspace.images), shas(store)
    assert kept.path(known["0"]).suffix == ".ref" and kept.file(known["0"]) == folder / "0.png"
    assert kept.open(known["0"]).size == (24, 16) and images.read(kept.path(known["0"])) == (folder / "0.png").read_bytes()
    assert kept.file(known["2"]).suffix == ".png" and kept.path(known["2"]).is_relative_to(workspace.images)  # copied, as PNG
    described = Pictures(max_pixels=10**6).describe(str(kept.path(known["0"])))
    assert described.sha256 == known["0"]
    client = TestClient(
        create_app(workspace, store, world[2], Settings(reviewer="ada")),
        base_url="http://127.0.0.1",
        headers={"Origin": "http://127.0.0.1"},
    )
    full = client.get(f"/media/{known['0']}/full")
    assert full.content == (folder / "0.png").read_bytes() and full.headers["content-type"] == "image/png"


def test_one_that_changed_or_moved_is_told_with_file_and_command(world):
    store, workspace, _, folder = world
    kept, known = ImageStore(workspace.images), shas(store)
    before = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(official.picture(7))
    for use in (kept.open, kept.file, lambda sha: images.read(kept.path(sha))):
        with pytest.raises(MovedPicture, match=r"1\.png: the picture was referenced, not copied, and has changed since; .*--again replace"):
            use(known["1"])
    with pytest.raises(BadImage, match="has changed since"):
        Pictures(max_pixels=10**6).describe(str(kept.path(known["1"])))
    (folder / "1.png").unlink()
    with pytest.raises(MovedPicture, match=r"1\.png: the picture was referenced, not copied, and can't be read any more"):
        kept.open(known["1"])
    (folder / "1.png").write_bytes(before)
    assert kept.open(known["1"]).size == (24, 16)


def test_a_backup_says_what_it_does_not_contain(world, tmp_path):
    store, workspace, _, _ = world
    made = backups.backup(store, workspace, tmp_path / "backup")
    assert backups.referenced(made) == 2
    words = backups.BackupMade(str(made), 1, 3, 2).in_words()
    assert "2 pictures are referenced where they lie and are NOT in it" in words
    restored = type(workspace)(tmp_path / "restored")
    backups.restore(made, restored)
    assert ImageStore(restored.images).open(shas(store)["0"]).size == (24, 16)


def test_what_was_uploaded_is_not_referenced(world):
    _, workspace, jobs, _ = world
    path = official.put(workspace.root / "uploads/20260101-000000-000000/own.jsonl", "{}")
    with pytest.raises(UploadsReferenced, match="without --reference"):
        jobs.launch("import", {"format": "jsonl", "source": {"path": str(path), "name": "up"}, "reference": True}, "ada")
