"""OpenAI's chat-completions format, as far as pocket-teacher speaks it: a request's body becomes a Task, or an ApiError.

The format: messages of roles system and user, whose content is text or a list of parts {"type": "text"} and
{"type": "image_url", "image_url": {"url": "data:image/png;base64,..."}}; errors are {"error": {message, type, param, code}}.
"""

import base64
import binascii
import hashlib
import io
import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageOps, UnidentifiedImageError

from data.errors import MistakebookError
from models.pocket.teacher.eyes import Seen, see

MODEL = "pocket-teacher"
BODY_LIMIT = 32 * 2**20  # bytes
SIDE_LIMIT = 4096  # pixels
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
IMAGE_TOKENS = 85  # as OpenAI counts a picture of low detail
TOKEN = 4  # characters
CAN = (
    "pocket-teacher answers questions about pictures of colored shapes and bars, diagnoses wrong answers, proposes and judges "
    "samples, titles clusters and names error types; it reads the prompts of curation/prompts, and a picture as a data URL"
)
SCHEMAS = ("BlindAnswer", "Diagnosis", "Proposals", "Judgement", "ClusterTitle", "Kind", "Guess", "NamedSkill")
WITHOUT_PICTURE = ("ClusterTitle", "Kind", "Guess")
LABELS = (
    "Question",
    "Choices",
    "Gold answer",
    "Model's answer",
    "Your own answer, given before you saw the gold",
    "Kinds so far",
    "Kind of question",
    "Error types",
    "Error type",
    "Proposed answer",
    "Answer form",
    "Guess number",
    "Faulty reasoning",
    "Key elements",
    "Route",
    "Number of samples",
    "Of these contrasts",
    "Skill to practise",
    "Skills",
    "Difficulty",
    "Already written, do not repeat",
    "Members (question | gold answer | model's answer | faulty reasoning)",
    "Nearest other groups (what they are must not fit the title)",
)
_LABEL = re.compile(rf"^({'|'.join(map(re.escape, LABELS))}):[ \t]*", re.MULTILINE)
_LETTERED = re.compile(r"^\s*\(?([A-Z])[.):]\s+(.*\S)\s*$", re.MULTILINE)


class ApiError(MistakebookError):
    """An error that the client gets as OpenAI's servers would put it."""

    def __init__(self, status: int, message: str, code: str, param: str | None = None):
        super().__init__(message)
        kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True)
class Task:
    """One request, read. `name` is one of SCHEMAS; `form` is json or text; `salt` is what the chance of proposals and guesses hangs on."""

    name: str
    form: str
    fields: dict[str, str]
    seen: Seen | None
    salt: str
    prompt_tokens: int
    limit: int | None  # completion tokens

    @property
    def shown(self) -> Seen:
        """What the picture shows. Raises ApiError where none was sent."""
        if self.seen is None:
            raise ApiError(400, f"{self.name} needs an image: send one as image_url", "missing_image", "messages")
        return self.seen

    @property
    def question(self) -> str:
        return self.fields.get("Question", "").strip()

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(text for _, text in _LETTERED.findall(self.fields.get("Choices", "")))

    @property
    def calls_squares_rectangles(self) -> bool:
        """Whether the task's own words are such: its answer form, options, gold answer or question name rectangles and no square."""
        said = " ".join(self.fields.get(label, "") for label in ("Answer form", "Choices", "Gold answer", "Question")).lower()
        return bool(re.search(r"\brectangles?\b", said)) and not re.search(r"\bsquares?\b", said)

    @property
    def skills(self) -> list[str]:
        return re.findall(r"^\s*[-*]\s*(.*\S)\s*$", self.fields.get("Skills", ""), re.MULTILINE)

    @property
    def error_types(self) -> list[str]:
        return re.findall(r"^\s*[-*]?\s*([\w-]+)\s*(?::|$)", self.fields.get("Error types", ""), re.MULTILINE)


def read(raw: bytes) -> Task:
    """The task in a request's body. Raises ApiError for whatever can't be done."""
    if len(raw) > BODY_LIMIT:
        raise ApiError(413, f"the body is over {BODY_LIMIT >> 20} MiB; send a smaller image", "request_too_large")
    body = _object(raw)
    _check_parameters(body)
    system, user, pictures = _messages(body.get("messages"))
    schema, form = _response_format(body.get("response_format"), system + "\n" + user)
    fields = _fields(user)
    name = schema or _task_by_words(fields, user)
    if name not in SCHEMAS:
        raise ApiError(422, f"unknown task {name!r}. {CAN}. Known schema names: {', '.join(SCHEMAS)}.", "unknown_task", "response_format")
    if len(pictures) > 1:
        raise ApiError(422, f"pocket-teacher takes one image per request, {len(pictures)} were sent", "too_many_images", "messages")
    if not pictures and name not in WITHOUT_PICTURE:
        raise ApiError(422, f"no image in the request, and {name} needs one. {CAN}.", "image_missing", "messages")
    if "Question" not in fields and name != "ClusterTitle":
        fields["Question"] = user.strip()
    # a blind answer doesn't look at the salt: it sees what it sees; a guess does
    chance = json.dumps([body.get("seed"), body.get("temperature"), body.get("user")])
    salt = hashlib.sha256("\0".join([system, user, *pictures, chance]).encode("utf-8", "surrogatepass")).hexdigest()
    tokens = math.ceil(len(system + user) / TOKEN) + IMAGE_TOKENS * len(pictures)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return Task(name, form, fields, look(pictures[0]) if pictures else None, salt, tokens, limit)


