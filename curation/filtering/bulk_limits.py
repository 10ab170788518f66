"""Filters that nobody overrides in bulk (`leakage`): what they fail is approved one by one, by somebody who looked, or not at all.

So a bulk approval leaves out what they fail and what they have not judged yet; an earlier bulk approval is taken back as soon as they
fail the sample (an eval split was imported meanwhile, say); and they can be neither switched off nor loosened beyond their limit.
"""

from collections.abc import Iterable, Sequence

from curation.filtering.base import filter_class
from data.errors import MistakebookError
from data.records import FilterSetting
from data.registry import FILTERS
from data.transaction import Transaction


class NotOverridable(MistakebookError):
    """A setting that would let through in bulk what only single decisions may let through."""


def names() -> list[str]:
    """The filters that can't be overridden in bulk."""
    return [name for name in FILTERS.names() if not filter_class(name).overridable_in_bulk]


def bits(settings: Sequence[FilterSetting]) -> int:
    """Their bits in the masks of sample_state, where they are enabled."""
    held = names()
    return sum(1 << setting.bit for setting in settings if setting.enabled and setting.filter in held)


def check_setting(name: str, enabled: bool, threshold: float) -> None:
    """Raises NotOverridable."""
    if name in names() and not holds(name, enabled, threshold):
        raise NotOverridable(
            f"{name} can't be switched off, nor set above {filter_class(name).loosest:g}: what it fails would then be approved in bulk. "
            "Where it is wrong approve the sample by itself, in Focus."
        )


def holds(name: str, enabled: bool, threshold: float) -> bool:
    """Whether such a filter (one of `names`) bars what it must under a setting."""
    return enabled and threshold <= filter_class(name).loosest


def withdraw(write: Transaction, sample_ids: Iterable[int] | None = None) -> None:
    """Takes back the bulk approvals of samples (None: of all) that now fail such a filter. States must be up to date but for this."""
    ids = None if sample_ids is None else list(sample_ids)
    if ids == []:
        return
    write.refresh_states()
    meant = {"leaking": bits(write.rows("filters", FilterSetting)), "sample_ids": ids}
    if write.touched_by("touch_bulk_approvals_over_limits", **meant):
        write.run("bulk_approvals_withdraw", **meant, note="it leaks from an eval split, which a bulk approval can't override")
