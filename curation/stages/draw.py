"""Draw: a text-to-image model draws the pictures that samples wait for."""

import os
from collections.abc import Iterator

from pydantic import BaseModel, Field

from curation.pictures import image_row, png_bytes
from curation.stages.base import Context, Estimate, Job, NothingToDo, Result, Row
from data.images import ImageStore
from data.registry import IMAGE_GENERATORS
from data.store import Store, Write
from data.workspace import Workspace

POCKET_FLUX = "pocket-flux"


class Options(BaseModel):
    generator: str = Field(default="diffusers", description="The plugin that draws: " + ", ".join(IMAGE_GENERATORS.names()) + ".")
    model: str = Field(
        default_factory=lambda: os.environ.get("MISTAKEBOOK_IMAGE_MODEL") or POCKET_FLUX,
        description="Folder or hub name of the text-to-image model.",
    )
    generator_options: dict = Field(default_factory=dict, description="Further options of the plugin, such as steps and guidance.")
    sample_ids: list[int] | None = Field(default=None, description="Samples to draw (again); all that wait if empty.")
    limit: int | None = Field(default=None, ge=1, description="At most so many pictures.")


class Draw:
    name = "draw"
    title = "Draw the pictures that samples wait for"
    lane = "gpu"
    batch_size = 32
    Options = Options

    def select(self, store: Store, workspace: Workspace, job: Job) -> list[Row]:
        rows = [
            {
                "key": str(row["sample_id"]),
                "prompt": row["image_prompt"],
                # drawn again on demand: another seed, which follows from the job
                "seed": row["seed"] if job.options.sample_ids is None else (row["seed"] + job.job_id) % 2**31,
            }
            for row in _samples(store, job.options)
        ]
        if not rows:
            raise NothingToDo("no sample waits for a picture. Generate samples by the route 'new image' first.")
        return rows

    def estimate(self, store: Store, workspace: Workspace, options: Options) -> Estimate:
        return Estimate(rows=len(_samples(store, options)), usd=(0.0, 0.0) if options.generator == "diffusers" else None)

    def collect(self, write: Write, job: Job, results: list[Result]) -> None:
        write.insert("image", [result["info"] for result in results])
        rows = [
            {
                "sample_id": int(result["key"]),
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

    def finish(self, store: Store, workspace: Workspace, job: Job) -> str | None:
        return None

    def setup(self, context: Context) -> None:
        options: Options = context.options
        self.generator = IMAGE_GENERATORS.make(options.generator, {"model": options.model, **options.generator_options})
        self.images = ImageStore(context.workspace.images)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        pictures = self.generator.draw([row["prompt"] for row in rows], [row["seed"] for row in rows])
        for row, picture in zip(rows, pictures):
            if isinstance(picture, Exception):
                yield {"key": row["key"], "error": f"not drawn: {picture}"}
            else:
                info = self.images.add(png_bytes(picture))
                yield {"key": row["key"], "info": image_row(info), "seed": row["seed"], "recipe": self.generator.recipe()}


def _samples(store: Store, options: Options) -> list[Row]:
    return store.rows("samples_to_draw", sample_ids=options.sample_ids, limit=options.limit)
