"""Diagnose: the frontier model first answers each failure blind, then says what went wrong in the checkpoint's answer.

A failure is teachable where the blind answer is right and neither the label nor the scorer is to blame (METHOD.md, step 1).
"""

from collections.abc import Iterator

from pydantic import Field

from curation import checkpoints
from curation.failures import selection
from curation.failures.selection import NO_FIELD, FailureFilter
from curation.frontier.client import bad_row, client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompts.reply_schemas import BlindAnswer, Diagnosis
from curation.prompts.requests import blind_request, diagnosis_request
from curation.prompts.templates import PromptOptions, Prompts
from curation.prompts.versions import prompts_for
from curation.stage import API_BATCH, Context, Estimate, Job, Result, Row, Stage, nothing, spread
from data.images import ImageStore
from data.metrics import score_once
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.frontier import Outcome, Request


class DiagnoseOptions(FrontierOptions, PromptOptions):
    STAGE = "diagnose"
    PROMPTS = ("blind", "diagnosis")
    failure_ids: list[int] | None = Field(default=None, description="Failures to diagnose; all of the round if empty.")
    matching: FailureFilter | None = Field(default=None, description="Only failures that match this filter.", json_schema_extra=NO_FIELD)
    expected: int | None = Field(default=None, ge=0, description="Refuse the launch unless as many match.", json_schema_extra=NO_FIELD)
    limit: int | None = Field(default=None, ge=1, description="Maximum number of failures.")
    again: bool = Field(default=False, description="Also diagnose failures that already have a diagnosis.")


class Diagnose(Stage[DiagnoseOptions]):
    name = "diagnose"
    title = "Diagnose failures with the frontier model"
    lane = "api"
    batch_size = API_BATCH
    Options = DiagnoseOptions

    def select(self, store: Store, workspace: Workspace, job: Job[DiagnoseOptions]) -> list[Row]:
        images = ImageStore(workspace.images)
        rows = [
            {**row, "key": str(row["failure_id"]), "image_path": str(images.path(row["image"]))}
            for row in _failures(store, workspace, job.round, job.options)
        ]
        selection.check_count(len(rows), job.options.expected)
        if not rows:
            text = f"round {job.round} has no failure left to diagnose. Evaluate a checkpoint first, or diagnose again."
            raise nothing(store, "diagnosis", text)
        return rows

    def estimate(self, store: Store, workspace: Workspace, options: DiagnoseOptions) -> Estimate:
        rows = _failures(store, workspace, checkpoints.current_round(store), options)
        images, prompts = ImageStore(workspace.images), prompts_for(store, options.PROMPTS, options.prompts)
        probe = [{**row, "key": str(i), "image_path": str(images.path(row["image"]))} for i, row in enumerate(spread(rows))]
        blind = [blind_request(row["key"], row, row["image_path"], prompts) for row in probe]
        diagnoses = [diagnosis_request(row, row["golds"][0], prompts) for row in probe]  # the gold is as long as its own answer will be
        with open_client(options, workspace) as client:
            calls, usd = sum_estimates(client.estimate(requests, len(rows)) for requests in (blind, diagnoses))
        return Estimate(rows=len(rows), calls=calls, usd=usd, detail={"failures": len(rows)})

    def collect(self, write: Transaction, job: Job[DiagnoseOptions], results: list[Result]) -> None:
        rows = [{k: v for k, v in result.items() if k != "key"} | {"job_id": job.job_id} for result in results]
        write.insert("diagnosis", rows, key=("failure_id", "job_id"))

    def setup(self, context: Context[DiagnoseOptions]) -> None:
        self.client = client_of(context)
        self.batch_size = context.options.rows_at_once
        self.prompts = Prompts.of_job(context.folder)
        self.should_stop = context.should_stop
        self.frontier = context.options.model

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        by_key = {row["key"]: row for row in rows}
        answered: dict[str, tuple[BlindAnswer, tuple[str, ...]]] = {}

        def then(outcome: Outcome) -> Request | None:
            """A blind answer is followed by its diagnosis at once."""
            if not isinstance(outcome.parsed, BlindAnswer):
                return None
            answered[outcome.key] = outcome.parsed, outcome.replies
            return diagnosis_request(by_key[outcome.key], outcome.parsed.answer, self.prompts)

        blind_requests = (blind_request(row["key"], row, row["image_path"], self.prompts) for row in rows)
        for outcome in self.client.ask_all(blind_requests, self.should_stop, then):
            if outcome.parsed is None:
                yield bad_row(outcome)
            elif isinstance(outcome.parsed, Diagnosis):
                yield self._result(by_key[outcome.key], *answered.pop(outcome.key), outcome.parsed, outcome.replies)

    def _result(
        self, row: Row, blind: BlindAnswer, blind_replies: tuple[str, ...], diagnosis: Diagnosis, replies: tuple[str, ...]
    ) -> Result:
        return {
            "key": row["key"],
            "failure_id": row["failure_id"],
            **diagnosis.model_dump(exclude={"skill"}),
            "skill": " ".join(diagnosis.skill.split()) or None,
            "own_answer": blind.answer,
            "own_score": score_once(row["metric"], blind.answer, row["golds"], row["choices"]).lenient,
            "frontier": self.frontier,
            "replies": [*blind_replies, *replies],
        }


def _failures(store: Store, workspace: Workspace, round_: int, options: DiagnoseOptions) -> list[Row]:
    return store.rows(
        "failures_to_diagnose",
        round=round_,
        failure_ids=options.failure_ids,
        selected=selection.selected(store, workspace, options.matching, round_),
        again=options.again or options.failure_ids is not None,
        limit=options.limit,
    )
