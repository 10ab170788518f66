"""The arms of an honest comparison (METHOD: "The arms of an honest comparison"): which samples or examples each is trained on."""

from dataclasses import dataclass
from typing import Literal

from data.errors import MistakebookError

Pool = Literal["real", "real_failures", "targeted", "targeted_same", "targeted_new", "unfiltered", "untargeted", "retrieved"]


class UnknownArm(MistakebookError, ValueError):  # a validator of options raises it, which pydantic takes from a ValueError alone
    """No arm has that name."""

    status = 404


@dataclass(frozen=True)
class Arm:
    """`pool`: what its N samples are drawn from; None: it has none. An arm that isn't trained has one run, others one a seed.

    `by_quotas`: clusters of failures have quotas among the N, as they have where samples are generated (selection.quotas_of); else by lot.
    """

    name: str
    title: str
    about: str
    pool: Pool | None
    trained: bool = True
    by_quotas: bool = False


ARMS = (
    Arm("none", "none", "the checkpoint as it is", None, trained=False),
    Arm("replay", "replay only", "the replay rows alone, as many steps", None),
    Arm("real", "+N real", "train examples with their gold answers, drawn at random", "real"),
    Arm("real_failures", "+N real failures", "gold answers of train examples that the checkpoint failed, drawn at random", "real_failures"),
    Arm(
        "real_failures_mix",
        "+N real failures, targeted's mix",
        "of these as many of each cluster as +N targeted has",
        "real_failures",
        by_quotas=True,
    ),
    Arm("retrieved", "+N retrieved", "train examples most similar to the failures, by the embeddings of question and image", "retrieved"),
    Arm("targeted", "+N targeted", "samples made from failures, both routes, that pass every filter", "targeted", by_quotas=True),
    Arm("targeted_same", "+N targeted, same image", "of these the samples on the failure's own image", "targeted_same", by_quotas=True),
    Arm("targeted_new", "+N targeted, new image", "of these the samples on a new image", "targeted_new", by_quotas=True),
    Arm(
        "unfiltered", "+N targeted, unfiltered", "samples made from failures, whatever filters and people say", "unfiltered", by_quotas=True
    ),
    Arm(
        "untargeted",
        "+N untargeted",
        "samples made from train examples whatever was answered, that pass the filters",
        "untargeted",
    ),
)
BY_NAME = {arm.name: arm for arm in ARMS}
REFERENCE = "real"  # what other arms are compared with where it was run
BASE = "none"


def find(name: str) -> Arm:
    """Raises UnknownArm."""
    if name not in BY_NAME:
        raise UnknownArm(f"unknown arm {name!r}; there are: {', '.join(BY_NAME)}")
    return BY_NAME[name]
