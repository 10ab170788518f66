"""Kinds: the frontier model names the kind of question where a dataset states none; results, clusters and samples then go by these kinds.

Cheap: questions that differ only in what they name have one wording, and each wording is asked about once, with the picture of a train
example; of wordings that only the eval split has, the model sees the text alone. No eval picture and no eval gold is shown or looked at.
What was not asked gets the kind of the most similar wording. How each example came by its kind is stored and counted. A dataset's own
kinds are never touched.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from curation.clusters.embedders import TextVectors
from curation.frontier.client import bad_row, client_of, open_client, sum_estimates
from curation.frontier.options import FrontierOptions
from curation.jobs.job_folder import JobFolder
from curation.kinds import provenance
from curation.kinds.nearest_wording import Nearest, nearest
from curation.kinds.wordings import Worded, wordings
from curation.prompts.reply_schemas import Kind
from curation.prompts.requests import kind_request
from curation.prompts.templates import PromptOptions, Prompts
from curation.prompts.versions import prompts_for
from curation.stage import API_BATCH, Context, Estimate, Job, NothingLeft, Result, Row, Stage, spread
from data.files import read_lines
from data.images import ImageStore
from data.records import Record
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace

EXAMPLES, WORDINGS, KNOWN = "examples.parquet", "wordings.json", "kinds.json"  # in the job's folder
FIRST_ROUND = 8  # wordings asked at once at first, then twice as many: later ones are told the names so far


class KindsOptions(FrontierOptions, PromptOptions):
    STAGE = "diagnose"
    PROMPTS = ("kind",)
    datasets: list[str] | None = Field(default=None, description="Datasets to name kinds in; all that state none if empty.")
    most: int = Field(default=300, ge=1, le=10_000, description="Different wordings to ask about; others get the kind of a similar one.")
    again: bool = Field(default=False, description="Also name kinds that were named before.")


@dataclass(frozen=True)
class Unnamed(Record):
    """An example whose kind isn't known; `gold` only of the train split."""

    example_id: int
    dataset: str
    split: str
    question: str
    choices: tuple[str, ...]
    image: str
    gold: str | None


