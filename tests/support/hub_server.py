"""A server on loopback with the few routes of the Hugging Face hub that an upload uses; repositories are dictionaries."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = (".png", ".parquet", ".safetensors", ".tar")
TOKEN = "hf_loopback"


class Hub:
    """`repos`: "datasets/ada/x" to {path: content}; `sent`: object ids of large files, each time that one came over the wire."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.objects: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.commits: list[str] = []
        self.fail_after: int | None = None  # large files; then the server answers 500
        self.address = ""


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def oid(path: str, content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if path.endswith(LARGE) else git_oid(content)


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None, content: bytes | None = None) -> None:
            content = json.dumps(body if body is not None else {}).encode() if content is None else content
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in (headers or {"Content-Type": "application/json"}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def known(self) -> bool:
            if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                return True
            self.answer(401, {"error": "Invalid credentials in Authorization header"})
            return False

        def do_GET(self) -> None:
            found = re.fullmatch(r"/(.+)/resolve/main/(.+)", self.path)
            if not self.known():
                return
            content = found and hub.repos.get(found[1], {}).get(found[2])
            if content is None:
                return self.answer(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": "0" * 40})
            self.answer(200, headers={"X-Repo-Commit": "0" * 40, "ETag": f'"{git_oid(content)}"'}, content=content)

        do_HEAD = do_GET

        def do_PUT(self) -> None:
            content = self.body()
            if hub.fail_after is not None and len(hub.sent) >= hub.fail_after:
                return self.answer(400, {"error": "the disk of the hub is full"})
            name = self.path.rpartition("/")[2]
            assert hashlib.sha256(content).hexdigest() == name
            hub.objects[name] = content
            hub.sent.append(name)
            self.answer(200)

        def do_POST(self) -> None:
            raw = self.body()
            if not self.known():
                return
            path = self.path.partition("?")[0]
            if path == "/api/repos/create":
                return self.create(json.loads(raw))
            if path == "/api/validate-yaml":
                return self.answer(200, {"errors": [], "warnings": []})
            if found := re.fullmatch(r"/(.+)\.git/info/lfs/objects/batch", path):
                return self.batch(json.loads(raw))
            found = re.fullmatch(r"/api/(datasets|models)/(.+)/(preupload|commit)/main", path)
            if found is None:
                return self.answer(404, {"error": f"no route {path}"})
            repo = f"datasets/{found[2]}" if found[1] == "datasets" else found[2]
            if repo not in hub.repos:
                return self.answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            (self.preupload if found[3] == "preupload" else self.commit)(repo, raw)

        def create(self, wanted: dict[str, Any]) -> None:
            owner = wanted.get("organization") or "ada"
            if owner != "ada":
                return self.answer(403, {"error": f"you may not write to {owner}"})
            kind = "datasets/" if wanted.get("type") == "dataset" else ""
            repo = f"{kind}{owner}/{wanted['name']}"
            status = 409 if repo in hub.repos else 200
            hub.repos.setdefault(repo, {})
            hub.private.setdefault(repo, wanted.get("private", wanted.get("visibility") == "private"))
            self.answer(status, {"url": f"{hub.address}/{repo}"})

        def preupload(self, repo: str, raw: bytes) -> None:
            there = hub.repos[repo]
            rows = []
            for file in json.loads(raw)["files"]:
                name = file["path"]
                mode = "lfs" if name.endswith(LARGE) else "regular"
                before = oid(name, there[name]) if name in there else None
                rows.append({"path": name, "uploadMode": mode, "shouldIgnore": False, "oid": before})
            self.answer(200, {"files": rows})

        def batch(self, wanted: dict[str, Any]) -> None:
            rows: list[dict[str, Any]] = []
            for one in wanted["objects"]:
                upload = {"upload": {"href": f"{hub.address}/lfs/{one['oid']}"}}
                rows.append(one if one["oid"] in hub.objects else {**one, "actions": upload})
            self.answer(200, {"transfer": "basic", "objects": rows}, {"Content-Type": "application/vnd.git-lfs+json"})

        def commit(self, repo: str, raw: bytes) -> None:
            lines = [json.loads(line) for line in raw.splitlines()]
            there = hub.repos[repo]
            for line in lines:
                value = line["value"]
                if line["key"] == "header":
                    hub.commits.append(value["summary"])
                elif line["key"] == "file":
                    there[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    there[value["path"]] = hub.objects[value["oid"]]
                elif line["key"] == "deletedFile":
                    del there[value["path"]]
            self.answer(200, {"commitOid": "1" * 40, "commitUrl": f"{hub.address}/{repo}/commit/{'1' * 40}", "success": True})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
