"""The Try it page: any question about any picture, to one checkpoint or two side by side. Nothing of it enters a dataset."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.try_it import answerer as trying
from curation.ui.services import Services, services
from data.images import MAX_BYTES
from data.question_text import full_text

router = APIRouter(prefix="/api/try")
EXAMPLES = 24
answerer = trying.Answerer()  # one a process


class Some(BaseModel):
    seed: int = 0


class Question(BaseModel):
    """What is asked of whom. The picture is an example's (by its hash) or one that was sent before (`upload`)."""

    checkpoint: str
    question: str = Field(min_length=1)
    choices: list[str] = []
    suffix: str = ""
    image: str | None = None
    upload: str | None = None


@router.post("/choices")
def choices(request: Request, body: Some) -> dict[str, Any]:
    """Checkpoints that can be asked, examples to start from, and what questions are sent with."""
    store = services(request).store
    round_ = checkpoints.current_round(store)
    return {
        "checkpoints": [row["name"] for row in store.rows("checkpoints") if row["baseline"] != checkpoints.IMPORTED],
        "of_round": checkpoints.find(store).name if round_ else None,
        "examples": store.rows("try_examples", seed=body.seed, limit=EXAMPLES),
        "suffixes": store.rows("try_suffixes"),
    }


@router.post("/picture")
async def picture(request: Request) -> dict[str, str]:
    """Keeps the request's body, a picture, for a day."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise HTTPException(413, f"the image is larger than {MAX_BYTES // 2**20} MB; shrink it")
    return {"upload": trying.keep_picture(services(request).workspace, bytes(content))}


@router.post("/ask")
def ask(request: Request, body: Question) -> dict[str, Any]:
    """The checkpoint's answer, with the seconds it took (and those its weights took to load), or an error."""
    here = services(request)
    text = full_text(body.question, body.choices, body.suffix)
    return {"text": text, **answerer.ask(here.workspace, checkpoints.find(here.store, body.checkpoint), text, _path(here, body))}


def _path(here: Services, body: Question) -> Path:
    if body.upload:
        return trying.kept_picture(here.workspace, body.upload)
    if not body.image or here.store.value("image_known", image=body.image) is None:
        raise HTTPException(404, "choose an image first")
    return here.images.path(body.image)
