"""Draw: a text-to-image model draws the pictures that samples wait for.

Of several pictures for one prompt each further one becomes a sample of its own, with the same words: filters judge each, people choose.
"""

import os
from collections.abc import Iterator
from typing import Any

from pydantic import Field, ValidationError, model_validator

from curation.config import variables
from curation.frontier.endpoints import host_of
from curation.frontier.options import JOB_VARIABLE
from curation.stage import AsksServer, ChoosesLane, Context, Estimate, Job, NothingToDo, Result, Row, Stage
from curation.stages.generate import seed_of
from data.images import ImageStore, image_row, png_bytes
from data.records import Lane
from data.registry import IMAGE_GENERATORS
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.image_generators import Generator, GeneratorContext

POCKET_FLUX = "pocket-flux"


class DrawOptions(ChoosesLane, AsksServer):
    generator: str = Field(
        default="diffusers",
        description="Image generator: " + ", ".join(IMAGE_GENERATORS.names()) + ".",
        json_schema_extra={"enum": [*IMAGE_GENERATORS.names()]},
    )
    model: str = Field(
        default_factory=lambda: variables().image_model or POCKET_FLUX,
        description="Folder or hub name of the text-to-image model, or its name at the server.",
    )
    generator_options: dict[str, Any] = Field(
        default_factory=dict, description="Further options of the generator, such as steps, guidance, size."
    )
    images_per_prompt: int = Field(
        default=1, ge=1, le=8, description="Images per sample; each further one becomes a sample with the same question and answer."
    )
    sample_ids: list[int] | None = Field(default=None, description="Samples to draw (again); all without an image if empty.")
    limit: int | None = Field(default=None, ge=1, description="Maximum number of samples.")
    budget_usd: float | None = Field(
        default_factory=lambda: variables().budget_usd,
        ge=0,
        description="Hard limit on this job's spend, in dollars; empty: no limit.",
    )

    @model_validator(mode="after")
    def _known(self) -> "DrawOptions":
        try:
            _generator(self)
        except ValidationError as error:
            flaws = (f"{'.'.join(map(str, flaw['loc']))}: {flaw['msg'].lower()}" for flaw in error.errors())
            raise ValueError(f"options of {self.generator}: {'; '.join(flaws)}") from None
        return self

    def lane(self) -> Lane:
        return "api" if IMAGE_GENERATORS.load(self.generator).paid else "gpu"

    @property
    def address(self) -> str | None:
        """The server that draws; None: this machine's own pipeline."""
        return _generator(self).address

    def host(self) -> str | None:
        address = self.address
        return host_of(address) if address else None


class Draw(Stage[DrawOptions]):
    name = "draw"
    title = "Draw the missing images of samples"
    lane = "gpu"
    batch_size = 32
    Options = DrawOptions

    def select(self, store: Store, workspace: Workspace, job: Job[DrawOptions]) -> list[Row]:
        """A further picture's key is its sample's and a number. Drawn again on demand: another seed, which follows from the job."""
        redrawn = job.options.sample_ids is not None
        rows = []
        for row in _samples(store, job.options):
            first = (row["seed"] + job.job_id) % 2**31 if redrawn else row["seed"]
            rows.append({"key": str(row["sample_id"]), "prompt": row["image_prompt"], "seed": first})
            for k in range(1, job.options.images_per_prompt):
                key = f"{row['sample_id']}/{k}"
                rows.append({"key": key, "prompt": row["image_prompt"], "seed": seed_of(f"{job.job_id}/{key}")})
        if not rows:
            raise NothingToDo("no sample waits for an image. Generate samples with the route 'new image' first.")
        return rows

    def estimate(self, store: Store, workspace: Workspace, options: DrawOptions) -> Estimate:
        pictures = len(_samples(store, options)) * options.images_per_prompt
        paid = IMAGE_GENERATORS.load(options.generator).paid
        return Estimate(rows=pictures, calls=pictures if paid else 0, usd=cost_of_drawing(workspace, options, pictures))

    def collect(self, write: Transaction, job: Job[DrawOptions], results: list[Result]) -> None:
        write.insert("image", [result["info"] for result in results])
        further = {result["key"]: result for result in results if "/" in result["key"]}
        for key, result in further.items():
            of = key.partition("/")[0]
            write.run("sample_of_picture", sample_id=int(of), key=_key(job, key), seed=result["seed"])
        numbers = {row["key"]: row["sample_id"] for row in write.run("samples_by_key", keys=[_key(job, key) for key in further])}
        rows = [
            {
                "sample_id": numbers[_key(job, result["key"])] if result["key"] in further else int(result["key"]),
                "image": result["info"]["image"],
                "generator": job.options.model,
                "seed": result["seed"],
                "recipe": result["recipe"],
                "job_id": job.job_id,
            }
            for result in results
        ]
        write.insert("drawing", rows)
        write.touch(row["sample_id"] for row in rows)

    def setup(self, context: Context[DrawOptions]) -> None:
        self.generator = _generator(context.options)
        self.generator.open(_generator_context(context.workspace, context.options, context))
        self.images = ImageStore(context.workspace.images)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        pictures = self.generator.draw([row["prompt"] for row in rows], [row["seed"] for row in rows])
        for row, picture in zip(rows, pictures):
            if isinstance(picture, Exception):
                yield {"key": row["key"], "error": f"not drawn: {picture}"}
            elif picture is not None:  # None: the job is being stopped
                info = self.images.add(picture if isinstance(picture, bytes) else png_bytes(picture))
                yield {"key": row["key"], "info": image_row(info), "seed": row["seed"], "recipe": self.generator.recipe()}


def cost_of_drawing(workspace: Workspace, options: DrawOptions, pictures: int) -> tuple[float, float] | None:
    """Dollars for so many pictures, as a range; None: unpriced."""
    return _generator(options).estimate(pictures, _generator_context(workspace, options)) if pictures else (0.0, 0.0)


def _generator(options: DrawOptions) -> Generator:
    given = {"model": options.model, **options.generator_options}
    if "base_url" in IMAGE_GENERATORS.load(options.generator).Options.model_fields:
        given["base_url"] = given.get("base_url") or variables().base_url
    return IMAGE_GENERATORS.make(options.generator, given)


def _generator_context(workspace: Workspace, options: DrawOptions, context: Context[DrawOptions] | None = None) -> GeneratorContext:
    stop = context.should_stop if context else (lambda: False)
    return GeneratorContext(workspace.journal, workspace.images, os.environ.get(JOB_VARIABLE, ""), options.budget_usd, stop)


def _key(job: Job[DrawOptions], key: str) -> str:
    return f"drawn by {job.job_id}/{key}"


def _samples(store: Store, options: DrawOptions) -> list[Row]:
    return store.rows("samples_to_draw", sample_ids=options.sample_ids, limit=options.limit)
