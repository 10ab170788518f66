"""Generate untargeted: samples made from train examples in the data's own mix, whatever any checkpoint answered. For experiments.

They are of round 0: never reviewed, approved or trained on but in an arm of an experiment (data/sql/reviews.sql: sample_of_loop).
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from curation import taxonomy
from curation.error_types import Taxonomy
from curation.frontier.client import client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompts.requests import untargeted_request
from curation.prompts.templates import PromptOptions, Prompts
from curation.prompts.versions import prompts_for
from curation.stage import API_BATCH, Context, Estimate, Job, NothingToDo, Result, Row, Stage, spread
from curation.stages.generate import dropped_in_words, dropped_rows, proposed, routes, seed_of
from data.images import ImageStore
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

CONTROL_ROUND = 0
OTHER = "other"  # error type of a question whose dataset names no kind


class UntargetedOptions(FrontierOptions, PromptOptions):
    STAGE = "generate"
    PROMPTS = ("untargeted",)
    examples: int = Field(default=150, ge=1, description="Train examples to write samples after, drawn at random.")
    per_example: int = Field(default=2, ge=1, le=20, description="Samples per example and route.")
    route: Literal["same_image", "new_image", "both"] = Field(
        default="both", description="Questions on the same image, a new one, or both."
    )
    datasets: list[str] | None = Field(default=None, description="Datasets to draw examples from; all if empty.")
    seed: int = Field(default=0, ge=0, description="Random seed of the draw.")


class GenerateUntargeted(Stage[UntargetedOptions]):
    name = "generate_untargeted"
    title = "Generate samples without a failure, for experiments"
    lane = "api"
    batch_size = API_BATCH
    Options = UntargetedOptions

    def select(self, store: Store, workspace: Workspace, job: Job[UntargetedOptions]) -> list[Row]:
        rows = _rows(store, workspace, job.options)
        if not rows:
            raise NothingToDo("there is no train example in these datasets. Import a dataset with a train split, or choose others.")
        return rows

    def estimate(self, store: Store, workspace: Workspace, options: UntargetedOptions) -> Estimate:
        rows, prompts = _rows(store, workspace, options), prompts_for(store, options.PROMPTS, options.prompts)
        probe = [untargeted_request(row, options.per_example, prompts) for row in spread(rows)]
        with open_client(options, workspace) as client:
            calls, usd = sum_estimates([client.estimate(probe, len(rows))])
        new = sum(row["route"] == "new_image" for row in rows)
        detail = {"samples": len(rows) * options.per_example, "images": new * options.per_example}
        return Estimate(rows=len(rows), calls=calls, usd=usd, detail=detail)

    def collect(self, write: Transaction, job: Job[UntargetedOptions], results: list[Result]) -> None:
        rows = [sample for result in results for sample in _samples(result, job)]
        write.touch(write.insert("sample", rows, returning="sample_id", key=("key",)))
        write.insert("dropped_proposal", [row for result in results for row in dropped_rows(result, job.job_id)])

    def finish(self, store: Store, workspace: Workspace, job: Job[UntargetedOptions]) -> str | None:
        return dropped_in_words(store, job.job_id)

    def setup(self, context: Context[UntargetedOptions]) -> None:
        self.client = client_of(context)
        self.batch_size = context.options.rows_at_once
        self.prompts = Prompts.of_job(context.folder)
        self.options, self.should_stop = context.options, context.should_stop

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        by_key = {row["key"]: row for row in rows}
        requests = (untargeted_request(row, self.options.per_example, self.prompts) for row in rows)
        kept = ("example_id", "dataset", "error_type", "route", "image")
        yield from proposed(self.client.ask_all(requests, self.should_stop), by_key, kept, self.options.model)


def _rows(store: Store, workspace: Workspace, options: UntargetedOptions) -> list[Row]:
    """What is asked after these examples, each by each route."""
    images, types = ImageStore(workspace.images), taxonomy.current(store)
    examples = store.rows("examples_to_write_after", datasets=options.datasets, seed=options.seed, limit=options.examples)
    return [
        {
            **example,
            "key": f"{example['example_id']}/{route}",
            "route": route,
            "error_type": types.of_kind(example["kind"]) or _present(types, example["tagged"]) or OTHER,
            "image_path": str(images.path(example["image"])),
        }
        for example in examples
        for route in routes(options.route)
    ]


def _present(types: Taxonomy, tagged: str | None) -> str | None:
    """The present name of the error type that a frontier model gave an example's question."""
    found = types.find(tagged)
    return found.name if found else tagged


def _samples(result: Result, job: Job[UntargetedOptions]) -> Iterator[dict[str, Any]]:
    """The rows of `sample` that a reply becomes."""
    new = result["route"] == "new_image"
    for i, proposal in enumerate(result["proposals"]):
        key = f"{job.job_id}/{result['key']}/{i}"
        yield {
            "key": key,
            "round": CONTROL_ROUND,
            "dataset": result["dataset"],
            "error_type": result["error_type"],
            "route": result["route"],
            "question": proposal["question"],
            "choices": proposal["choices"],
            "answer": proposal["answer"],
            "image": None if new else result["image"],
            "image_prompt": proposal["image_prompt"] if new else None,
            "seed": seed_of(key) if new else None,
            "frontier": result["frontier"],
            "replies": result["replies"],
            "job_id": job.job_id,
            "example_id": result["example_id"],
        }
