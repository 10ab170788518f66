"""The Try it page: any question about any picture, to one checkpoint or two side by side. Nothing of it enters a dataset."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from curation import checkpoints
from curation.try_it import answerer as trying
from curation.try_it.answerer import Answer, NoAnswer
from curation.ui.services import Services, services
from data.images import MAX_BYTES
from data.question_text import full_text
from data.records import Record, Split

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


@dataclass(frozen=True)
class TryExample(Record):
    """An example to start from, and what its dataset's questions are sent with."""

    example_id: int
    dataset: str
    split: Split
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    prompt_suffix: str


@dataclass(frozen=True)
class DatasetSuffix(Record):
    """What the questions of a dataset are sent with."""

    name: str
    prompt_suffix: str


class Choices(BaseModel):
    checkpoints: list[str]
    of_round: str | None = Field(description="the checkpoint of the current round")
    examples: list[TryExample]
    suffixes: list[DatasetSuffix]


class Uploaded(BaseModel):
    upload: str = Field(description="the name that the picture is asked about under")


@dataclass(frozen=True)
class Answered(Answer):
    text: str  # as it was sent


@dataclass(frozen=True)
class NotAnswered(NoAnswer):
    text: str


@router.post("/choices")
def choices(request: Request, body: Some) -> Choices:
    """Checkpoints that can be asked, examples to start from, and what questions are sent with."""
    store = services(request).store
    round_ = checkpoints.current_round(store)
    return Choices(
        checkpoints=checkpoints.askable(store),
        of_round=checkpoints.find(store).name if round_ else None,
        examples=store.rows("try_examples", TryExample, seed=body.seed, limit=EXAMPLES),
        suffixes=store.rows("try_suffixes", DatasetSuffix),
    )


@router.post("/picture")
async def picture(request: Request) -> Uploaded:
    """Keeps the request's body, a picture, for a day."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise HTTPException(413, f"the image is larger than {MAX_BYTES // 2**20} MB; shrink it")
    return Uploaded(upload=trying.keep_picture(services(request).workspace, bytes(content)))


@router.post("/ask")
def ask(request: Request, body: Question) -> Answered | NotAnswered:
    """The checkpoint's answer, with the seconds it took (and those its weights took to load), or an error."""
    here = services(request)
    text = full_text(body.question, body.choices, body.suffix)
    answer = answerer.ask(here.workspace, checkpoints.find(here.store, body.checkpoint), text, _path(here, body))
    return Answered(**vars(answer), text=text) if isinstance(answer, Answer) else NotAnswered(**vars(answer), text=text)


def _path(here: Services, body: Question) -> Path:
    if body.upload:
        return trying.kept_picture(here.workspace, body.upload)
    if not body.image or here.store.value("image_known", image=body.image) is None:
        raise HTTPException(404, "choose an image first")
    return here.images.path(body.image)
