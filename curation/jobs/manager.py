"""Jobs: the launching of a stage in a child process, its watching, stopping and resuming.

A job is a row of the table `job` and a folder (curation/jobs/job_folder.py). One thread a running job watches its child and
collects its results; it ends by moving the row to the status that the child leaves behind (curation/jobs/outcome.py). All moves
go through `_move`.
"""

import json
import logging
import shutil
import threading
import time
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from curation.checkpoints import FILE as CHECKPOINT_FILE
from curation.checkpoints import current_round
from curation.jobs import chains, estimates, outcome, views
from curation.jobs.chains import StepView
from curation.jobs.child_process import Child, start
from curation.jobs.job_folder import JobFolder, JobSpec
from curation.jobs.outcome import JobOutcome
from curation.jobs.result_collector import Collector
from curation.jobs.views import JobView
from curation.prompts import versions
from curation.stage import ChoosesLane, Estimate, FindStage, Job, Stage, UnknownStage
from data.errors import MistakebookError
from data.files import cut_torn_line
from data.processes import Process
from data.records import JobRow, RowError
from data.registry import check_names
from data.statuses import ACTIVE, ENDED, JobStatus
from data.store import Store
from data.workspace import Workspace

LANES = {"gpu": 1, "api": 3, "cpu": 2}  # children at once
LOOK_EVERY = 0.2  # seconds
MOVES = {  # to: from
    JobStatus.RUNNING: (JobStatus.QUEUED,),
    JobStatus.PAUSED: ACTIVE,
    JobStatus.CANCELLED: (*ACTIVE, JobStatus.PAUSED, JobStatus.INTERRUPTED, JobStatus.FAILED),
    JobStatus.FAILED: (JobStatus.RUNNING,),
    JobStatus.INTERRUPTED: (JobStatus.RUNNING,),
    JobStatus.DONE: (JobStatus.RUNNING,),
    JobStatus.QUEUED: ENDED,
}
log = logging.getLogger(__name__)


class JobConflict(MistakebookError):
    """What was asked doesn't fit the job's status."""


class UnknownJob(MistakebookError):
    """There is no such job."""

    status = 404


