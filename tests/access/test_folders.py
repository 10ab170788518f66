"""What of the server's files a request may name."""

from pathlib import Path

import pytest

from curation.access import folders
from curation.access.roles import NotAllowed


@pytest.fixture
def here(tmp_path, monkeypatch, workspace):
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("MISTAKEBOOK_HOME", str(workspace.root.parent))
    (tmp_path / "user" / ".ssh").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    return lambda path, role="admin", named=(): folders.check(Path(path), role, workspace, named)


def test_the_home_and_named_folders_for_admins(here, tmp_path, workspace):
    here("~/sets/list.jsonl")
    here(tmp_path / "user" / "list.jsonl")
    here(tmp_path / "data" / "x", named=[tmp_path / "data"])
    here(workspace.root / "uploads" / "1" / "list.jsonl", role="editor")
    here(tmp_path / "user" / ".cache" / "x", named=[tmp_path / "user" / ".cache"])
    for path in (
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "/",
        tmp_path / "data" / "x",
        tmp_path / "user" / ".ssh" / "id",
        tmp_path / "user" / ".." / "data" / "x",
        workspace.root / "keys.json",
        workspace.root.parent / "users.json",
        "~nobody-of-that-name/x",
        "a\0b",
    ):
        with pytest.raises(NotAllowed):
            here(path)


def test_links_lead_nowhere_else(here, tmp_path, workspace):
    (tmp_path / "user" / "link").symlink_to("/etc")
    with pytest.raises(NotAllowed):
        here(tmp_path / "user" / "link" / "passwd")
    uploads = workspace.root / "uploads"
    uploads.mkdir()
    (uploads / "link").symlink_to("/etc/passwd")
    with pytest.raises(NotAllowed):
        here(uploads / "link", role="editor")


def test_others_upload(here, tmp_path):
    with pytest.raises(NotAllowed, match=r"role admin.*upload"):
        here(tmp_path / "user" / "list.jsonl", role="editor")
