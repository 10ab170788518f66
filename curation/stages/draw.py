"""Draw: the pictures that samples wait for. A text-to-image model draws those with an image prompt; those with a spec are rendered exactly.

Of several pictures for one prompt each further one becomes a sample of its own, with the same words: filters judge each, people choose.
"""

import os
from collections.abc import Iterator
from typing import Any

from pydantic import Field, ValidationError, model_validator

from curation.config import variables
from curation.frontier import key_rules
from curation.frontier.endpoints import host_of
from curation.frontier.options import JOB_VARIABLE
from curation.stage import AsksServer, ChoosesLane, Context, Estimate, Job, Result, Row, Stage, nothing
from curation.stages.generate import seed_of
from data.images import ImageStore, image_row, png_bytes
from data.records import Lane
from data.registry import IMAGE_GENERATORS
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.image_generators import Generator, GeneratorContext

POCKET_FLUX = "pocket-flux"
RENDERER = "rendered"  # the generator that takes specs; it costs nothing
PROMPTED = tuple(name for name in IMAGE_GENERATORS.names() if name != RENDERER)  # those that take image prompts


class DrawOptions(ChoosesLane, AsksServer):
    generator: str = Field(
        default="diffusers",
        description="Image generator for image prompts: " + ", ".join(PROMPTED) + ". Specs are rendered.",
        json_schema_extra={"enum": [*PROMPTED]},
    )
    model: str = Field(
        default_factory=lambda: variables().image_model or POCKET_FLUX,
        description="Folder or hub name of the text-to-image model, or its name at the server.",
    )
    generator_options: dict[str, Any] = Field(
        default_factory=dict, description="Further options of the generator, such as steps, guidance, size."
    )
    images_per_prompt: int = Field(
        default=1, ge=1, le=8, description="Images per image prompt; each further one becomes a sample with the same question and answer."
    )
    renderer_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the renderer of specs: scale, seconds, most_pixels, vary_style."
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
        if self.generator == RENDERER:
            raise ValueError(f"{RENDERER} draws specs whatever is chosen here: choose what draws image prompts: {', '.join(PROMPTED)}")
        for name, make in ((self.generator, _generator), (RENDERER, _renderer)):
            try:
                make(self)
            except ValidationError as error:
                flaws = (f"{'.'.join(map(str, flaw['loc']))}: {flaw['msg'].lower()}" for flaw in error.errors())
                raise ValueError(f"options of {name}: {'; '.join(flaws)}") from None
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
            rows.append({"key": str(row["sample_id"]), "prompt": row["image_prompt"], "spec": row["picture_spec"], "seed": first})
            for k in range(1, job.options.images_per_prompt if row["picture_spec"] is None else 1):
                key = f"{row['sample_id']}/{k}"
                rows.append({"key": key, "prompt": row["image_prompt"], "seed": seed_of(f"{job.job_id}/{key}")})
        if not rows:
            raise nothing(store, "drawing", "no sample waits for an image. Generate samples with the route 'new image' first.")
        return rows

    def estimate(self, store: Store, workspace: Workspace, options: DrawOptions) -> Estimate:
        samples = _samples(store, options)
        rendered = sum(row["picture_spec"] is not None for row in samples)
        drawn = (len(samples) - rendered) * options.images_per_prompt
        calls = drawn if IMAGE_GENERATORS.load(options.generator).paid else 0
        detail = {"drawn": drawn, "rendered": rendered}
        return Estimate(rows=drawn + rendered, calls=calls, usd=cost_of_drawing(workspace, options, drawn), detail=detail)

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
                "generator": RENDERER if result["recipe"].get("generator") == RENDERER else job.options.model,
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
        self.renderer = _renderer(context.options)
        for generator in (self.generator, self.renderer):
            generator.open(_generator_context(context.workspace, context.options, context))
        self.images = ImageStore(context.workspace.images)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        specs = [row for row in rows if row.get("spec")]  # rows of before there were specs have none
        yield from self._pictures(self.renderer, "spec", specs)
        yield from self._pictures(self.generator, "prompt", [row for row in rows if not row.get("spec")])

    def _pictures(self, generator: Generator, asked: str, rows: list[Row]) -> Iterator[Result]:
        """What a generator makes of what the rows hold under `asked`."""
        if not rows:
            return
        pictures = generator.draw([row[asked] for row in rows], [row["seed"] for row in rows])
        for row, picture in zip(rows, pictures):
            if isinstance(picture, Exception):
                yield {"key": row["key"], "error": f"not drawn: {picture}"}
            elif picture is not None:  # None: the job is being stopped
                info = self.images.add(picture if isinstance(picture, bytes) else png_bytes(picture))
                yield {"key": row["key"], "info": image_row(info), "seed": row["seed"], "recipe": generator.recipe()}


def cost_of_drawing(workspace: Workspace, options: DrawOptions, pictures: int) -> tuple[float, float] | None:
    """Dollars for so many pictures, as a range; None: unpriced."""
    return _generator(options).estimate(pictures, _generator_context(workspace, options)) if pictures else (0.0, 0.0)


def _generator(options: DrawOptions) -> Generator:
    given = {"model": options.model, **options.generator_options}
    if "base_url" in IMAGE_GENERATORS.load(options.generator).Options.model_fields:
        given["base_url"] = given.get("base_url") or variables().base_url
    return IMAGE_GENERATORS.make(options.generator, given)


def _renderer(options: DrawOptions) -> Generator:
    made: Generator = IMAGE_GENERATORS.make(RENDERER, options.renderer_options)
    return made


def _generator_context(workspace: Workspace, options: DrawOptions, context: Context[DrawOptions] | None = None) -> GeneratorContext:
    stop = context.should_stop if context else (lambda: False)
    return GeneratorContext(workspace.journal, workspace.images, os.environ.get(JOB_VARIABLE, ""), options.budget_usd, stop, _key_withheld)


def _key_withheld(name: str, address: str) -> str:
    if not key_rules.is_key_name(name):
        return f"{name} is no name of a key: {key_rules.NAMES}"
    return "" if key_rules.may_go(name, address) else key_rules.withheld(name, address)


def _key(job: Job[DrawOptions], key: str) -> str:
    return f"drawn by {job.job_id}/{key}"


def _samples(store: Store, options: DrawOptions) -> list[Row]:
    return store.rows("samples_to_draw", sample_ids=options.sample_ids, limit=options.limit)
