"""What the document's head names is what the page's scripts import, and each file is fetched once."""

import os
import re

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server import module_preload, pages
from curation.ui.server.app import create_app
from curation.ui.server.static_files import FOLDER
from tests.support.browser import chromium, executable, served
from tests.support.seed import seeded_store


def test_every_import_of_every_page_is_found():
    for page in pages.PAGES:
        found = module_preload.modules(f"{page.folder}/index.js")
        assert "shared/lib.js" in found and len(found) == len(set(found))
        for name in found:
            text = re.sub(r"/\*.*?\*/", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.DOTALL)  # types are named in comments
            named = re.findall(r"""(?:from|import) ["'](\.[\w./]+)["']""", text)
            assert {os.path.relpath((FOLDER / name).parent / one, FOLDER) for one in named} <= set(found), name


def test_the_browser_fetches_each_file_once_and_before_the_page_stands(tmp_path):
    executable()
    store, _, workspace = seeded_store(tmp_path / "seeded", 60, samples=5)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address, chromium(f"{address}/?page=failures") as page:
        page.wait_for_selector(".fail-thumbs .th img")
        entries = page.evaluate("performance.getEntriesByType('resource').map(one => [one.name, one.startTime])")
        own = [(re.sub(r".*/ui/", "", name), begun) for name, begun in entries if "/ui/" in name]
        names = [name for name, _ in own]
        assert len(names) == len(set(names)) and {"failures/index.js", "failures/point_map.js", "failures/page.css"} <= set(names)
        sheets = page.evaluate(
            "[...document.querySelectorAll('link[rel=stylesheet]')].filter(one => one.sheet).map(one => one.getAttribute('href'))"
        )
        shared = ("shared/tokens", "shared/components", "frame/frame")
        assert {f"ui/{name}.css" for name in (*shared, *(f"{page.folder}/page" for page in pages.PAGES))} <= set(sheets)
        asked = min(begun for name, begun in entries if name.endswith("api/failures/page"))
        assert all(begun < asked for name, begun in own if name.startswith("failures/"))
        assert not [name for name in names if name.startswith("review/") and name.endswith(".js")], "only the page of the URL"
    store.close()
