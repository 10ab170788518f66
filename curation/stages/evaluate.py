"""Evaluate: a checkpoint answers the examples it has not answered yet, and each answer is scored."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, Field

from curation import checkpoints
from curation.scoring import Corpora, Scorer, answered
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage, nothing
from data.images import ImageStore
from data.metrics import measure, rotations
from data.question_text import full_text
from data.records import Checkpoint, Metric, Record, Split
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace


class EvaluateOptions(BaseModel):
    checkpoint: str | None = Field(default=None, description="Name of the checkpoint; that of the round if empty.")
    datasets: list[str] | None = Field(default=None, description="Datasets to evaluate on; all if empty.")
    splits: list[str] = Field(default=["train", "eval"], description="Splits to evaluate on; failures are mined from train only.")
    limit: int | None = Field(default=None, ge=1, description="Maximum number of examples.")
    new_tokens: dict[str, int] = Field(
        default={}, description="Longest answer in tokens, by dataset (infovqa=64); of others as the checkpoint has it."
    )
    stop: dict[str, str] = Field(default={}, description="Text that ends an answer and is no part of it, by dataset.")


@dataclass(frozen=True)
class ToEvaluate(Record):
    """An example with what its dataset says of asking and scoring."""

    example_id: int
    image: str
    question: str
    choices: tuple[str, ...]
    golds: tuple[str, ...]
    metric: Metric
    prompt_suffix: str
    dataset: str
    split: Split


class Evaluate(Stage[EvaluateOptions]):
    name = "evaluate"
    title = "Run a checkpoint and score its answers"
    lane = "gpu"
    batch_size = 64
    Options = EvaluateOptions

    def select(self, store: Store, workspace: Workspace, job: Job[EvaluateOptions]) -> list[Row]:
        checkpoint = checkpoints.find(store, job.options.checkpoint)
        images, corpora = ImageStore(workspace.images), Corpora(store, job.folder)
        _check_datasets(store, [*job.options.new_tokens, *job.options.stop])
        rows = [
            {"key": str(example.example_id), **row_to_answer(example, images, corpora), **_limits(example, job.options)}
            for example in _examples(store, checkpoint, job.options)
        ]
        if not rows:
            text = f"{checkpoint.name} has answered all examples of these datasets and splits. Import a dataset, or choose others."
            raise nothing(store, "prediction", text)
        checkpoints.write_to_folder(checkpoint, job.folder)
        return rows

    def estimate(self, store: Store, workspace: Workspace, options: EvaluateOptions) -> Estimate:
        checkpoint = checkpoints.find(store, options.checkpoint)
        return Estimate(rows=len(_examples(store, checkpoint, options)), usd=(0.0, 0.0))

    def collect(self, write: Transaction, job: Job[EvaluateOptions], results: list[Result]) -> None:
        checkpoint_id = checkpoints.read_from_folder(job.folder).checkpoint_id
        rows = [
            {
                "checkpoint_id": checkpoint_id,
                "example_id": int(result["key"]),
                "answer": result["answer"],
                "strict": result["strict"],
                "lenient": result["lenient"],
                "job_id": job.job_id,
                "cut": result.get("cut", False),
            }
            for result in results
        ]
        write.insert("prediction", rows, key=("checkpoint_id", "example_id"))
        example_ids = [row["example_id"] for row in rows]
        write.touch_failures(write.column("failures_from_predictions", int, checkpoint_id=checkpoint_id, example_ids=example_ids))

    def finish(self, store: Store, workspace: Workspace, job: Job[EvaluateOptions]) -> str | None:
        cut = store.value("cut_answers_of_job", int, job_id=job.job_id)
        if not cut:
            return None
        return f"{cut:,} answers were cut at the longest length; for more tokens: --new-tokens DATASET=NUMBER, or the checkpoint's option"

    def setup(self, context: Context[EvaluateOptions]) -> None:
        self.baseline = checkpoints.make_baseline(checkpoints.read_from_folder(context.folder))
        self.baseline.warm_up()
        self.scorer = Scorer(context.folder)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        yield from answered(self.baseline, self.scorer, rows)


def row_to_answer(example: ToEvaluate, images: ImageStore, corpora: Corpora) -> Row:
    """What a child needs to ask a checkpoint an example and to score the answer."""
    return {
        **_asked(example),
        **corpora.of(example.metric, example.dataset, example.split),
        "image_path": str(images.path(example.image)),
        "golds": example.golds,
        "choices": example.choices,
        "metric": example.metric,
    }


def _limits(example: ToEvaluate, options: EvaluateOptions) -> dict[str, int | list[str]]:
    """What a dataset asks of its answers where that isn't the checkpoint's own."""
    limits: dict[str, int | list[str]] = {}
    if example.dataset in options.new_tokens:
        limits["max_new_tokens"] = options.new_tokens[example.dataset]
    if example.dataset in options.stop:
        limits["stop"] = [options.stop[example.dataset]]
    return limits


def _check_datasets(store: Store, names: list[str]) -> None:
    known = [row["name"] for row in store.rows("datasets")]
    if unknown := sorted(set(names) - set(known)):
        raise NothingToDo(f"there is no dataset {', '.join(unknown)} to set limits for; there are: {', '.join(known) or 'none'}")


def _asked(example: ToEvaluate) -> dict[str, str | list[str]]:
    """The text that is asked; under circular evaluation one for each rotation of the choices."""
    if measure(example.metric).once and example.choices:
        texts = [full_text(example.question, choices, example.prompt_suffix) for choices in rotations(example.choices)]
        return {"text": texts[0], "rotations": texts}
    return {"text": full_text(example.question, example.choices, example.prompt_suffix)}


def _examples(store: Store, checkpoint: Checkpoint, options: EvaluateOptions) -> list[ToEvaluate]:
    return store.rows(
        "examples_to_evaluate",
        ToEvaluate,
        checkpoint_id=checkpoint.checkpoint_id,
        datasets=options.datasets,
        splits=options.splits,
        limit=options.limit,
    )
