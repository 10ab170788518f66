"""Filter: each enabled filter gives its verdict on each drawn sample. Nothing is deleted; people may override every verdict."""

from collections.abc import Iterator
from itertools import groupby

from pydantic import Field

from curation.filters._base import FilterContext, FilterInput
from curation.frontier import FrontierOptions, open_client
from curation.stages.base import Context, Estimate, Job, NothingToDo, Result, Row
from data.images import ImageStore
from data.registry import EMBEDDERS, FILTERS
from data.store import Store, Write
from data.workspace import Workspace


class Options(FrontierOptions):
    filters: list[str] | None = Field(default=None, description="Filters to run; all enabled ones if empty.")
    filter_options: dict[str, dict] = Field(default_factory=dict, description="Options of single filters, by filter.")
    sample_ids: list[int] | None = Field(default=None, description="Samples to judge; all that lack a verdict if empty.")


class FilterStage:
    """Rows are pairs of a sample and a filter, filter by filter, so that a batch shares its model calls."""

    name = "filter"
    title = "Let the filters judge the samples"
    lane = "api"
    batch_size = 256
    Options = Options

    def select(self, store: Store, workspace: Workspace, job: Job) -> list[Row]:
        pairs = _pairs(store, job.options)
        if not pairs:
            raise NothingToDo("every drawn sample has all its verdicts. Generate and draw samples first, or enable more filters.")
        store.to_parquet("samples_as_context", job.folder / "samples.parquet")
        store.to_parquet("eval_as_context", job.folder / "eval.parquet")
        images = ImageStore(workspace.images)
        paths = {image: str(images.path(image)) for image in {row["image"] for row in pairs}}
        return [{**row, "key": f"{row['sample_id']}/{row['filter']}", "image_path": paths[row["image"]]} for row in pairs]

    def estimate(self, store: Store, workspace: Workspace, options: Options) -> Estimate:
        counts = {row["filter"]: row["samples"] for row in _pairs(store, options, "samples_to_filter_count")}
        calls = sum(count for name, count in counts.items() if "frontier" in FILTERS.load(name).needs)
        spend = store.row("cost_of_a_judgement")
        usd = (0.8 * spend["usd"] * calls, 1.25 * spend["usd"] * calls) if spend and spend["usd"] is not None else None
        return Estimate(rows=sum(counts.values()), calls=calls, usd=usd if calls else (0.0, 0.0))

    def collect(self, write: Write, job: Job, results: list[Result]) -> None:
        """What was judged on a picture that is no longer the sample's is dropped: it is judged again by the next launch."""
        ids = list({result["sample_id"] for result in results})
        shown = {row["sample_id"]: row["image"] for row in write.run("sample_revisions", sample_ids=ids)}
        current = [result for result in results if result.get("image", shown[result["sample_id"]]) == shown[result["sample_id"]]]
        rows = [{k: v for k, v in result.items() if k not in ("key", "image")} | {"job_id": job.job_id} for result in current]
        write.insert("verdict", rows)
        write.touch(row["sample_id"] for row in rows)

    def finish(self, store: Store, workspace: Workspace, job: Job) -> str | None:
        return None

    def setup(self, context: Context) -> None:
        self.context = context
        self.filters = {}
        self.client = open_client(context.options, context.workspace)

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        for name, group in groupby(rows, key=lambda row: row["filter"]):
            judge = self._filter(name)
            items = {row["sample_id"]: FilterInput.from_row(row) for row in group}
            for verdict in judge(list(items.values())):
                row = {"key": f"{verdict.sample_id}/{name}", **verdict.to_row(), "image": items[verdict.sample_id].image}
                if verdict.error is None:
                    del row["error"]  # a result with an error is a bad row
                yield row

    def _filter(self, name: str):
        """The filter, made and set up when its first row comes."""
        if name not in self.filters:
            made = FILTERS.make(name, self.context.options.filter_options.get(name))
            folder = self.context.folder
            made.setup(
                FilterContext(
                    images_root=self.context.workspace.images,
                    frontier=self.client,
                    samples_parquet=folder / "samples.parquet",
                    eval_parquet=folder / "eval.parquet",
                    embed_text=EMBEDDERS.make("minilm").embed if "text_embedder" in made.needs else None,
                    should_stop=self.context.should_stop,
                )
            )
            self.filters[name] = made
        return self.filters[name]


def enable_defaults(store: Store, author: str) -> None:
    """Gives every filter that has no setting yet its default one, enabled."""
    known = {row["filter"]: row["bit"] for row in store.rows("filters")}
    rows = []
    for name in FILTERS.names():
        if name not in known:
            plugin = FILTERS.load(name)
            bit = len(known) + len(rows)
            setting = {"enabled": True, "threshold": plugin.threshold, "comparison": plugin.comparison, "author": author}
            rows.append({"filter": name, "bit": bit, **setting})
    with store.write() as write:
        write.insert("filter_setting", rows)


def change_setting(store: Store, name: str, enabled: bool, threshold: float, author: str) -> None:
    """Logs a new setting of a filter and derives every sample's state anew. Raises KeyError if there is no such filter."""
    now = {row["filter"]: row for row in store.rows("filters")}[name]
    row = {"filter": name, "bit": now["bit"], "enabled": enabled, "threshold": threshold, "comparison": now["comparison"], "author": author}
    with store.write() as write:
        write.insert("filter_setting", [row])
        write.touch_judged()


def _pairs(store: Store, options: Options, query: str = "samples_to_filter") -> list[Row]:
    known = FILTERS.names()  # a setting stays when its plugin is taken away
    enabled = [row["filter"] for row in store.rows("filters") if row["enabled"] and row["filter"] in known]
    names = enabled if options.filters is None else options.filters
    return store.rows(
        query,
        filters=names,
        versions=[FILTERS.load(name).version for name in names],
        sample_ids=options.sample_ids,
    )
