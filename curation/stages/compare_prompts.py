"""Compare prompts: two versions of one prompt asked about the same failures. Nothing of it enters the loop."""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from curation import checkpoints, taxonomy
from curation.frontier import endpoints
from curation.frontier.client import bad_row, client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompt_lab.trial import SIDES, asked_about, material, outcome_of, request_for, stage_of, texts_folder
from curation.prompts import versions as prompt_versions
from curation.prompts.reply_schemas import BlindAnswer
from curation.prompts.requests import Difficulty, blind_request
from curation.prompts.templates import PromptOptions, Prompts, shipped
from curation.stage import API_BATCH, Context, Estimate, Job, NothingToDo, Result, Row, Stage, spread
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.frontier import Outcome, Request

Compared = Literal["agreement", "blind", "diagnosis", "guess", "judge", "proposal"]
COMPARED: tuple[str, ...] = get_args(Compared)


class ComparePromptsOptions(FrontierOptions, PromptOptions):
    STAGE = "compare_prompts"
    PROMPTS = ("blind",)  # the blind answer that a diagnosis is given is the same for both sides
    prompt: Compared = Field(default="diagnosis", description="The prompt of which two versions are compared.")
    a: str = Field(default=prompt_versions.SHIPPED_BY, description="One version: its first characters, or shipped.")
    b: str = Field(default="", description="The other version; the one in use if empty.")
    limit: int = Field(default=20, ge=1, le=500, description="Failures to compare on, balanced across error types.")
    failure_ids: list[int] | None = Field(default=None, description="Failures to compare on, by number.")
    per_failure: int = Field(default=3, ge=1, le=20, description="Samples per failure, for proposals.")
    route: Literal["same_image", "new_image"] = Field(default="same_image", description="Route, for proposals.")
    difficulty: Difficulty = Field(default="as_seed", description="Difficulty, for proposals.")

    @model_validator(mode="before")
    @classmethod
    def _endpoint_of_its_stage(cls, given: Any) -> Any:
        """Asked is whom the prompt's own stage asks, unless the launch says otherwise."""
        if isinstance(given, dict) and not given.get("frontier") and "endpoint" not in given:
            name = endpoints.read().stages.get(stage_of(shipped(given.get("prompt", "diagnosis"))))
            return {**given, "frontier": name} if name else given
        return given


class ComparePrompts(Stage[ComparePromptsOptions]):
    """A row a failure and side; both sides use the same blind answer, where one is needed."""

    name = "compare_prompts"
    title = "Compare two versions of a prompt"
    lane = "api"
    batch_size = API_BATCH
    Options = ComparePromptsOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ComparePromptsOptions]) -> list[Row]:
        options = job.options
        versions = versions_of(store, options)
        if versions["a"] == versions["b"]:
            raise NothingToDo(f"both sides are version {versions['a']} of prompt {options.prompt}: edit it first, or choose another one.")
        for side, version in versions.items():
            folder = texts_folder(job.folder, side)
            folder.mkdir()
            Prompts({options.prompt: prompt_versions.text_of(store, options.prompt, version)}, taxonomy.current(store)).write(folder)
        rows = _material(store, workspace, options, job.round)
        if not rows:
            wanted = "teachable failure" if options.prompt == "proposal" else "failure"
            raise NothingToDo(f"round {job.round} has no {wanted} to compare on. Evaluate a checkpoint, and diagnose failures, first.")
        return [{**row, "key": f"{row['key']}/{side}", "side": side, "version": versions[side]} for row in rows for side in SIDES]

    def estimate(self, store: Store, workspace: Workspace, options: ComparePromptsOptions) -> Estimate:
        rows = _material(store, workspace, options, checkpoints.current_round(store))
        probe, parts = spread(rows), []
        with open_client(options, workspace) as client:
            if options.prompt == "diagnosis":
                prompts = prompt_versions.prompts_for(store, options.PROMPTS, options.prompts)
                parts.append(client.estimate([blind_request(row["key"], row, row["image_path"], prompts) for row in probe], len(rows)))
            for version in versions_of(store, options).values():
                prompts = prompt_versions.prompts_for(store, (options.prompt,), {options.prompt: version})
                requests = [_request(_with_own_answer(row), prompts, options) for row in probe]
                parts.append(client.estimate(requests, len(rows)))
        calls, usd = sum_estimates(parts)
        return Estimate(rows=len(rows), calls=calls, usd=usd, detail={"failures": len(rows)})

    def collect(self, write: Transaction, job: Job[ComparePromptsOptions], results: list[Result]) -> None:
        rows = [
            {**{name: result[name] for name in ("key", "side", "failure_id", "replies")}, "result": json.dumps(result["result"])}
            for result in results
        ]
        write.insert("prompt_comparison", [row | {"job_id": job.job_id} for row in rows])

    def setup(self, context: Context[ComparePromptsOptions]) -> None:
        self.client = client_of(context)
        self.batch_size = context.options.rows_at_once
        self.options, self.should_stop = context.options, context.should_stop
        self.prompts = Prompts.of_job(context.folder)
        self.sides = {side: Prompts.of_job(texts_folder(context.folder, side)) for side in SIDES}

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        by_key = {row["key"]: row for row in rows}
        name, blind = self.options.prompt, {}

        def then(outcome: Outcome) -> Request | None:
            """A blind answer is followed by the diagnosis of its side."""
            if name != "diagnosis" or not isinstance(outcome.parsed, BlindAnswer):
                return None
            row = by_key[outcome.key]
            row["own_answer"] = outcome.parsed.answer
            blind[outcome.key] = outcome.replies
            return _request(row, self.sides[row["side"]], self.options)

        for outcome in self.client.ask_all(map(self._first, rows), self.should_stop, then):
            row = by_key[outcome.key]
            replies = (*blind.get(outcome.key, ()), *outcome.replies)
            if outcome.parsed is None:
                yield bad_row(outcome)
            elif name != "diagnosis" or not isinstance(outcome.parsed, BlindAnswer):
                asked = asked_about(row)
                result = outcome_of(name, row, outcome.parsed, self.options.route, self.prompts.taxonomy)
                result |= {"version": row["version"], "asked": asked and asked.to_row()}
                given = {"key": row["key"], "side": row["side"], "failure_id": row["failure_id"]}
                yield {**given, "result": result, "replies": list(replies)}

    def _first(self, row: Row) -> Request:
        if self.options.prompt == "diagnosis":
            return blind_request(row["key"], row, row["image_path"], self.prompts)
        return _request(row, self.sides[row["side"]], self.options)


def versions_of(store: Store, options: ComparePromptsOptions) -> dict[str, str]:
    """The whole names of both versions, by side. Raises UnknownPrompt."""
    b = options.b or prompt_versions.in_use(store, options.prompt)
    return {side: prompt_versions.full_version(store, options.prompt, version) for side, version in zip(SIDES, (options.a, b))}


def _material(store: Store, workspace: Workspace, options: ComparePromptsOptions, round_: int) -> list[Row]:
    limit = None if options.failure_ids else options.limit
    return material(store, workspace, options.prompt, round_, options.failure_ids, limit)


def _request(row: Row, prompts: Prompts, options: ComparePromptsOptions) -> Request:
    return request_for(options.prompt, {"route": options.route, **row}, prompts, options.per_failure, options.difficulty)


def _with_own_answer(row: Row) -> Row:
    """For an estimate: the gold answer in place of a blind one that isn't known yet, since it is as long."""
    return row if row["own_answer"] is not None else {**row, "own_answer": row["golds"][0]}
