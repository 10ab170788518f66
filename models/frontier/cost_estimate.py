"""Cost estimates of many calls, as a range, from a sample of the real prompts."""

from typing import NamedTuple

from models.frontier.chat_call import Call
from models.paid_calls.journal import Journal
from models.paid_calls.ledger import Find
from models.paid_calls.prices import Price

_ENOUGH = 10  # replies of the same purpose, from which their mean is taken


class Estimate(NamedTuple):
    """Calls to buy, and the range of what they cost."""

    calls: int
    low_usd: float | None
    high_usd: float | None  # None: unpriced


def estimate(sample: list[Call], count: int, journal: Journal, price: Price | None) -> Estimate:
    """Scales the sample up to `count` requests.

    With enough replies of the same purpose in the journal: their mean tokens, a fifth less to a third more. Without: text at 5
    bytes a token, or with the schema at 3; images as the vendor documents them or at a third to the whole of their worst; replies of a
    hundredth of max_tokens (an answer in a word) to all of it.
    """
    if not sample or count <= 0:
        return Estimate(0, 0.0, 0.0) if price else Estimate(0, None, None)
    known = journal.apply([Find(call.key) for call in sample])
    new = [call for call, reply in zip(sample, known, strict=True) if reply is None]
    calls = round(count * len(new) / len(sample))
    if price is None:
        return Estimate(calls, None, None)
    ranges = [_range(call, journal, price) for call in new]
    scale = count / len(sample)
    return Estimate(calls, scale * sum(low for low, _ in ranges), scale * sum(high for _, high in ranges))


def _range(call: Call, journal: Journal, price: Price) -> tuple[float, float]:
    replies, prompt, completion = journal.typical(call.parameters.endpoint, call.parameters.model, call.request.purpose)
    if replies >= _ENOUGH and prompt is not None and completion is not None:
        usd = price.usd(prompt, completion, images=min(prompt, sum(price.image_tokens or 0 for _ in call.pictures)))
        return 0.8 * usd, 1.35 * usd
    pictures = call.most_image_tokens(price.image_tokens)
    text = call.most_prompt_tokens(price.image_tokens) - pictures
    text_bytes = len((call.request.system + call.request.text).encode("utf-8", "replace"))
    likely = None if price.image_tokens else call.likely_image_tokens()
    fewest, pictures = (pictures // 3, pictures) if likely is None else (int(0.8 * likely), int(1.2 * likely))
    most = call.parameters.max_tokens
    low = price.usd(text_bytes // 5 + fewest, most // 100, images=fewest)
    return low, price.usd(text // 3 + pictures, most, images=pictures)
