"""How a job stands once its child process is gone: from the child's last event, the stop file, and its exit code."""

import shutil
import signal
from dataclasses import dataclass

from curation.jobs.child_process import Child
from curation.jobs.job_folder import JobFolder
from data.child_work import ExitCode
from data.statuses import JobStatus

DISK_FULL_BELOW = 1 << 20  # bytes free: with fewer a child may not even be able to say why it ended
ON_REQUEST = {"pause": JobStatus.PAUSED, "cancel": JobStatus.CANCELLED}  # by the text of the stop file; else the app was stopped


@dataclass(frozen=True)
class JobOutcome:
    status: JobStatus
    message: str | None


def of(files: JobFolder, child: Child, grace: float) -> JobOutcome:
    """What a child leaves behind; `grace` is how long it might take to stop, in seconds."""
    end = files.last_events().get("end")
    request = files.stop.read_text(encoding="utf-8") if files.stop.exists() else None
    stopped = ON_REQUEST.get(request or "", JobStatus.INTERRUPTED)
    if end:
        return _reported(ExitCode(end["code"]), end["reason"], stopped)
    if request:
        early = child.exit_code == -signal.SIGTERM  # it was still starting, and nothing was in flight
        return JobOutcome(stopped, None if early else f"killed: it did not stop within {grace:.0f} s")
    if shutil.disk_usage(files.folder).free < DISK_FULL_BELOW:
        full = f"the disk that holds {files.folder} is full; what was done is kept. Free some space, then resume"
        return JobOutcome(JobStatus.FAILED, full)
    if child.exit_code is not None and child.exit_code > 0:
        last_line = files.log_tail(2000).strip().rpartition("\n")[2]
        return JobOutcome(JobStatus.FAILED, last_line or f"its process ended with code {child.exit_code}")
    killed = "its process was killed (out of memory, or the machine went down); resume continues where it stopped"
    return JobOutcome(JobStatus.INTERRUPTED, killed)


def _reported(code: ExitCode, reason: str | None, stopped: JobStatus) -> JobOutcome:
    """From the last event of the child."""
    if code is ExitCode.STOPPED:
        return JobOutcome(stopped, "the app was stopped" if stopped is JobStatus.INTERRUPTED else None)
    status = {ExitCode.DONE: JobStatus.DONE, ExitCode.FAILED: JobStatus.FAILED, ExitCode.REFUSED: JobStatus.PAUSED}[code]
    return JobOutcome(status, reason)
