"""Filter: each enabled filter gives its verdict on each drawn sample. Nothing is deleted; people may override every verdict.

A filter judges the samples that have no verdict of its current version (and its prompt's) on their current text and picture. A row that one
fails on: curation/jobs/bad_rows.py.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from curation import checkpoints
from curation.filtering import bulk_limits, settings
from curation.filtering.base import Filter, FilterContext, FilterInput, filter_class, make_filter, passes
from curation.frontier.client import client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.prompts import versions as prompt_versions
from curation.prompts.templates import PromptOptions, Prompts
from curation.stage import API_BATCH, Context, Estimate, Job, Result, Row, Stage, nothing
from data.images import ImageStore
from data.records import FilterSetting
from data.registry import EMBEDDERS, FILTERS
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

LOCAL_BATCH = 256  # samples that a filter on this machine is given at once
PROBE = 20  # samples from which the cost of the others is estimated
NOTHING_TO_JUDGE: dict[str, Any] = {"samples": 0, "unjudged": 0, "probe": []}
SPEEDS = "filter seconds"  # setting: seconds a sample by filter, as the last job took them
TIMINGS, EVAL_MARK, SKILLS = "seconds.json", "eval-mark", "skills.json"  # in the job's folder
SKILLS_KNOWN = 1_000  # of the diagnoses, the most frequent


def _asked_by() -> tuple[str, ...]:
    """The prompts that filters ask by."""
    return tuple(sorted({prompt for name in FILTERS.names() if (prompt := filter_class(name).prompt)}))


class FilterOptions(PromptOptions, FrontierOptions):
    STAGE = "filter"
    PROMPTS: ClassVar[tuple[str, ...]] = _asked_by()
    filters: list[str] | None = Field(default=None, description="Filters to run; all enabled ones if empty.")
    filter_options: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Options of filters, by the filter's name.")
    sample_ids: list[int] | None = Field(default=None, description="Samples to run on; all that lack a verdict if empty.")
    outdated: bool = Field(default=True, description="Run again where a verdict is of an earlier version of the filter or its prompt.")


class FilterStage(Stage[FilterOptions]):
    """Rows are pairs of a sample and a filter, filter by filter, so that a batch shares its model calls."""

    name = "filter"
    title = "Run the filters on the samples"
    lane = "api"  # with a filter that asks the checkpoint: the GPU's
    batch_size = API_BATCH
    Options = FilterOptions

    def select(self, store: Store, workspace: Workspace, job: Job[FilterOptions]) -> list[Row]:
        pairs = _pairs(store, job.options)
        if not pairs:
            raise nothing(
                store, "verdict", "every drawn sample has all its verdicts. Generate and draw samples first, or enable more filters."
            )
        controls = set(store.column("control_samples", int, sample_ids=list({row["sample_id"] for row in pairs})))
        control = all(row["sample_id"] in controls for row in pairs)  # those of an experiment are duplicates of one another only
        store.to_parquet("samples_as_context", job.folder / "samples.parquet", control=control)
        store.to_parquet("eval_as_context", job.folder / "eval.parquet")
        named = {row["name"]: row["error_type"] for row in store.rows("named_kinds_as_skills", limit=SKILLS_KNOWN)}
        skills = {row["skill"]: row["error_type"] for row in store.rows("diagnosed_skills", limit=SKILLS_KNOWN)} | named
        (job.folder / SKILLS).write_text(json.dumps(skills), encoding="utf-8")
        (job.folder / EVAL_MARK).write_text(store.value("eval_mark"), encoding="utf-8")
        if any("baseline" in filter_class(name).needs for name in {row["filter"] for row in pairs}):
            checkpoints.write_to_folder(checkpoints.find(store), job.folder)
        images = ImageStore(workspace.images)
        paths = {image: str(images.path(image)) for image in {row["image"] for row in pairs}}
        return [{**row, "key": f"{row['sample_id']}/{row['filter']}", "image_path": paths[row["image"]]} for row in pairs]

    def estimate(self, store: Store, workspace: Workspace, options: FilterOptions) -> Estimate:
        """The whole, and in `detail` each filter by itself: samples, calls, dollars, seconds, whom it asks."""
        parts = [part for part in self._parts(store, workspace, options) if part["samples"]]
        usd = [part["usd"] for part in parts if part["calls"]]
        seconds = [part["seconds"] for part in parts]
        return Estimate(
            rows=sum(part["samples"] for part in parts),
            calls=sum(part["calls"] for part in parts),
            usd=None if None in usd else (sum(low for low, _ in usd), sum(high for _, high in usd)),
            seconds=None if None in seconds else sum(seconds),
            detail={"filters": parts},
        )

    def _parts(self, store: Store, workspace: Workspace, options: FilterOptions) -> Iterator[dict[str, Any]]:
        counts = {row["filter"]: row for row in _pairs(store, options, "samples_to_filter_count", most=PROBE)}
        prompts, images = _prompts(store, options), ImageStore(workspace.images)
        probed = store.rows("filter_inputs", sample_ids=[i for row in counts.values() for i in row["probe"]])
        items = {row["sample_id"]: FilterInput.from_row({**row, "image_path": str(images.path(row["image"]))}) for row in probed}
        measured = self.speeds(store)
        with open_client(options, workspace) as client:
            for name in _chosen(store, options):
                plugin, row = filter_class(name), counts.get(name, NOTHING_TO_JUDGE)
                samples = row["samples"] if options.outdated else row["unjudged"]
                calls = 0
                usd: tuple[float, float] | None = (0.0, 0.0)
                if "frontier" in plugin.needs and samples:
                    filter_ = make_filter(name, options.filter_options.get(name))
                    requests = [request for i in row["probe"] for request in filter_.requests(items[i], prompts)]
                    calls, usd = sum_estimates([client.estimate(requests, round(samples * len(requests) / len(row["probe"])))])
                each = measured.get(name, plugin.seconds_a_sample)
                seconds = None if each is None else round(each * samples, 1)
                yield {
                    "filter": name,
                    "title": plugin.title,
                    "asks": plugin.asks(),
                    "samples": samples,
                    "outdated": samples - row["unjudged"],
                    "calls": calls,
                    "usd": usd,
                    "seconds": seconds,
                }

    @staticmethod
    def speeds(store: Store) -> dict[str, float]:
        """Seconds a sample, by filter, as the last job that ran it took on this machine."""
        setting = store.row("setting_latest", name=SPEEDS)
        return json.loads(setting["value"]) if setting else {}

    def collect(self, write: Transaction, job: Job[FilterOptions], results: list[Result]) -> None:
        """Verdicts on a picture that is no longer the sample's are dropped: the next launch judges the sample again."""
        ids = list({result["sample_id"] for result in results})
        shown = {row["sample_id"]: row["image"] for row in write.run("sample_revisions", sample_ids=ids)}
        current = [result for result in results if result.get("image", shown[result["sample_id"]]) == shown[result["sample_id"]]]
        rows = [{k: v for k, v in result.items() if k not in ("key", "image")} | {"job_id": job.job_id} for result in current]
        write.insert("verdict", rows, key=("sample_id", "revision", "filter", "job_id"))
        write.touch(row["sample_id"] for row in rows)
        limited = {setting.filter: setting for setting in write.rows("filters", FilterSetting) if setting.filter in bulk_limits.names()}
        failed = {row["sample_id"] for row in rows if row["filter"] in limited and _fails(row["score"], limited[row["filter"]])}
        bulk_limits.withdraw(write, failed)

    def finish(self, store: Store, workspace: Workspace, job: Job[FilterOptions]) -> str | None:
        """Keeps how long each filter took, for the next estimate."""
        path = job.folder / TIMINGS
        if path.exists():
            speeds = self.speeds(store) | json.loads(path.read_text(encoding="utf-8"))
            with store.write() as write:
                write.insert("setting", [{"name": SPEEDS, "value": json.dumps(speeds), "author": f"job {job.job_id}"}])
        return None

    def setup(self, context: Context[FilterOptions]) -> None:
        self.context = context
        self.filters: dict[str, Filter] = {}
        self.client = client_of(context)
        self.batch_size = context.options.rows_at_once
        self.prompts = Prompts.of_job(context.folder)
        self.took: dict[str, float] = defaultdict(float)  # seconds, by filter
        self.judged: Counter[str] = Counter()

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        for name, some in self._parts_of(rows):
            judge = self._filter(name)
            items = {row["sample_id"]: FilterInput.from_row(row) for row in some}
            began = time.monotonic()
            for verdict in judge(list(items.values())):
                row = {"key": f"{verdict.sample_id}/{name}", **verdict.to_row(), "image": items[verdict.sample_id].image}
                if verdict.error is None:
                    del row["error"]  # a result with an error is a bad row
                yield row
            self.took[name] += time.monotonic() - began
            self.judged[name] += len(items)
        each = {name: self.took[name] / self.judged[name] for name in self.took}
        (self.context.folder / TIMINGS).write_text(json.dumps(each), encoding="utf-8")

    def _parts_of(self, rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
        """Rows of one filter at once: all of them where it asks an API, so that no slot idles; others can be stopped between parts."""
        for name, group in groupby(rows, key=lambda row: row["filter"]):
            size = self.batch_size if "frontier" in filter_class(name).needs else LOCAL_BATCH
            while (some := list(islice(group, size))) and not self.context.should_stop():
                yield name, some

    def _filter(self, name: str) -> Filter:
        """The filter, made and set up when its first row comes."""
        if name not in self.filters:
            made = make_filter(name, self.context.options.filter_options.get(name))
            folder = self.context.folder
            made.setup(
                FilterContext(
                    images_root=self.context.workspace.images,
                    frontier=self.client,
                    samples_parquet=folder / "samples.parquet",
                    eval_parquet=folder / "eval.parquet",
                    embed_text=EMBEDDERS.make("minilm").embed if "text_embedder" in made.needs else None,
                    open_baseline=self._open_baseline,
                    skills=_skills(folder),
                    prompts=self.prompts,
                    eval_mark=(folder / EVAL_MARK).read_text(encoding="utf-8"),
                    should_stop=self.context.should_stop,
                )
            )
            self.filters[name] = made
        return self.filters[name]

    def _open_baseline(self, temperature: float) -> tuple[str, Any]:
        checkpoint = checkpoints.read_from_folder(self.context.folder)
        sampling = {**checkpoint.options, "temperature": temperature} if temperature else checkpoint.options
        baseline = checkpoints.make_baseline(replace(checkpoint, options=sampling))
        baseline.warm_up()
        return checkpoint.name, baseline


def _skills(folder: Path) -> dict[str, str]:
    """Those that were known at the launch; none in the folder of a job that an earlier version began."""
    path = folder / SKILLS
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known


def _fails(score: float | None, setting: FilterSetting) -> bool:
    return passes(score, setting.threshold, setting.comparison) is False


def _chosen(store: Store, options: FilterOptions) -> list[str]:
    """The filters that are to judge: those named, else the enabled ones."""
    if options.filters is not None:
        return options.filters
    installed = FILTERS.names()
    return [name for name, setting in settings.current(store).items() if setting.enabled and name in installed]


def _prompts(store: Store, options: FilterOptions) -> Prompts:
    return prompt_versions.prompts_for(store, options.PROMPTS, options.prompts)


def _pairs(store: Store, options: FilterOptions, query: str = "samples_to_filter", **more: Any) -> list[Row]:
    names, prompts, eval_mark = _chosen(store, options), _prompts(store, options), store.value("eval_mark")
    stamps = [filter_class(name).stamp(prompts, eval_mark) for name in names]
    return store.rows(query, filters=names, versions=stamps, sample_ids=options.sample_ids, outdated=options.outdated, **more)
