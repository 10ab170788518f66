"""What calls of a run cost: the cost reserved for one before it is sent, and what a reply cost once it is there."""

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
            if call is not None and usage[0] is not None:
                self.ratio = max(self.ratio, usage[0] / call.most_prompt_tokens(self.price.image_tokens))
        return Reply(key, parameters.endpoint, parameters.model, purpose, text, *usage, usd, round(seconds, 4), time.time())


def usage_of(body: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Prompt, completion and cached tokens as the endpoint reports them; None where it doesn't."""
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    details = usage["prompt_tokens_details"] if isinstance(usage.get("prompt_tokens_details"), dict) else {}
    return token_count(usage.get("prompt_tokens")), token_count(usage.get("completion_tokens")), token_count(details.get("cached_tokens"))


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
