"""`mistakebook export` as a process of its own, against the app that owns the workspace."""

import json
import os
import signal

import pytest

from curation.workspaces import owner
from tests.commands.test_cli import mistakebook, wait_for
from tests.support.seed import seeded_store

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A seeded workspace; whatever serves it is stopped at the end."""
    home = tmp_path_factory.mktemp("home")
    store, images, workspace = seeded_store(home / "w", failures=40, samples=40)
    pictures = {row["image"] for row in store.rows("samples_to_export", statuses=["approved"])}
    store.close()
    yield workspace, images, sorted(pictures), {"MISTAKEBOOK_HOME": str(home)}
    if noted := owner.read(workspace):
        os.kill(noted.pid, signal.SIGTERM)
        wait_for(lambda: not noted.is_alive())


def test_an_export_says_where_it_was_written_and_fails_for_a_sample_without_its_picture(there, tmp_path):
    _, images, pictures, home = there
    done = mistakebook("export", "webdataset", tmp_path / "a b" / "out", "--set", "samples_a_shard=3", "--workspace", "w", **home)
    assert f"written to {tmp_path}/a b/out/train-00000.tar" in done.stdout and (tmp_path / "a b/out/train-00001.tar").is_file()
    path = images.path(pictures[0])
    content = path.read_bytes()
    path.unlink()
    try:
        short = mistakebook("export", "llava", tmp_path / "out", "--workspace", "w", "--json", check=False, **home)
    finally:
        path.write_bytes(content)
    assert short.returncode == 1 and f"image {pictures[0]} is missing" in short.stderr and "sample " in short.stderr
    job = json.loads(short.stdout)
    assert job["failed"] > 0 and len(json.loads((tmp_path / "out" / "llava.json").read_text())) == job["done"]
    assert "left out: the picture is gone or changed" in job["message"]


def test_bad_flags_are_named(there, tmp_path):
    home = there[3]
    for flags, text in (
        (["--set", "shards=3"], "has no option 'shards'"),
        (["--status", "undrawn"], "no sample is undrawn"),
    ):
        failed = mistakebook("export", "webdataset", tmp_path / "out", *flags, "--workspace", "w", check=False, **home)
        assert failed.returncode == 1 and text in failed.stderr and "Traceback" not in failed.stderr, failed.stderr
    assert mistakebook("export", "fax", tmp_path / "out", check=False).returncode == 2
    assert mistakebook("export", "llava", tmp_path / "out", "--status", "wonderful", check=False).returncode == 2
    (tmp_path / "file").write_text("x")
    failed = mistakebook("export", "llava", tmp_path / "file", "--workspace", "w", check=False, **home)
    assert failed.returncode == 1 and "is a file; name a folder" in failed.stderr
