"""Generate: the frontier model proposes new samples for teachable failures, on the same image or with a prompt for a new one."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from curation import checkpoints
from curation.failures import selection
from curation.failures.selection import NO_FIELD, FailureFilter
from curation.filtering.proposal_rules import sift
from curation.frontier.client import bad_row, client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompts.reply_schemas import Proposals
from curation.prompts.requests import Difficulty, proposal_request
from curation.prompts.templates import PromptOptions, Prompts
from curation.prompts.versions import prompts_for
from curation.results import budget_split
from curation.stage import API_BATCH, Context, Estimate, Job, NothingToDo, Result, Row, Stage, spread
from curation.statistics import quotas
from data.images import ImageStore
from data.picture_specs.spec import PictureSpec
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.frontier import Outcome


class GenerateOptions(FrontierOptions, PromptOptions):
    STAGE = "generate"
    PROMPTS = ("proposal",)
    failure_ids: list[int] | None = Field(default=None, description="Failures to target; all teachable ones if empty.")
    cluster_ids: list[int] | None = Field(default=None, description="Clusters to target; all if empty.")
    matching: FailureFilter | None = Field(default=None, description="Only failures that match this filter.", json_schema_extra=NO_FIELD)
    expected: int | None = Field(default=None, ge=0, description="Refuse the launch unless as many match.", json_schema_extra=NO_FIELD)
    limit: int | None = Field(default=None, ge=1, description="Maximum number of failures; each cluster gets its quota.")
    split: quotas.Split | None = Field(
        default=None,
        description="Quota of a cluster: its share of the failures, of their square roots, the same for all, or the split accepted on "
        "Results (default, if any).",
    )
    weights: dict[str, float] | None = Field(
        default=None,
        description="Quotas by number of cluster (error type where there is none), in place of a split.",
        json_schema_extra=NO_FIELD,
    )
    per_failure: int = Field(default=3, ge=1, le=20, description="Samples per failure and route.")
    contrasts: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Samples per failure and route that ask the opposite of another; at most half. Where what the model knows is replayed, "
        "more samples of the failed skill teach more.",
    )
    route: Literal["same_image", "new_image", "both"] = Field(
        default="both", description="Questions on the same image, a new one, or both."
    )
    difficulty: Difficulty = Field(default="as_seed", description="Difficulty, relative to the failure.")
    images_per_prompt: int = Field(default=1, ge=1, le=8, description="Images per image prompt.")


class Generate(Stage[GenerateOptions]):
    name = "generate"
    title = "Generate samples that target the failures"
    lane = "api"
    batch_size = API_BATCH
    Options = GenerateOptions

    def select(self, store: Store, workspace: Workspace, job: Job[GenerateOptions]) -> list[Row]:
        failures = failures_to_practise(store, workspace, job.round, job.options)
        selection.check_count(len(failures), job.options.expected)
        if not failures:
            raise NothingToDo(f"round {job.round} has no teachable failure among these. Diagnose failures first, or choose other clusters.")
        return _rows(store, workspace, failures, job.options)

    def estimate(self, store: Store, workspace: Workspace, options: GenerateOptions) -> Estimate:
        round_ = checkpoints.current_round(store)
        failures = failures_to_practise(store, workspace, round_, options)
        asked_by, prompts = routes(options.route), prompts_for(store, options.PROMPTS, options.prompts)
        rows = _rows(store, workspace, spread(failures), options)
        probe = [proposal_request(row, options.per_failure, options.difficulty, prompts, options.contrasts) for row in rows]
        with open_client(options, workspace) as client:
            calls, usd = sum_estimates([client.estimate(probe, len(failures) * len(asked_by))])
        proposals = len(failures) * options.per_failure
        detail = {
            "failures": len(failures),
            "samples": len(failures) * _samples_a_failure(options),
            "images": proposals * ("new_image" in asked_by) * options.images_per_prompt,
            "quotas": quotas_of(store, workspace, round_, options),
        }
        return Estimate(rows=len(failures) * len(asked_by), calls=calls, usd=usd, detail=detail)

    def collect(self, write: Transaction, job: Job[GenerateOptions], results: list[Result]) -> None:
        rows = [sample for result in results for sample in _samples(result, job)]
        write.touch(write.insert("sample", rows, returning="sample_id", key=("key",)))
        write.insert("dropped_proposal", [row for result in results for row in dropped_rows(result, job.job_id)])

    def finish(self, store: Store, workspace: Workspace, job: Job[GenerateOptions]) -> str | None:
        return dropped_in_words(store, job.job_id)

    def setup(self, context: Context[GenerateOptions]) -> None:
        self.client = client_of(context)
        self.batch_size = context.options.rows_at_once
        self.prompts = Prompts.of_job(context.folder)
        self.options, self.should_stop = context.options, context.should_stop

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        by_key = {row["key"]: row for row in rows}
        requests = (
            proposal_request(row, self.options.per_failure, self.options.difficulty, self.prompts, self.options.contrasts) for row in rows
        )
        kept = ("failure_id", "diagnosis_id", "dataset", "error_type", "route", "image")
        yield from proposed(self.client.ask_all(requests, self.should_stop), by_key, kept, self.options.model)


def proposed(outcomes: Iterable[Outcome], by_key: Mapping[str, Row], kept: Sequence[str], model: str) -> Iterator[Result]:
    """What comes of requests for proposals: those that keep the rules and those that don't, with the columns `kept` of their rows."""
    for outcome in outcomes:
        if not isinstance(outcome.parsed, Proposals):
            yield bad_row(outcome)
            continue
        row = by_key[outcome.key]
        proposals, dropped = sift([sample.model_dump() for sample in outcome.parsed.samples], row)
        yield {
            "key": outcome.key,
            "proposals": proposals,
            "dropped": dropped,
            **{name: row[name] for name in kept},
            "frontier": model,
            "replies": list(outcome.replies),
        }


