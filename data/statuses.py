"""The states of a job and of a sample: the values of the store's types `job_status` and `sample_status`.

Their groups are said here alone: `as_json` is what the browser's scripts are given with the page.
Which status a sample has follows from verdicts and reviews by sql/sample_state.sql.
"""

from enum import StrEnum


class JobStatus(StrEnum):
    QUEUED = "queued"  # waits for room in its lane
    RUNNING = "running"  # its child process works
    PAUSED = "paused"  # stopped on request, or by itself (too many bad rows, a spent budget)
    CANCELLED = "cancelled"  # stopped on request, for good; its results are kept
    FAILED = "failed"  # its child process crashed, every row failed, or its results could not be stored
    INTERRUPTED = "interrupted"  # its child process was killed, or the app was stopped
    DONE = "done"  # every row has a result

    @property
    def is_active(self) -> bool:
        """Whether it works or will do so by itself."""
        return self in ACTIVE

    @property
    def can_resume(self) -> bool:
        """Whether it has rows left and does nothing until somebody resumes it."""
        return self in RESTING

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens to it by itself any more: resting or done."""
        return self in ENDED


ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
RESTING = (JobStatus.PAUSED, JobStatus.INTERRUPTED, JobStatus.FAILED, JobStatus.CANCELLED)
ENDED = (*RESTING, JobStatus.DONE)
FAULTY = (JobStatus.FAILED, JobStatus.INTERRUPTED)  # ended by a fault, which its message names


class SampleStatus(StrEnum):
    UNDRAWN = "undrawn"  # has no picture yet
    UNFILTERED = "unfiltered"  # an enabled filter has not judged it yet
    FAILED = "failed"  # fails an enabled filter
    PENDING = "pending"  # passes every filter and waits for a decision
    AUTO_APPROVED = "auto_approved"  # passes every filter and meets the calibrated rule
    APPROVED = "approved"  # by people
    REJECTED = "rejected"  # by people
    DISPUTED = "disputed"  # people disagree


UNDECIDED = (SampleStatus.UNDRAWN, SampleStatus.UNFILTERED, SampleStatus.FAILED, SampleStatus.PENDING, SampleStatus.AUTO_APPROVED)
TRAINED_ON = (SampleStatus.APPROVED, SampleStatus.AUTO_APPROVED)


def as_json() -> dict[str, dict[str, list[str]]]:
    """All states and their groups, by noun: {"job": {"all": […], "active": […], …}, "sample": {"all": […], "undecided": […], …}}."""
    job = {"all": JobStatus, "active": ACTIVE, "resting": RESTING, "ended": ENDED, "faulty": FAULTY}
    sample = {"all": SampleStatus, "undecided": UNDECIDED, "trained_on": TRAINED_ON}
    return {noun: {name: list(group) for name, group in groups.items()} for noun, groups in (("job", job), ("sample", sample))}
