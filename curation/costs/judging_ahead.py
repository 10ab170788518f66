"""What the filters will cost before there is a sample: their own requests, on the failures that the samples are to practise.

A failure's question, gold answer and picture are about as long and as large as those of the samples that come from it.
"""

from typing import Any

from curation.filtering.base import FilterInput
from curation.frontier.options import open_client, together
from curation.prompts.versions import prompts_for
from curation.stage import spread
from curation.stages.filter import Options
from data.images import ImageStore
from data.registry import FILTERS
from data.store import Store
from data.workspace import Workspace


def estimate(store: Store, workspace: Workspace, options: Options, names: list[str], failures: list[dict[str, Any]], samples: int) -> dict:
    """{"calls", "usd"}: dollars as a range for so many samples judged by these filters, None where they are unpriced."""
    images, prompts = ImageStore(workspace.images), prompts_for(store, options.PROMPTS, options.prompts)
    items = [_stand_in(number, row, images) for number, row in enumerate(spread(failures))]
    if not items or not samples or not names:
        return {"calls": 0, "usd": (0.0, 0.0)}
    parts = []
    with open_client(options, workspace) as client:
        for name in names:
            judge = FILTERS.make(name, options.filter_options.get(name))
            requests = [request for item in items for request in judge.requests(item, prompts)]
            parts.append(client.estimate(requests, round(samples * len(requests) / len(items))))
    calls, usd = together(parts)
    return {"calls": calls, "usd": usd}


def _stand_in(number: int, row: dict[str, Any], images: ImageStore) -> FilterInput:
    return FilterInput(
        sample_id=number,
        revision=0,
        question=row["question"],
        answer=row["golds"][0],
        dataset=row["dataset"],
        metric=row["metric"],
        answer_form=row["answer_form"],
        choices=tuple(row["choices"]),
        image=row["image"],
        image_path=str(images.path(row["image"])),
    )
