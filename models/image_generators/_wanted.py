"""A picture that is wanted from a server, what its reply says, and pictures that come as an address."""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any
from urllib.parse import urlsplit

from data.images import MAX_BYTES, BadImage

FETCH_SECONDS = 60.0


class Abandoned(Exception):
    """The job is stopping; this picture will be asked for another time."""


@dataclass(frozen=True)
class Wanted:
    key: str  # SHA-256 of server, settings, prompt and seed: under it the picture is found again
    prompt: str
    seed: int

    @classmethod
    def of(cls, address: str, settings: dict[str, Any], prompt: str, seed: int) -> "Wanted":
        said = json.dumps({"images": address, **settings, "prompt": prompt, "seed": seed}, sort_keys=True, ensure_ascii=False)
        return cls(hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest(), prompt, seed)


def groups(wanted: Sequence[Wanted], most: int) -> Iterator[list[Wanted]]:
    """Those that may go into one call: neighbours with the same prompt, `most` at once; each key once."""
    unique = {one.key: one for one in wanted}.values()
    for _, same in groupby(unique, key=lambda one: one.prompt):
        while group := list(islice(same, most)):
            yield group


def usage_of(body: dict[str, Any]) -> tuple[int | None, int | None, int | None, int | None]:
    """Input, output, cached and image input tokens of a reply, as OpenAI's image models report them; None where they don't."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage["input_tokens_details"] if isinstance(usage.get("input_tokens_details"), dict) else {}
    counts = usage.get("input_tokens"), usage.get("output_tokens"), details.get("cached_tokens"), details.get("image_tokens")
    return tuple(count if isinstance(count, int) and count >= 0 else None for count in counts)


def body_kept(body: dict[str, Any], item: dict[str, Any], sha256: str) -> str:
    """The reply as the journal keeps it: the picture by the hash of its bytes, which lie among the workspace's pictures."""
    plain = {name: value for name, value in item.items() if name != "b64_json"}
    return json.dumps({**body, "data": [{**plain, "sha256": sha256}], "of": len(body["data"])}, ensure_ascii=False)


async def fetch(address: str, own_host: str | None, retries: int) -> bytes:
    """A picture that the server gave as an address: over https, or from the server itself. Raises BadImage."""
    import httpx2

    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == own_host):
        raise BadImage(f"the reply holds the address {address[:80]!r}: only https, or the server's own host, is fetched")
    trouble = ""
    async with httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client:
        for attempt in range(retries + 1):
            try:
                async with client.stream("GET", address) as response:
                    response.raise_for_status()
                    content = bytearray()
                    async for piece in response.aiter_bytes():
                        content += piece
                        if len(content) > MAX_BYTES:
                            raise BadImage(f"the picture at {address[:80]!r} is larger than {MAX_BYTES // 2**20} MB")
                    return bytes(content)
            except httpx2.HTTPError as error:
                trouble = str(error) or type(error).__name__
            if attempt < retries:
                await asyncio.sleep(min(8.0, 0.3 * 2**attempt))
    raise BadImage(f"the picture was drawn, but its address {address[:80]!r} can't be fetched: {trouble}")
