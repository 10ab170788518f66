"""The pages' own files, under /ui/: scripts, styles, and plotly.js as the Python package ships it. Nothing comes from the network."""

import importlib.resources
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

FOLDER = Path(__file__).parents[1]  # curation/ui
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
ASK_AGAIN = {"Cache-Control": "no-cache"}  # the browser asks whether its copy still is the newest (ETag)
KEEP = {"Cache-Control": "private, max-age=604800"}

router = APIRouter(prefix="/ui")


@router.get("/plotly.min.js")
def plotly() -> FileResponse:
    """plotly.js, 4.8 MB; only pages with charts ask for it (`plotly()` of lib.js)."""
    path = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    return FileResponse(str(path), media_type=TYPES[".js"], headers=KEEP)


@router.get("/{name:path}")
def file(name: str) -> FileResponse:
    """A script, style or picture below curation/ui, by its path there."""
    path = (FOLDER / name).resolve()
    if not path.is_relative_to(FOLDER) or path.suffix not in TYPES or not path.is_file():
        raise HTTPException(404, f"no file /ui/{name}")
    return FileResponse(path, media_type=TYPES[path.suffix], headers=ASK_AGAIN)