def _object(raw: bytes) -> dict:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "the body is not JSON: " + str(error)[:200], "invalid_json") from None
    if not isinstance(body, dict):
        raise ApiError(400, "the body must be a JSON object", "invalid_json")
    return body


def _check_parameters(body: dict) -> None:
    model = body.get("model")
    if model != MODEL:
        raise ApiError(404, f"the model {str(model)[:100]!r} does not exist; this server has {MODEL!r} only", "model_not_found", "model")
    if body.get("stream"):
        raise ApiError(400, "pocket-teacher does not stream; leave `stream` out", "unsupported_parameter", "stream")
    if body.get("n") not in (None, 1):
        raise ApiError(400, "pocket-teacher gives one choice per request; leave `n` out", "unsupported_parameter", "n")
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ApiError(400, f"{name} must be a whole number above 0", "invalid_type", name)


def _messages(messages) -> tuple[str, str, list[str]]:
    """Text of the system's messages, text of the user's, URLs of the pictures."""
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "messages must be a list with at least one message", "invalid_type", "messages")
    texts: dict[str, list[str]] = {"system": [], "user": []}
    pictures: list[str] = []
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ApiError(400, f"messages[{i}] must be an object with a role", "invalid_type", "messages")
        side = "system" if message["role"] in ("system", "developer") else "user"
        if message["role"] == "assistant":
            continue  # its own earlier words, of a repair turn
        content = message.get("content")
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content if isinstance(content, list) else [None]:
            if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
                texts[side].append(part["text"])
            elif isinstance(part, dict) and part.get("type") == "image_url":
                url = part.get("image_url")
                address = url.get("url") if isinstance(url, dict) else url
                if not isinstance(address, str):
                    raise ApiError(400, "image_url.url must be text", "invalid_type", "messages")
                pictures.append(address)
            else:
                raise ApiError(400, f"messages[{i}].content must be text or a list of text and image_url parts", "invalid_type", "messages")
    return "\n".join(texts["system"]), "\n".join(texts["user"]), pictures


def _response_format(wanted, words: str) -> tuple[str | None, str]:
    """The schema's name, if there is one, and whether the reply is to be json or text."""
    in_words = re.search(rf"\bJSON\b[^\n]*?\bnamed ({'|'.join(SCHEMAS)})\b", words)
    named = in_words[1] if in_words else None
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if wanted is None or kind == "text":
        return named, "json" if re.search(r"\bjson\b", words, re.IGNORECASE) else "text"
    if kind == "json_object":
        return named, "json"
    schema = wanted.get("json_schema") if kind == "json_schema" else None
    if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
        raise ApiError(400, "response_format must be text, json_object or json_schema with a name", "invalid_type", "response_format")
    return schema["name"], "json"


def _fields(user: str) -> dict[str, str]:
    """The labelled lines of a prompt; a value goes on to the next label, and a label's first line counts."""
    marks = list(_LABEL.finditer(user))
    fields: dict[str, str] = {}
    for mark, following in zip(marks, [*marks[1:], None]):
        fields.setdefault(mark[1], user[mark.end() : following.start() if following else None].strip())
    return fields


def _task_by_words(fields: dict[str, str], user: str) -> str:
    """Which prompt this is where no schema says so."""
    for label, name in (
        ("Number of samples", "Proposals"),
        ("Proposed answer", "Judgement"),
        ("Members (question | gold answer | model's answer | faulty reasoning)", "ClusterTitle"),
        ("Model's answer", "Diagnosis"),
        ("Error types", "Kind"),
        ("Skills", "NamedSkill"),
        ("Guess number", "Guess"),
        ("Question", "BlindAnswer"),
    ):
        if label in fields:
            return name
    return "BlindAnswer" if user.strip() else "nothing asked"


@lru_cache(maxsize=2048)
def look(url: str) -> Seen:
    """What the picture of a data URL shows. Raises ApiError 413 if it is too large, 422 if it can't be had or read."""
    head, comma, data = url.partition(",")
    if not head.lower().startswith("data:") or not comma:
        raise ApiError(
            422,
            "pocket-teacher downloads nothing: send the image as a data URL (data:image/png;base64,...)",
            "invalid_image_url",
            "messages",
        )
    try:
        if not head.lower().endswith(";base64"):
            raise ValueError("not base64")
        picture: Image.Image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)), formats=FORMATS)
        if max(picture.size) > SIDE_LIMIT:
            raise ApiError(
                413,
                f"the image has {picture.width} x {picture.height} pixels; at most {SIDE_LIMIT} per side",
                "image_too_large",
                "messages",
            )
        if picture.format == "JPEG":
            picture = ImageOps.exif_transpose(picture)
        return see(picture)
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError, Image.DecompressionBombError):
        raise ApiError(
            422, f"the image can't be decoded; send one of {', '.join(FORMATS)} in base64", "invalid_image", "messages"
        ) from None


def completion(task: Task, content: str, identity: str, created: int) -> dict:
    """The reply's body. Tokens: 4 characters each, and 85 a picture."""
    tokens, cut = math.ceil(len(content) / TOKEN), False
    if task.limit and tokens > task.limit:
        content, tokens, cut = content[: task.limit * TOKEN], task.limit, True
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": identity,
        "object": "chat.completion",
        "created": created,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "length" if cut else "stop"}],
        "usage": {
            "prompt_tokens": task.prompt_tokens,
            "completion_tokens": tokens,
            "total_tokens": task.prompt_tokens + tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
    }