class NameKinds(Stage[KindsOptions]):
    name = "kinds"
    title = "Name the kinds of questions where a dataset states none"
    lane = "api"
    batch_size = API_BATCH
    Options = KindsOptions

    def select(self, store: Store, workspace: Workspace, job: Job[KindsOptions]) -> list[Row]:
        found = _unnamed(store, job.options)
        texts = _wordings(found)
        asked = _asked(found, texts, job.options.most)
        numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        of = pa.table({"example_id": [one.example_id for one in found], "wording": [numbers[text] for text in texts]})
        pq.write_table(of, job.folder / EXAMPLES)
        kept = {"texts": list(numbers), "asked": [numbers[text] for text in asked]}
        (job.folder / WORDINGS).write_text(json.dumps(kept), encoding="utf-8")
        (job.folder / KNOWN).write_text(json.dumps(store.column("kinds_named", str)), encoding="utf-8")
        images = ImageStore(workspace.images)
        return [_row(asked[text], numbers[text], images) for text in asked]

    def estimate(self, store: Store, workspace: Workspace, options: KindsOptions) -> Estimate:
        found = _unnamed(store, options)
        texts = _wordings(found)
        asked = _asked(found, texts, options.most)
        prompts, images = prompts_for(store, options.PROMPTS, options.prompts), ImageStore(workspace.images)
        rows = [_row(one, i, images) for i, one in enumerate(asked.values())]
        probe = [kind_request(row, (), prompts) for row in spread(rows)]
        with open_client(options, workspace) as client:
            calls, usd = sum_estimates([client.estimate(probe, len(asked))])
        detail = {"wordings": len(set(texts)), "questions": len(found), "similar": len(set(texts)) - len(asked)}
        return Estimate(rows=len(asked), calls=calls, usd=usd, detail=detail)

    def collect(self, write: Transaction, job: Job[KindsOptions], results: list[Result]) -> None:
        table = pq.read_table(job.folder / EXAMPLES)
        members: dict[int, list[int]] = {}
        for example_id, wording in zip(table["example_id"].to_pylist(), table["wording"].to_pylist()):
            members.setdefault(wording, []).append(example_id)
        for result in results:
            common = {name: result[name] for name in ("name", "error_type", "frontier", "asked_example")} | {"job_id": job.job_id}
            own = members[int(result["key"])]
            write.run("kinds_put", example_ids=own, source="same wording", likeness=1.0, **common)
            for wording, likeness in result["similar"]:
                write.run("kinds_put", example_ids=members[wording], source="similar question", likeness=likeness, **common)
        write.touch_failures(write.column("failures_of_examples_without_kind", int))

    def finish(self, store: Store, workspace: Workspace, job: Job[KindsOptions]) -> str | None:
        return provenance.in_words(provenance.sources(store, job.options.datasets))

    def setup(self, context: Context[KindsOptions]) -> None:
        self.context, self.client = context, client_of(context)
        self.prompts = Prompts.of_job(context.folder)
        kept = json.loads((context.folder / WORDINGS).read_text(encoding="utf-8"))
        vectors = TextVectors(context.workspace, lambda text: context.report({"event": "message", "text": text}))
        self.similar: dict[int, list[Nearest]] = {}
        for one in nearest(kept["texts"], kept["asked"], vectors.of):
            self.similar.setdefault(one.asked, []).append(one)
        self.known = list(dict.fromkeys([*json.loads((context.folder / KNOWN).read_text(encoding="utf-8")), *_before(context)]))

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        start, size = 0, FIRST_ROUND
        while start < len(rows) and not self.context.should_stop():
            part = {row["key"]: row for row in rows[start : start + size]}
            requests = [kind_request(row, self.known, self.prompts) for row in part.values()]
            for outcome in self.client.ask_all(requests, self.context.should_stop):
                if isinstance(reply := outcome.parsed, Kind):
                    yield self._result(part[outcome.key], reply, outcome.replies)
                else:
                    yield bad_row(outcome)
            start, size = start + size, 2 * size

    def _result(self, row: Row, reply: Kind, replies: Sequence[str]) -> Result:
        name = _tidy(reply.kind)
        name = next((known for known in self.known if known.lower() == name.lower()), name)
        if name not in self.known:
            self.known.append(name)
        return {
            "key": row["key"],
            "name": name,
            "error_type": reply.error_type,
            "asked_example": row["example_id"],
            "similar": [[one.wording, one.likeness] for one in self.similar.get(int(row["key"]), [])],
            "frontier": self.context.options.model,
            "replies": list(replies),
        }


def _unnamed(store: Store, options: KindsOptions) -> list[Unnamed]:
    """Raises NothingLeft where every example has a kind."""
    found = store.rows("examples_without_kind", Unnamed, datasets=options.datasets, again=options.again)
    if not found:
        raise NothingLeft("every question has a kind: its dataset's own, or one that was named. Name them again with `again`.")
    return found


def _wordings(found: Sequence[Unnamed]) -> list[str]:
    """The wording of each example's question; one with options is another than one without."""
    texts = wordings([Worded(one.question, one.gold) for one in found])
    return [f"{text} (options)" if one.choices else text for text, one in zip(texts, found)]


def _asked(found: Sequence[Unnamed], texts: Sequence[str], most: int) -> dict[str, Unnamed]:
    """The wordings to ask about, the commonest first (of equal ones by lot), each with an example; of the train split if it has one."""
    first: dict[str, Unnamed] = {}
    for one, text in zip(found, texts):  # train examples come first
        first.setdefault(text, one)
    return {text: first[text] for text, _ in Counter(texts).most_common(most)}


def _row(one: Unnamed, number: int, images: ImageStore) -> Row:
    """An eval example is asked about by its text alone."""
    picture = str(images.path(one.image)) if one.split == "train" else None
    return {"key": str(number), "example_id": one.example_id, "question": one.question, "choices": one.choices, "image_path": picture}


def _before(context: Context[KindsOptions]) -> Iterator[str]:
    """Names in the results of a launch that is resumed."""
    path, offset = JobFolder(context.folder).results, 0
    while (read := read_lines(path, offset))[0]:
        results, offset = read
        yield from (result["name"] for result in results if "name" in result)


def _tidy(name: str) -> str:
    return " ".join(name.split()).strip(" .\"'“”")[:60] or "unnamed"