class JobManager:
    """The jobs of a workspace. `stages` finds a stage's class by name; `grace` is how long a child may take to stop, in seconds."""

    def __init__(self, store: Store, workspace: Workspace, stages: FindStage, grace: float = 20.0):
        self.store, self.workspace = store, workspace
        self._stages, self._grace = stages, grace
        self._collector = Collector(store, workspace)
        self._lock = threading.RLock()
        self._children: dict[int, Child] = {}
        self._at_work: set[threading.Thread] = set()  # watchers, until all is done that follows a job's end
        self._closing = False

    # What people do

    def launch(self, stage_name: str, options: dict[str, Any], author: str, then: Sequence[chains.Step] = ()) -> int:
        """Selects the rows and queues the job; returns its number. `then` follows by itself once it is done (curation/jobs/chains.py).

        Raises UnknownStage, ValidationError, NothingToDo.
        """
        stage = self._stages(stage_name)
        self._check(then)
        check_names(stage.Options, options, stage_name)
        validated = versions.pinned(self.store, stage.Options(**options))
        job_id = self.store.one("job_id_new", int)
        while self.workspace.job(job_id).exists():  # of a job that the store has lost with a damaged log: left as it is
            job_id = self.store.one("job_id_new", int)
        job = Job(job_id, stage_name, current_round(self.store), validated, self.workspace.job(job_id))
        files = JobFolder(job.folder)
        job.folder.mkdir(parents=True)
        try:
            total = files.write_input(stage().select(self.store, self.workspace, job))
            versions.write_texts(self.store, validated, job.folder)
            plain = validated.model_dump(mode="json")
            files.write_spec(JobSpec(job_id=job_id, stage=stage_name, options=plain, workspace=self.workspace.root, total=total))
            lane = validated.lane() if isinstance(validated, ChoosesLane) else stage.lane
            lane = "gpu" if (job.folder / CHECKPOINT_FILE).exists() else lane
            row = {"job_id": job_id, "stage": stage_name, "options": plain, "round": job.round, "lane": lane}
            with self.store.write() as write:
                write.insert("job", [{**row, "status": JobStatus.QUEUED, "total": total, "author": author}])
                if then:
                    write.insert("setting", [chains.row(job_id, then, author)])
        except BaseException:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise
        self._schedule()
        return job_id

    def _check(self, steps: Sequence[chains.Step]) -> None:
        for step in steps:
            self._stages(step.stage).Options(**step.options)
            self._check(step.then)

    def estimate(self, stage_name: str, options: dict[str, Any]) -> Estimate:
        """What a launch would take. Raises as `launch`."""
        stage = self._stages(stage_name)
        return stage().estimate(self.store, self.workspace, stage.Options(**options))

    def estimate_view(self, stage_name: str, options: dict[str, Any]) -> estimates.EstimateView:
        """An estimate with what people must know of the server that is asked. Raises as `launch`."""
        return estimates.view(self.estimate(stage_name, options), self._stages(stage_name).Options(**options))

    def pause(self, job_id: int) -> None:
        """Stops a job after what is in flight; `resume` goes on from there."""
        self._stop(job_id, "pause", JobStatus.PAUSED)

    def cancel(self, job_id: int) -> None:
        """Stops a job after what is in flight; its results are kept."""
        self._stop(job_id, "cancel", JobStatus.CANCELLED)

    def resume(self, job_id: int) -> None:
        """Queues a stopped job again; rows with a result are skipped."""
        row = self._row(job_id)
        if row.status is JobStatus.DONE:
            raise JobConflict(f"job {job_id} is done; nothing is left to resume (retry its errors, if there are any)")
        if _all_failed(row):
            return self.retry_errors(job_id)
        self._move(job_id, JobStatus.QUEUED)
        self._schedule()

    def retry_errors(self, job_id: int) -> None:
        """Queues an ended job again for the rows that failed."""
        row = self._row(job_id)
        files = JobFolder(self.workspace.job(job_id))
        with self._lock:
            if row.status.is_active:
                raise JobConflict(f"job {job_id} is {row.status}; wait for its end, or pause it, then retry its errors")
            cut_torn_line(files.results)
            size = files.results.stat().st_size if files.results.exists() else 0
            files.write_spec(files.read_spec().model_copy(update={"retry_before": size}))
            self._move(job_id, JobStatus.QUEUED)
        self._schedule()

    def set_budget(self, job_id: int, usd: float | None) -> None:
        """Another cap for a job that rests; what it has spent so far counts. None: no cap."""
        row, files = self._row(job_id), JobFolder(self.workspace.job(job_id))
        with self._lock:
            if row.status in (JobStatus.RUNNING, JobStatus.DONE):
                raise JobConflict(f"job {job_id} is {row.status}; its cap can be changed while it is paused")
            spec = files.read_spec()
            if "budget_usd" not in spec.options:
                raise JobConflict(f"job {job_id} ({row.stage}) makes no paid calls: it has no cap")
            plain = self._stages(row.stage).Options(**{**spec.options, "budget_usd": usd}).model_dump(mode="json")
            files.write_spec(spec.model_copy(update={"options": plain}))
            with self.store.write() as write:
                write.run("job_options", job_id=job_id, options=json.dumps(plain))

    # What pages show

    def get(self, job_id: int, stage: str | None = None) -> JobView:
        """A job with its latest progress. Raises UnknownJob, also where it is a job of another stage than `stage`."""
        row = self._row(job_id)
        if stage not in (None, row.stage):
            raise UnknownJob(f"job {job_id} is a job of {row.stage}; look for it under Jobs")
        return self._view(row)

    def chain(self, job_id: int) -> list[StepView]:
        """What follows a job by itself, as it stands, with the progress of what is at work."""
        return [self._with_progress(step) for step in chains.view(self.store, job_id)]

    def active(self) -> list[JobView]:
        """Running and queued jobs, oldest first."""
        return [self._view(row) for row in self.store.rows("jobs_by_status", JobRow, statuses=list(ACTIVE))]

    def wait(self, job_id: int, timeout: float | None = None) -> JobView:
        """Blocks until a job has ended or rests; returns it. Raises TimeoutError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (row := self._row(job_id)).status.has_ended:
            if deadline and time.monotonic() > deadline:
                raise TimeoutError(f"job {job_id} is still {row.status} after {timeout} s")
            time.sleep(LOOK_EVERY / 4)
        return self._view(row)

    def latest(self, limit: int = 100) -> list[JobView]:
        """The latest jobs, newest first."""
        return [self._view(row) for row in self.store.rows("jobs", JobRow, limit=limit)]

    # Start and end of the app

    def resume_after_restart(self) -> None:
        """At start-up: children that outlived the app are watched again, dead ones settled, queued jobs started."""
        for row in self.store.rows("jobs_by_status", JobRow, statuses=[JobStatus.RUNNING]):
            with self._lock:
                self._watch(row.job_id, Child(Process(row.pid or 0, row.pid_started or 0.0)))  # no process has the number 0
        chains.follow_up(self.store, self.launch)
        self._schedule()

    def shutdown(self) -> None:
        """Stops all children gracefully, kills those that take longer than the grace period, and collects what they left."""
        with self._lock:
            self._closing = True
            running, watchers = list(self._children), list(self._at_work)
        for job_id in running:
            self._ask_to_stop(job_id, "shutdown")
        for watcher in watchers:
            watcher.join(self._grace + 10)
        self._collector.close()

    # Inside

    def _stop(self, job_id: int, why: str, status: JobStatus) -> None:
        with self._lock:
            if self._row(job_id).status is JobStatus.RUNNING:
                self._ask_to_stop(job_id, why)
            else:
                self._move(job_id, status)

    def _ask_to_stop(self, job_id: int, why: str) -> None:
        files = JobFolder(self.workspace.job(job_id))
        if why != "shutdown" or not files.stop.exists():
            files.stop.write_text(why, encoding="utf-8")
        if child := self._children.get(job_id):
            child.terminate()

    def _schedule(self) -> None:
        """Starts queued jobs, oldest first, where their lane has room."""
        with self._lock:
            if self._closing:
                return
            active = self.store.rows("jobs_by_status", JobRow, statuses=list(ACTIVE))
            room = dict(LANES)
            for row in active:
                if row.status is JobStatus.RUNNING:
                    room[row.lane] -= 1
            for row in active:
                if row.status is JobStatus.QUEUED and room[row.lane] > 0 and self._start(row.job_id, row.stage):
                    room[row.lane] -= 1

    def _start(self, job_id: int, stage_name: str) -> bool:
        """Starts a queued job. One of a stage that only another version has is paused, and keeps no lane from the others: False."""
        try:
            stage = self._stages(stage_name)
        except UnknownStage as unknown:
            self._move(job_id, JobStatus.PAUSED, message=str(unknown))
            return False
        files = JobFolder(self.workspace.job(job_id))
        files.stop.unlink(missing_ok=True)
        files.append_event({"event": "launched", "time": time.time()})
        child = start(files, job_id, stage)
        self._move(job_id, JobStatus.RUNNING, child=child)
        self._watch(job_id, child)
        return True

    def _watch(self, job_id: int, child: Child) -> None:
        self._children[job_id] = child
        watcher = threading.Thread(target=self._watch_and_settle, args=(job_id, child), name=f"job {job_id}", daemon=True)
        self._at_work.add(watcher)
        watcher.start()

    def _watch_and_settle(self, job_id: int, child: Child) -> None:
        """What a watcher does: collects results until the child is gone and all are in, then settles the job."""
        try:
            try:
                stage, job = self._load(job_id)
            except (UnknownStage, ValidationError) as unfit:
                self._give_up(job_id, child, unfit)
                return
            files, problem = JobFolder(job.folder), None
            while True:
                alive = child.is_alive()
                problem = self._collect(stage, job) or problem
                if problem:
                    child.kill()
                if not alive:
                    break
                child.kill_if_overdue(files, self._grace)
                time.sleep(LOOK_EVERY)
            self._settle(stage, job, JobOutcome(JobStatus.FAILED, problem) if problem else outcome.of(files, child, self._grace))
        finally:
            with self._lock:
                self._at_work.discard(threading.current_thread())

    def _give_up(self, job_id: int, child: Child, why: UnknownStage | ValidationError) -> None:
        """Ends a running job that only another version can go on with: one that launched it before this app was started."""
        child.kill()
        reason = str(why) if isinstance(why, UnknownStage) else f"options that this version's stage doesn't take ({why})"
        log.error("job %d: %s", job_id, reason)
        folder = self.workspace.job(job_id)
        message = f"{reason}. Its results are kept in {folder}; resume it in the version that launched it."
        self._end(job_id, JobOutcome(JobStatus.FAILED, message))
        self._schedule()

    def _collect(self, stage: Stage[Any], job: Job[Any]) -> str | None:
        """Collects what the child has written by now; says what is wrong where that can't be stored."""
        try:
            while self._collector.collect(stage, job):
                pass
            self._collector.copy_replies()
        except Exception as error:
            log.exception("job %d: results could not be stored", job.job_id)
            return f"results could not be stored ({type(error).__name__}: {error}). They are kept in {job.folder}; resume tries again."
        return None

    def _settle(self, stage: Stage[Any], job: Job[Any], left: JobOutcome) -> None:
        if left.status is JobStatus.DONE:
            left = self._finish(stage, job)
        try:
            self._collector.remember()
        finally:
            self._end(job.job_id, left)
        if left.status is JobStatus.DONE:
            chains.follow(self.store, job.job_id, self.launch)
        self._schedule()

    def _end(self, job_id: int, left: JobOutcome) -> None:
        with self._lock:
            self._move(job_id, left.status, message=left.message)
            self._children.pop(job_id, None)

    def _finish(self, stage: Stage[Any], job: Job[Any]) -> JobOutcome:
        """What a stage does after the last result; a job whose every row has failed is a failed one."""
        try:
            message = stage.finish(self.store, self.workspace, job)
            if not _all_failed(self._row(job.job_id)):
                return JobOutcome(JobStatus.DONE, message)
            first = self.store.row("row_errors", RowError, job_id=job.job_id, after="", limit=1)
            return JobOutcome(JobStatus.FAILED, "; ".join(filter(None, [message, first.error if first else None])))
        except Exception as error:
            log.exception("job %d: could not be finished", job.job_id)
            return JobOutcome(JobStatus.FAILED, f"all results are stored, but finishing failed ({error}); resume tries again.")

    def _move(self, job_id: int, status: JobStatus, message: str | None = None, child: Child | None = None) -> None:
        process = {"pid": child.pid if child else None, "pid_started": child.process.started if child else None}
        process["seconds"] = worked.seconds if (worked := self._children.get(job_id)) else None
        with self.store.write() as write:
            moved = write.run("job_move", job_id=job_id, status=status, allowed=list(MOVES[status]), message=message, **process)
        if not moved:
            now = self._row(job_id).status
            raise JobConflict(f"job {job_id} is {now}; it can't become {status}")

    def _row(self, job_id: int) -> JobRow:
        row = self.store.row("job", JobRow, job_id=job_id)
        if row is None:
            raise UnknownJob(f"there is no job {job_id}; `mistakebook jobs` lists them")
        return row

    def _load(self, job_id: int) -> tuple[Stage[Any], Job[Any]]:
        row = self._row(job_id)
        stage = self._stages(row.stage)
        options = stage.Options(**row.options)
        return stage(), Job(job_id, row.stage, row.round or 0, options, self.workspace.job(job_id))

    def _with_progress(self, step: StepView) -> StepView:
        if step.job_id is None or step.status not in ACTIVE:
            return step
        return step.model_copy(update={"progress": self.get(step.job_id).progress})

    def _title(self, stage: str) -> str:
        """Its title; of a stage that another version had, its name: its jobs are still shown."""
        try:
            return self._stages(stage).title
        except UnknownStage:
            return stage

    def _view(self, row: JobRow) -> JobView:
        running = row.status is JobStatus.RUNNING
        files = JobFolder(self.workspace.job(row.job_id))
        return views.view(row, self._title(row.stage), files.last_events() if running else {}, running and files.stop.exists())


def _all_failed(row: JobRow) -> bool:
    """Whether a job's every row has failed: the one row of a finetune, say."""
    return row.done == 0 and 0 < row.total <= row.failed  # an import is one row and may have many bad lines
