"""What calls of a run cost: the cost reserved for one before it is sent, and what a reply cost once it is there."""

import math
import time
from dataclasses import dataclass
from typing import Any

from models.frontier.chat_call import Call, Parameters
from models.paid_calls.ledger import Claim
from models.paid_calls.prices import Price, token_count
from models.paid_calls.records import Reply


@dataclass
class CallCost:
    """The price of calls, the cap on what they may cost together, and the scope that it counts."""

    price: Price | None
    cap_usd: float | None
    scope: str
    at_once: int = 1  # calls that may be in flight for one reply
    ratio: float = 1.0  # the most that a call's prompt tokens exceeded their estimate so far

    def claim(self, call: Call, key: str, owner: str) -> Claim:
        """The claim that reserves the most that a call may cost. `key`: the call's."""
        worst = None
        if self.price:
            prompt = call.most_prompt_tokens(self.price.image_tokens)
            worst = self.price.most_usd(int(prompt * self.ratio) + 1, call.parameters.max_tokens)
        endpoint, model = call.parameters.endpoint, call.parameters.model
        return Claim(key, owner, endpoint, model, call.request.purpose, self.scope, worst, self.cap_usd, self.at_once)

    def reply(
        self, key: str, parameters: Parameters, purpose: str, text: str, body: dict[str, Any], seconds: float, call: Call | None
    ) -> Reply:
        """A reply and its cost, from a chat completion. `call`: None where another run asked it, perhaps with a picture."""
        usage = usage_of(body)
        usd = None
        if self.price:
            usd = self.price.reply_usd(usage, image_tokens_of(body), call is None or bool(call.pictures))
            if usd is not None and (told := cost_told(body)) is not None:
                usd = max(usd, told)  # the cap holds what is billed, by whichever of the two is more
            if call is not None and usage[0] is not None:
                self.ratio = max(self.ratio, usage[0] / call.most_prompt_tokens(self.price.image_tokens))
        return Reply(key, parameters.endpoint, parameters.model, purpose, text, *usage, usd, round(seconds, 4), time.time())


def usage_of(body: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Prompt, completion and cached tokens as the endpoint reports them; None where it doesn't.

    Thinking is billed as completion. OpenAI counts it there; Gemini and others beside it, and only the total tells.
    """
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details, written = (usage[name] if isinstance(usage.get(name), dict) else {} for name in ("prompt_tokens_details", _WRITTEN))
    prompt, completion, total = (token_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    thought = token_count(written.get("reasoning_tokens")) or 0
    if completion is not None:
        beside = completion + thought if thought > completion else completion
        completion = max(beside, (total or 0) - prompt if prompt is not None else 0)
    return prompt, completion, token_count(details.get("cached_tokens"))


_WRITTEN = "completion_tokens_details"


def cost_told(body: dict[str, Any]) -> float | None:
    """The dollars that a gateway says a reply cost (`usage.cost`: OpenRouter, LiteLLM); None where it says nothing of use."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    cost = usage.get("cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not math.isfinite(cost) or cost < 0:
        return None
    return float(cost)


def image_tokens_of(body: dict[str, Any]) -> int | None:
    """Tokens of images in the prompt, where the endpoint tells them apart: as OpenAI and OpenRouter do, or by modality as Gemini."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        count = details.get("image_tokens")
    else:
        parts = [part for part in details or [] if isinstance(part, dict)] if isinstance(details, list) else []
        count = next((part.get("token_count", part.get("tokenCount")) for part in parts if part.get("modality") == "IMAGE"), None)
    return token_count(count)
