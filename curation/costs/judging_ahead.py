"""What the filters will cost before there is a sample: their own requests, on the failures that the samples are to practise.

A failure's question, gold answer and picture are about as long and as large as those of the samples that come from it.
"""

from dataclasses import dataclass
from typing import Any

from curation.filtering.base import FilterInput, make_filter
from curation.frontier.client import open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompts.templates import Prompts
from curation.stage import spread
from data.images import ImageStore
from data.records import Record
from data.workspace import Workspace


@dataclass(frozen=True)
class JudgingCost(Record):
    """Calls, and dollars as a range; None: unpriced."""

    calls: int
    usd: tuple[float, float] | None


def estimate(
    workspace: Workspace,
    whom: FrontierOptions,
    prompts: Prompts,
    filters: dict[str, dict[str, Any]],
    failures: list[dict[str, Any]],
    samples: int,
) -> JudgingCost:
    """What it takes to have so many samples judged by these filters.

    `filters`: the options of each filter, by its name; `failures`: rows of failures_to_practise.
    """
    images = ImageStore(workspace.images)
    items = [_stand_in(number, row, images) for number, row in enumerate(spread(failures))]
    if not items or not samples or not filters:
        return JudgingCost(0, (0.0, 0.0))
    parts = []
    with open_client(whom, workspace) as client:
        for name, options in filters.items():
            requests = [request for item in items for request in make_filter(name, options).requests(item, prompts)]
            parts.append(client.estimate(requests, round(samples * len(requests) / len(items))))
    return JudgingCost(*sum_estimates(parts))


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