def _samples(result: Result, job: Job[GenerateOptions]) -> Iterator[dict[str, Any]]:
    """The rows of `sample` that a reply becomes: one a proposal, and on a new picture that is drawn one for each that is wanted."""
    for i, proposal in enumerate(result["proposals"]):
        new = result["route"] == "new_image"
        spec = proposal.get("picture_spec") if new else None  # results of before there were specs have none
        for k in range(job.options.images_per_prompt if new and not spec else 1):
            key = f"{job.job_id}/{result['key']}/{i}/{k}"
            # one seed a picture: a sample and its contrast show the same
            drawn = f"{job.job_id}/{result['key']}/{proposal['image_prompt']}/{k}"
            seed = PictureSpec.model_validate(spec).seed if spec else seed_of(drawn)
            yield {
                "key": key,
                "round": job.round,
                "failure_id": result["failure_id"],
                "diagnosis_id": result["diagnosis_id"],
                "dataset": result["dataset"],
                "error_type": result["error_type"],
                "route": result["route"],
                "difficulty": job.options.difficulty,
                "skill": proposal.get("skill", "").strip() or None,  # results of before proposals stated it have none
                "contrast": proposal.get("contrast", False),
                "question": proposal["question"],
                "choices": proposal["choices"],
                "answer": proposal["answer"],
                "image": None if new else result["image"],
                "image_prompt": proposal["image_prompt"] if new else None,
                "picture_spec": spec,
                "answer_from": proposal.get("answer_from") if spec else None,
                "seed": seed if new else None,
                "frontier": result["frontier"],
                "replies": result["replies"],
                "job_id": job.job_id,
            }


def dropped_rows(result: Result, job_id: int) -> Iterator[dict[str, Any]]:
    """The rows of `dropped_proposal`."""
    for proposal in result.get("dropped", []):  # results of before there were rules have none
        kept = {name: proposal[name] for name in ("place", "rule", "reason", "question", "answer")}
        yield {"job_id": job_id, "key": result["key"], "failure_id": result.get("failure_id"), **kept}  # an example's has none


def dropped_in_words(store: Store, job_id: int) -> str | None:
    """How many proposals of a job broke which rule; None if none did."""
    dropped = store.rows("dropped_by_rule", job_id=job_id)
    by_rule = ", ".join(f"{row['proposals']:,} {row['rule']}" for row in dropped)
    return f"{sum(row['proposals'] for row in dropped):,} proposals broke a rule and were dropped: {by_rule}" if dropped else None


