"""Exit codes of commands: 0 done, 1 failed, 2 not understood (argparse), 3 a job that rests because somebody stopped it."""

from data.statuses import JobStatus

FAILED = 1
EXIT_OF_JOB = {JobStatus.DONE: 0, JobStatus.PAUSED: 3, JobStatus.CANCELLED: 3}  # else FAILED
