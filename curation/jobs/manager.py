"""Jobs: the launching of a stage in a child process, its watching, stopping and resuming.

A job is a row of the table `job` and a folder (curation/jobs/job_folder.py). One thread a running job watches its child and
takes up its results; it ends by moving the row to the status that the child's last event says. All moves go through `_move`.
"""

import json
import logging
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.checkpoints import FILE as CHECKPOINT_FILE
from curation.checkpoints import current_round
from curation.jobs import chains, estimates
from curation.jobs.child_process import Child, attach, start
from curation.jobs.job_folder import CRASHED, DONE, PAUSED_ITSELF, STOPPED, JobFolder, cut_torn_line
from curation.jobs.result_collector import Collector
from curation.prompts import versions
from curation.stage import ChoosesLane, Estimate, FindStage, Job, UnknownStage
from data.errors import MistakebookError
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
FULL = 1 << 20  # bytes free below which a child may not even be able to say why it ended
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
        for step in then:
            self._stages(step.stage).Options(**step.options)
        validated = versions.pinned(self.store, stage.Options(**options))
        job_id = self.store.value("job_id_new")
        job = Job(job_id, stage_name, current_round(self.store), validated, self.workspace.job(job_id))
        files = JobFolder(job.folder)
        job.folder.mkdir(parents=True)
        try:
            total = files.write_input(stage().select(self.store, self.workspace, job))
            versions.write_texts(self.store, validated, job.folder)
            plain = validated.model_dump(mode="json")
            files.write_spec(
                {
                    "job_id": job_id,
                    "stage": stage_name,
                    "options": plain,
                    "workspace": str(self.workspace.root),
                    "total": total,
                    "retry_before": 0,
                }
            )
            lane = validated.lane() if isinstance(validated, ChoosesLane) else stage.lane
            lane = "gpu" if (job.folder / CHECKPOINT_FILE).exists() else lane
            row = {"job_id": job_id, "stage": stage_name, "options": plain, "round": job.round, "lane": lane}
            with self.store.write() as write:
                write.insert("job", [{**row, "status": JobStatus.QUEUED, "total": total, "author": author}])
                if then:
                    write.insert("setting", [chains.row(job_id, list(then), author)])
        except BaseException:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise
        self._schedule()
        return job_id

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
        if row["status"] == JobStatus.DONE:
            raise JobConflict(f"job {job_id} is done; nothing is left to resume (retry its errors, if it has some)")
        if _all_bad(row):
            return self.retry_errors(job_id)
        self._move(job_id, JobStatus.QUEUED)
        self._schedule()

    def retry_errors(self, job_id: int) -> None:
        """Queues an ended job again for the rows that failed."""
        row = self._row(job_id)
        files = JobFolder(self.workspace.job(job_id))
        with self._lock:
            if row["status"] in ACTIVE:
                raise JobConflict(f"job {job_id} is {row['status']}; wait for its end, or pause it, then retry its errors")
            cut_torn_line(files.results)
            size = files.results.stat().st_size if files.results.exists() else 0
            files.write_spec({**files.read_spec(), "retry_before": size})
            self._move(job_id, JobStatus.QUEUED)
        self._schedule()

    def set_budget(self, job_id: int, usd: float | None) -> None:
        """Another cap for a job that rests; what it has spent so far counts. None: no cap."""
        row, files = self._row(job_id), JobFolder(self.workspace.job(job_id))
        with self._lock:
            if row["status"] in (JobStatus.RUNNING, JobStatus.DONE):
                raise JobConflict(f"job {job_id} is {row['status']}; its cap can be changed while it is paused")
            spec = files.read_spec()
            if "budget_usd" not in spec["options"]:
                raise JobConflict(f"job {job_id} ({row['stage']}) asks nobody who bills: it has no cap")
            plain = self._stages(row["stage"]).Options(**{**spec["options"], "budget_usd": usd}).model_dump(mode="json")
            files.write_spec({**spec, "options": plain})
            with self.store.write() as write:
                write.run("job_options", job_id=job_id, options=json.dumps(plain))

    # What pages show

    def get(self, job_id: int) -> dict[str, Any]:
        """A job as JSON-able values, with its latest progress. Raises UnknownJob."""
        return self._view(self._row(job_id))

    def active(self) -> list[dict[str, Any]]:
        """Running and queued jobs, oldest first."""
        return [self._view(row) for row in self.store.rows("jobs_by_status", statuses=list(ACTIVE))]

    def wait(self, job_id: int, timeout: float | None = None) -> dict[str, Any]:
        """Blocks until a job has ended or rests; returns it. Raises TimeoutError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (row := self._row(job_id))["status"] not in ENDED:
            if deadline and time.monotonic() > deadline:
                raise TimeoutError(f"job {job_id} is still {row['status']} after {timeout} s")
            time.sleep(LOOK_EVERY / 4)
        return self._view(row)

    def list(self, limit: int = 100) -> list[dict[str, Any]]:
        """The latest jobs, newest first."""
        return [self._view(row) for row in self.store.rows("jobs", limit=limit)]

    # Start and end of the app

    def recover(self) -> None:
        """At start-up: children that outlived the app are watched again, dead ones settled, queued jobs started."""
        for row in self.store.rows("jobs_by_status", statuses=[JobStatus.RUNNING]):
            with self._lock:
                self._watch(row["job_id"], attach(row["pid"], row["pid_started"], self.workspace.job(row["job_id"])))
        chains.follow_up(self.store, self.launch)
        self._schedule()

    def shutdown(self) -> None:
        """Stops all children gracefully, kills those that take longer than the grace period, and takes up what they left."""
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
            if self._row(job_id)["status"] == JobStatus.RUNNING:
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
            active = self.store.rows("jobs_by_status", statuses=list(ACTIVE))
            room = dict(LANES)
            for row in active:
                if row["status"] == JobStatus.RUNNING:
                    room[row["lane"]] -= 1
            for row in active:
                if row["status"] == JobStatus.QUEUED and room[row["lane"]] > 0 and self._start(row["job_id"], row["stage"]):
                    room[row["lane"]] -= 1

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
        watcher = threading.Thread(target=self._watching, args=(job_id, child), name=f"job {job_id}", daemon=True)
        self._at_work.add(watcher)
        watcher.start()

    def _watching(self, job_id: int, child: Child) -> None:
        try:
            self._watch_and_settle(job_id, child)
        finally:
            with self._lock:
                self._at_work.discard(threading.current_thread())

    def _watch_and_settle(self, job_id: int, child: Child) -> None:
        """Takes up results until the child is gone and all are in, then settles the job."""
        stage, job = self._load(job_id)
        files, problem = JobFolder(job.folder), None
        while True:
            alive = child.is_alive()
            try:
                while self._collector.collect(stage, job):
                    pass
                self._collector.copy_replies()
            except Exception as error:
                log.exception("job %d: results could not be taken up", job_id)
                problem = (
                    f"results could not be stored ({type(error).__name__}: {error}). They are kept in {job.folder}; resume tries again."
                )
                child.kill()
            if not alive:
                break
            child.kill_if_overdue(files, self._grace)
            time.sleep(LOOK_EVERY)
        self._settle(stage, job, problem or self._verdict(files, child))

    def _settle(self, stage: Any, job: Job, outcome: str | tuple[JobStatus, str | None]) -> None:
        status, message = (JobStatus.FAILED, outcome) if isinstance(outcome, str) else outcome
        if status is JobStatus.DONE:
            try:
                message = stage.finish(self.store, self.workspace, job)
                if _all_bad(self._row(job.job_id)):
                    first = self.store.row("row_errors", job_id=job.job_id, after="", limit=1)
                    status, message = JobStatus.FAILED, first["error"] if first else message
            except Exception as error:
                log.exception("job %d: could not be finished", job.job_id)
                status, message = JobStatus.FAILED, f"all results are stored, but finishing failed ({error}); resume tries again."
        try:
            self._collector.remember()
        finally:
            with self._lock:
                self._move(job.job_id, status, message=message)
                self._children.pop(job.job_id, None)
        if status is JobStatus.DONE:
            chains.follow(self.store, job.job_id, self.launch)
        self._schedule()

    def _verdict(self, files: JobFolder, child: Child) -> tuple[JobStatus, str | None]:
        """The status that a child that is gone leaves behind, and a message."""
        events = files.last_events()
        end = events.get("end")
        stop = files.stop.read_text(encoding="utf-8") if files.stop.exists() else None
        stopped = {"pause": JobStatus.PAUSED, "cancel": JobStatus.CANCELLED}.get(stop or "", JobStatus.INTERRUPTED)
        if end and end["time"] >= events.get("launched", end)["time"]:
            status = {DONE: JobStatus.DONE, CRASHED: JobStatus.FAILED, STOPPED: stopped, PAUSED_ITSELF: JobStatus.PAUSED}[end["code"]]
            return status, "the app was stopped" if status is JobStatus.INTERRUPTED else None if end["code"] == STOPPED else end["reason"]
        if stop:
            early = child.exit_code == -signal.SIGTERM  # it was still starting, and nothing was in flight
            return stopped, None if early else f"killed: it did not stop within {self._grace:.0f} s"
        if shutil.disk_usage(files.folder).free < FULL:
            return JobStatus.FAILED, f"the disk that holds {files.folder} is full; what was done is kept. Free some space, then resume"
        if child.exit_code is not None and child.exit_code > 0:
            return JobStatus.FAILED, files.log_tail(2000).strip().rpartition("\n")[2] or f"its process ended with code {child.exit_code}"
        return JobStatus.INTERRUPTED, "its process was killed (out of memory, or the machine went down); resume goes on where it stood"

    def _move(self, job_id: int, status: JobStatus, message: str | None = None, child: Child | None = None) -> None:
        process = {"pid": child.pid if child else None, "pid_started": child.started if child else None}
        with self.store.write() as write:
            moved = write.run("job_move", job_id=job_id, status=status, allowed=list(MOVES[status]), message=message, **process)
        if not moved:
            now = self._row(job_id)["status"]
            raise JobConflict(f"job {job_id} is {now}; it can't become {status}")

    def _row(self, job_id: int) -> dict[str, Any]:
        row = self.store.row("job", job_id=job_id)
        if row is None:
            raise UnknownJob(f"there is no job {job_id}; `mistakebook jobs` lists them")
        return row

    def _load(self, job_id: int) -> tuple[Any, Job]:
        row = self._row(job_id)
        stage = self._stages(row["stage"])
        options = stage.Options(**json.loads(row["options"]))
        return stage(), Job(job_id, row["stage"], row["round"], options, self.workspace.job(job_id))

    def _title(self, stage: str) -> str:
        """Its title; of a stage that another version had, its name: its jobs are still shown."""
        try:
            return self._stages(stage).title
        except UnknownStage:
            return stage

    def _view(self, row: dict[str, Any]) -> dict[str, Any]:
        running = row["status"] == JobStatus.RUNNING
        files = JobFolder(Path(self.workspace.job(row["job_id"])))
        events = files.last_events() if running else {}
        since = events.get("launched", {"time": 0.0})["time"]
        current = {kind: event for kind, event in events.items() if event["time"] >= since}
        shown = {name: value for name, value in row.items() if name not in ("pid", "pid_started", "results_offset")}
        return shown | {
            "title": self._title(row["stage"]),
            "options": json.loads(row["options"]),
            "message": current.get("message", {}).get("text") if running else row["message"],
            "progress": current.get("progress"),
            "stopping": running and files.stop.exists(),
            **{name: row[name] and row[name].isoformat() for name in ("created_at", "started_at", "ended_at")},
        }


def _all_bad(row: dict[str, Any]) -> bool:
    """Whether a job's every row has failed: the one row of a finetune, say."""
    return row["done"] == 0 and 0 < row["total"] <= row["failed"]  # an import is one row and may have many bad lines
