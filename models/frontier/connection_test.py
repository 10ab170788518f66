"""A connection test, the tiny call behind the page's Test button: can this model be asked, does it see, does it keep to a schema?"""

import time
from pathlib import Path

from PIL import Image, ImageDraw
from pydantic import BaseModel

from models.frontier.requests import Outcome, Request
from models.paid_calls.records import Reply


class BlindAnswer(BaseModel):
    """Named as the curation's blind reply, so that pocket-teacher takes the test for what it is: a question about a picture."""

    answer: str


def probe(folder: Path) -> Request:
    """A red square, and what colour it is. Never the same request twice."""
    picture = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(picture).rectangle((16, 16, 48, 48), fill=(220, 30, 30))
    path = folder / "probe.png"
    picture.save(path)
    text = "Question: What color is the square?\nAnswer with one word."
    return Request("test", "test", "You answer questions about images.", text, (str(path),), BlindAnswer, attempt=time.time_ns())


def probe_in_words(outcome: Outcome, replies: list[Reply], model: str, endpoint: str, level: str, seconds: float) -> str:
    """What came of it, for people."""
    if not isinstance(outcome.parsed, BlindAnswer):
        return f"Failed: {outcome.error}"
    answer = outcome.parsed.answer
    sees = "sees images" if "red" in answer.lower() else f"but said {answer!r} of a red square: does it see images?"
    tokens = sum((reply.prompt_tokens or 0) + (reply.completion_tokens or 0) for reply in replies)
    cost = "unpriced" if outcome.cost_usd is None else f"${outcome.cost_usd:.6f}"
    return f"Works: {model} at {endpoint} answered in {seconds:.1f} s by {level}, {sees} ({tokens} tokens, {cost})."
