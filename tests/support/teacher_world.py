"""What the tests of pocket-teacher share: requests as the product sends them, and a server started as the product starts it."""

import base64
import contextlib
import io
import json
import random
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from curation.error_types import glossary
from curation.prompts.reply_schemas import BlindAnswer, ClusterTitle, Diagnosis, Judgement, Kind, NamedSkill, Proposals
from curation.prompts.templates import render
from data.question_text import lettered
from data.records import SourceExample
from data.registry import DATASETS
from data.scenes import COLOURS, HEAVY_BLUR, SHAPES, Bar, Scene, Thing
from models.pocket.teacher.tasks import reply
from models.pocket.teacher.wire import read

ROOT = Path(__file__).parents[2]
REPLIES = {
    "blind": BlindAnswer,
    "diagnosis": Diagnosis,
    "proposal": Proposals,
    "judge": Judgement,
    "title": ClusterTitle,
    "kind": Kind,
    "on_skill": NamedSkill,
}
FAMILIES = ("photo", "chart", "quiz", "knowledge")
FORM = "one word or number, lower case"
LIGHT = (240, 240, 240)
THREE = Scene(
    LIGHT, (Thing("circle", "red", "large", 17, 17), Thing("square", "blue", "small", 47, 17), Thing("hexagon", "green", "small", 17, 47))
)
CHART = Scene(LIGHT, bars=(Bar("red", 20), Bar("green", 45), Bar("blue", 32)))
BLUR = Scene(LIGHT, (Thing("square", "orange", "large", 17, 17),), blur=HEAVY_BLUR)
OTHERS = {"yes": "no", "no": "yes", "left": "right", "right": "left", "top": "bottom", "bottom": "top"}


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def data_url(picture: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def body(prompt: str, picture: bytes | None, schema: bool = True, **fields) -> dict:
    """The JSON body of one request; `fields` fill the prompt."""
    defaults = {
        "choices": "",
        "answer_form": FORM,
        "error_types": glossary(),
        "own_answer": "",
        "avoid": "",
        "neighbours": "",
        "difficulty": "as the seed",
        "skill": "",
        "contrasts": 0,
        "known": "",
        "kind": "",
    }
    text = render(prompt, **{**defaults, **fields})
    content = [{"type": "text", "text": text.user}]
    if picture is not None:
        content.insert(0, {"type": "image_url", "image_url": {"url": data_url(picture)}})
    request = {
        "model": "pocket-teacher",
        "messages": [{"role": "system", "content": text.system}, {"role": "user", "content": content}],
        "max_tokens": 4000,
    }
    if schema:
        name = REPLIES[prompt].__name__
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": REPLIES[prompt].model_json_schema()},
        }
    return request


def ask(prompt: str, picture: bytes | None, **fields):
    """The parsed reply, without HTTP."""
    return REPLIES[prompt].model_validate_json(reply(read(json.dumps(body(prompt, picture, **fields)).encode())))


def proposals(picture: bytes, question: str, gold: str, answer: str, route: str, count: int = 4, **more):
    fields = {"error_type": "", "faulty_reasoning": "", "key_elements": ""} | more
    return ask("proposal", picture, question=question, golds=gold, answer=answer, route=route, count=count, **fields).samples


@cache
def benchmark(split: str = "eval", limit: int | None = None) -> list[tuple[str, SourceExample, bytes]]:
    """Dataset, example and picture of easy-VQA and PocketVQA, at most `limit` a family, by chance."""
    chosen = []
    none = {name: 0 for name in ("train", "dev", "eval") if name != split}  # splits have generators of their own
    for format_, options in [("easy_vqa", {}), *(("pocket_vqa", {"family": family, **none}) for family in FAMILIES)]:
        plugin = DATASETS.make(format_, options)
        examples = [e for e in plugin.read() if isinstance(e, SourceExample) and e.split == split]
        random.Random(0).shuffle(examples)
        for example in examples[:limit]:
            picture = example.picture if isinstance(example.picture, bytes) else Path(example.picture).read_bytes()
            chosen.append((plugin.about().name, example, picture))
    return chosen


def other_answer(example, rng: random.Random) -> str:
    """A wrong answer of the right sort."""
    gold = example.golds[0]
    if gold in OTHERS:
        return OTHERS[gold]
    for sort in ("ABC"[: len(example.choices)], "123456", sorted({*COLOURS, "teal", "gray", "brown", "black"}), [*SHAPES, "rectangle"]):
        if gold in sort and gold:
            # a square is a rectangle in easy-VQA's words, and there alone
            return rng.choice([answer for answer in sort if answer != gold and {answer, gold} != {"square", "rectangle"}])
    return rng.choice(SHAPES)


def choices_of(example: SourceExample) -> str:
    return lettered(example.choices)


def shifted(scene: Scene, x: float, y: float) -> Scene:
    return replace(scene, things=tuple(replace(thing, x=thing.x + x, y=thing.y + y) for thing in scene.things))


def wobbly(picture: Image.Image, seed: int, warp: float = 0.5, noise: float = 6.0, blur: float = 0.5) -> Image.Image:
    """As a small diffusion model draws: edges waver by `warp` pixels, `noise` of 256 levels, a Gaussian of `blur` pixels."""
    rng = np.random.default_rng(seed)
    pixels = np.asarray(picture, dtype=np.float32)
    size = pixels.shape[0]

    def field() -> np.ndarray:
        coarse = Image.fromarray(rng.normal(0, 1, (9, 9)).astype(np.float32))
        return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)) * warp

    rows, columns = np.mgrid[0:size, 0:size]
    y, x = np.clip(rows + field(), 0, size - 1.01), np.clip(columns + field(), 0, size - 1.01)
    top, left = y.astype(int), x.astype(int)
    down, right = (y - top)[..., None], (x - left)[..., None]
    moved = (1 - down) * ((1 - right) * pixels[top, left] + right * pixels[top, left + 1])
    moved += down * ((1 - right) * pixels[top + 1, left] + right * pixels[top + 1, left + 1])
    moved += rng.normal(0, noise, moved.shape)
    return Image.fromarray(moved.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))


class Server:
    """A running teacher and its address."""

    def __init__(self, port: int, pid: int):
        self.url, self.pid = f"http://127.0.0.1:{port}/v1", pid

    def post(self, content: dict | bytes, path: str = "/chat/completions", timeout: float = 20) -> tuple[int, dict, dict]:
        """Status, JSON body, headers."""
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        request = urllib.request.Request(self.url + path, raw, {"Content-Type": "application/json"})
        return self._open(request, timeout)

    def get(self, path: str) -> tuple[int, dict, dict]:
        return self._open(urllib.request.Request(self.url + path), 20)

    @staticmethod
    def _open(request: urllib.request.Request, timeout: float) -> tuple[int, dict, dict]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as response:
                return response.status, json.load(response), dict(response.headers)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error), dict(error.headers)


@contextlib.contextmanager
def running(*options: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "models.pocket.teacher", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(json.loads(process.stdout.readline())["port"], process.pid)
        finally:
            process.terminate()
