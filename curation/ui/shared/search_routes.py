"""How far the search index is, for the search fields of all pages (search_progress.js)."""

from fastapi import APIRouter, Request

from curation.ui.services import services

router = APIRouter(prefix="/api/search")


@router.get("/progress")
def progress(request: Request) -> dict[str, float]:
    """The share of failures and samples that a search finds already, while the index is made; nothing where it is."""
    return services(request).search.progress()
