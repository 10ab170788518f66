"""Filters that a bulk decision cannot override (`leakage`): what they fail is approved one by one, by a person who looked, or not at all.

So a bulk approval leaves out what they fail and what they have not judged yet; an earlier bulk approval is withdrawn as soon as they
fail the sample (an eval split was imported meanwhile, say); and they can be neither disabled nor loosened beyond their limit.
"""

from collections.abc import Iterable, Sequence

from curation.filtering.base import filter_class
from data.errors import MistakebookError
from data.records import FilterSetting
from data.registry import FILTERS
from data.transaction import Transaction


class NotOverridable(MistakebookError):
    """A setting with which a bulk decision would approve what only single decisions may approve."""


def names() -> list[str]:
    """The filters that can't be overridden in bulk."""
    return [name for name in FILTERS.names() if not filter_class(name).overridable_in_bulk]


def bits(settings: Sequence[FilterSetting]) -> int:
    """The bits of the enabled ones in the masks of sample_state."""
    limited = names()
    return sum(1 << setting.bit for setting in settings if setting.enabled and setting.filter in limited)


def check_setting(name: str, enabled: bool, threshold: float) -> None:
    """Raises NotOverridable."""
    if name in names() and not within_limit(name, enabled, threshold):
        raise NotOverridable(
            f"{name} can't be disabled or set above {filter_class(name).loosest:g}: samples that fail it could then be approved in bulk. "
            "Where it is wrong, approve the single sample, in Focus."
        )


def within_limit(name: str, enabled: bool, threshold: float) -> bool:
    """Whether a setting of such a filter (one of `names`) keeps it enabled and as strict as it must be."""
    return enabled and threshold <= filter_class(name).loosest


def withdraw(write: Transaction, sample_ids: Iterable[int] | None = None) -> None:
    """Withdraws the bulk approvals of samples (None: of all) that now fail such a filter. States must be up to date but for this."""
    ids = None if sample_ids is None else list(sample_ids)
    if ids == []:
        return
    write.refresh_states()
    parameters: dict[str, object] = {"leaking": bits(write.rows("filters", FilterSetting)), "sample_ids": ids}
    if write.touched_by("touch_bulk_approvals_over_limits", **parameters):
        write.run("bulk_approvals_withdraw", **parameters, note="it leaks from an eval split, which a bulk approval can't override")
