"""Pictures wanted from a server: their keys, how they are grouped into calls, and what a reply reports of them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from models.paid_calls.prices import token_count


@dataclass(frozen=True)
class Wanted:
    """A picture that is wanted: a prompt and a seed."""

    key: str  # SHA-256 of server, settings, prompt and seed: under it the picture is found again
    prompt: str
    seed: int

    @classmethod
    def of(cls, address: str, settings: dict[str, Any], prompt: str, seed: int) -> "Wanted":
        text = json.dumps({"images": address, **settings, "prompt": prompt, "seed": seed}, sort_keys=True, ensure_ascii=False)
        return cls(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), prompt, seed)


def groups(wanted: Sequence[Wanted], most: int) -> Iterator[list[Wanted]]:
    """Those that may go into one call: neighbours with the same prompt, `most` at once; each key once."""
    unique = {picture.key: picture for picture in wanted}.values()
    for _, same in groupby(unique, key=lambda picture: picture.prompt):
        while group := list(islice(same, most)):
            yield group


def usage_of(body: dict[str, Any]) -> tuple[int | None, int | None, int | None, int | None]:
    """Input, output, cached and image input tokens of a reply, as OpenAI's image models report them; None where they don't."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage["input_tokens_details"] if isinstance(usage.get("input_tokens_details"), dict) else {}
    counts = usage.get("input_tokens"), usage.get("output_tokens"), details.get("cached_tokens"), details.get("image_tokens")
    prompt, completion, cached, pictured = map(token_count, counts)
    return prompt, completion, cached, pictured


def body_kept(body: dict[str, Any], item: dict[str, Any], sha256: str) -> str:
    """The reply as the journal keeps it: the picture by the hash of its bytes, which lie among the workspace's pictures."""
    plain = {name: value for name, value in item.items() if name != "b64_json"}
    return json.dumps({**body, "data": [{**plain, "sha256": sha256}], "of": len(body["data"])}, ensure_ascii=False)
