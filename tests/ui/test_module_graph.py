"""The browser's modules import each other one way: no circle, and a page's parts never its index.js."""

from graphlib import TopologicalSorter

from curation.ui.server.module_preload import imports
from curation.ui.server.static_files import FOLDER

MODULES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.js"))
GRAPH = {name: imports(name) for name in MODULES}


def test_no_circle():
    assert len(MODULES) > 80 and any(GRAPH.values())
    TopologicalSorter(GRAPH).prepare()  # raises CycleError, which names the circle


def test_no_part_imports_the_page_that_assembles_it():
    assert not [(name, file) for name, files in GRAPH.items() for file in files if file.endswith("/index.js")]


def test_what_pages_share_knows_no_page_and_pages_know_no_frame():
    assert not [
        (name, file) for name, files in GRAPH.items() if name.startswith("shared/") for file in files if not file.startswith("shared/")
    ]
    pages = [name for name in GRAPH if not name.startswith(("shared/", "frame/"))]
    assert not [(name, file) for name in pages for file in GRAPH[name] if file.startswith("frame/")]
