"""Takes the pictures of docs/pictures anew, of every page in Chromium; or of any width and colour scheme, to look at.

make demo && python -m benchmarks.workspace
python -m tests.support.pictures --demo ~/.mistakebook/demo --full ~/.mistakebook/full
python -m tests.support.pictures --demo ~/.mistakebook/demo --out build/look --width 390 --scheme dark
"""

import argparse
from pathlib import Path

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.store import Store
from data.workspace import Workspace
from tests.support.browser import chromium, served

DEMO = {  # picture: what the URL says, and what is there once the page is drawn
    "failures": ("page=failures", ".fail-thumbs .th img"),
    "generate": ("page=generate", "#page-generate .card"),
    "review": ("page=review&status=all", "#page-review img"),
    "finetune": ("page=finetune", "#page-finetune .card"),
    "results": ("page=results", "#page-results .card"),
    "calibration": ("page=calibration", "#page-calibration .card"),
    "prompts": ("page=prompts", "#page-prompts textarea"),
    "jobs": ("page=jobs", "#page-jobs table"),
    "data": ("page=data", "#page-data table"),
    "try": ("page=try", "#page-try img"),
    "settings": ("page=settings", "#page-settings .card"),
}
FULL = {
    "full-failures": ("page=failures", ".fail-thumbs .th img"),
    "full-review": ("page=review&view=grid", "#page-review img"),
    "people": ("page=review&view=people", "#page-review table"),
}


def take(folder: Path, pictures: dict[str, tuple[str, str]], out: Path, width: int, height: int, scheme: str) -> None:
    """Writes <out>/<name>.png for each picture, of the workspace in `folder`, which no app may have open."""
    workspace = Workspace(folder)
    store = Store(workspace.store, workspace.backups)
    jobs = JobManager(store, workspace, stage_class)
    out.mkdir(parents=True, exist_ok=True)
    with served(create_app(workspace, store, jobs, Settings(reviewer="ada"))) as address:
        for name, (query, there) in pictures.items():
            with chromium(f"{address}/?{query}", width, height, scheme) as page:
                page.wait_for_selector(there, state="attached")  # below the window on a phone
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(1500)  # charts and the map are drawn after their data has come
                page.screenshot(path=out / f"{name}.png")
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, help="folder of the workspace that `make demo` has made")
    parser.add_argument("--full", type=Path, help="folder of the workspace that benchmarks.workspace has made")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    given = parser.parse_args()
    for folder, pictures in ((given.demo, DEMO), (given.full, FULL)):
        if folder:
            take(folder, pictures, given.out, given.width, given.height, given.scheme)


if __name__ == "__main__":
    main()