def seed_of(key: str) -> int:
    """A seed below 2**31 that follows from a sample's key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") >> 1


def _rows(store: Store, workspace: Workspace, failures: list[Row], options: GenerateOptions) -> list[Row]:
    """What is asked for these failures, each by each route."""
    ids = [failure["failure_id"] for failure in failures]
    written = {row["failure_id"]: row["questions"] for row in store.rows("questions_of_failures", failure_ids=ids)}
    images = ImageStore(workspace.images)
    return [
        {
            **failure,
            "key": f"{failure['failure_id']}/{route}",
            "route": route,
            "image_path": str(images.path(failure["image"])),
            "avoid": written.get(failure["failure_id"], []),
        }
        for failure in failures
        for route in routes(options.route)
    ]


def routes(chosen: Literal["same_image", "new_image", "both"]) -> list[str]:
    return ["same_image", "new_image"] if chosen == "both" else [chosen]


def failures_to_practise(store: Store, workspace: Workspace, round_: int, options: GenerateOptions) -> list[Row]:
    """The failures that samples are asked for, as the query of that name gives them: under a limit by the clusters' quotas."""
    meant = chosen(store, workspace, round_, options)
    plan = _quotas(store, meant, options)
    if plan.limit is None:
        return store.rows("failures_to_practise", **meant, limit=None)
    picked = quotas.choose(store.rows("failures_by_group", **meant), plan.limit, _group, _place, plan.split, plan.weights)
    order = {row["failure_id"]: place for place, row in enumerate(picked)}
    named = {**meant, "failure_ids": list(order), "selected": None}
    return sorted(store.rows("failures_to_practise", **named, limit=None), key=lambda row: order[row["failure_id"]])


def quotas_of(store: Store, workspace: Workspace, round_: int, options: GenerateOptions) -> list[Row]:
    """Each cluster (error type where there is none) with its failures that may be practised and how many of them are, most first."""
    meant = chosen(store, workspace, round_, options)
    rows, plan = store.rows("failures_per_cluster", **meant), _quotas(store, meant, options)
    counts = {_group(row): row["failures"] for row in rows}
    parts = quotas.shares(counts, sum(counts.values()) if plan.limit is None else plan.limit, plan.split, plan.weights)
    titles = {row["cluster_id"]: row["title"] for row in store.rows("generate_clusters", round=round_)}
    return [{**row, "title": titles.get(row["cluster_id"]), "quota": parts[_group(row)]} for row in rows]


@dataclass(frozen=True)
class _Quotas:
    """How failures are chosen: at most `limit` (None: all), by a split or by weights of clusters."""

    split: quotas.Split
    limit: int | None
    weights: dict[tuple[int | None, str], float] | None = None


def _quotas(store: Store, meant: dict[str, Any], options: GenerateOptions) -> _Quotas:
    """By the accepted split (results/budget_split.py) an error type's quota of samples is shared by its clusters as its failures are.

    Without a limit it asks for as many failures as these samples take. Raises NothingToDo where it is wanted and there is none.
    """
    if options.weights is not None:
        named = [_group(row) for row in store.rows("failures_per_cluster", **meant)]
        return _Quotas("failures", options.limit, {group: options.weights.get(_named(group), 0) for group in named})
    accepted = budget_split.accepted(store) if options.split in (None, "accepted") else None
    if accepted is None:
        if options.split == "accepted":
            raise NothingToDo("no split is accepted. Accept one on Results (mistakebook results --split 300 --accept), or choose another.")
        return _Quotas(options.split or "failures", options.limit)
    groups = {_group(row): row["failures"] for row in store.rows("failures_per_cluster", **meant)}
    of_type: Counter[str] = Counter()
    for (_, error_type), failures in groups.items():
        of_type[error_type] += failures
    weights = {group: accepted.quotas.get(group[1], 0) * failures / of_type[group[1]] for group, failures in groups.items()}
    samples = sum(accepted.quotas.get(error_type, 0) for error_type in of_type)
    return _Quotas("accepted", options.limit or -(-samples // _samples_a_failure(options)), weights)


def _samples_a_failure(options: GenerateOptions) -> int:
    asked_by = routes(options.route)
    return options.per_failure * (("same_image" in asked_by) + ("new_image" in asked_by) * options.images_per_prompt)


def _group(row: Row) -> tuple[int | None, str]:
    return row["cluster_id"], row["error_type"]


def _named(group: tuple[int | None, str]) -> str:
    """As `weights` names a cluster."""
    return group[1] if group[0] is None else str(group[0])


def _place(row: Row) -> tuple[str, str, int]:
    return row["dataset"], row["skill"], row["chance"]


def chosen(store: Store, workspace: Workspace, round_: int, options: GenerateOptions) -> dict[str, Any]:
    """Which failures are to be practised, as the queries take it."""
    return {
        "round": round_,
        "failure_ids": options.failure_ids,
        "cluster_ids": options.cluster_ids,
        "selected": selection.selected(store, workspace, options.matching, round_),
    }
