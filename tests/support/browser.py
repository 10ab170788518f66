"""Pages in a real browser: a server on a free port, and Chromium that tolerates no error and no request to the network.

with served(app) as address, chromium(address) as page:
    page.click(...)
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run")


def executable() -> str:
    """Where Chromium is. Skips the test where there is none; fails it in CI, where it must not go untested."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path and os.environ.get("CI"):
        pytest.fail("Chromium is missing in CI: apt-get install chromium")
    if not path:
        pytest.skip("CHROMIUM IS MISSING, THE PAGES GO UNTESTED: apt-get install chromium")
    return path


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The app's address while a thread serves it."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@contextmanager
def chromium(address: str, width: int = 1440, height: int = 900, scheme: str = "light", expect_errors: bool = False):
    """A page of Chromium, loaded. When the block ends, any error on the page's console and any foreign request fails the test."""
    from playwright.sync_api import sync_playwright

    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: troubles.append(f"error on the page: {error}"))
        page.on("console", lambda message: troubles.append(f"console: {message.text}") if message.type == "error" else None)
        page.on("request", lambda request: troubles.append(f"foreign request: {request.url}") if _foreign(request.url, address) else None)
        page.goto(address)
        yield page
        browser.close()
    seen = [trouble for trouble in troubles if not expect_errors or trouble.startswith("foreign")]
    assert not seen, seen


def _foreign(url: str, address: str) -> bool:
    return not url.startswith((address.partition("?")[0].rstrip("/") + "/", "data:", "blob:"))
