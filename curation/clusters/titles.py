"""Titles of clusters in plain words: what the frontier model is asked, and what stands where it gives none."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from curation.frontier.client import bad_row
from curation.prompts.requests import title_request
from curation.prompts.templates import SHIPPED, Prompts
from curation.stage import Stop
from data.records import Record
from models.frontier import Request

MEMBERS = 20  # of a cluster in its prompt, from its centre to its edge
NEIGHBOURS = 3  # clusters nearest to it
THEIR_MEMBERS = 4  # of each of them, nearest its centre
ASKED = ("question", "golds", "answer", "faulty_reasoning")


@dataclass(frozen=True)
class FoundCluster(Record):
    """A cluster as its job found it, named by its label; stability and its counterpart are None where they weren't measured."""

    name: str
    error_type: str
    title: str
    kind: str | None = None  # of question, named by the frontier model, where all members have it
    stability: float | None = None
    dissolved: float | None = None


def titled(
    client,
    failures: pa.Table,
    vectors: np.ndarray,
    labels: np.ndarray,
    centres: np.ndarray,
    should_stop: Stop,
    prompts: Prompts = SHIPPED,
    kinds: Sequence[str | None] = (),
) -> list[FoundCluster]:
    """The clusters with their titles; where the frontier model gives none, the commonest faulty reasoning.

    `vectors` (n, d), `labels` (n,) and `failures` are of the same failures; the cluster of label 3 is named "3".
    """
    members = [_from_the_centre(vectors, labels, centres, label) for label in range(len(centres))]
    types = [failures["error_type"][int(rows[0])].as_py() for rows in members]
    near = _nearest_others(centres)
    named = list(kinds) or [None] * len(centres)
    requests = [
        title_request(
            str(label),
            types[label],
            _lines(failures, _spread(rows)),
            [(types[other], _lines(failures, members[other][:THEIR_MEMBERS])) for other in near[label]],
            prompts,
            named[label] or "",
        )
        for label, rows in enumerate(members)
    ]
    titles = {o.key: o.parsed.title for o in client.ask_all(requests, should_stop) if o.parsed is not None}
    return [
        FoundCluster(str(label), types[label], titles.get(str(label)) or _commonest(failures, rows), named[label])
        for label, rows in enumerate(members)
    ]


def suggestion_rows(members: list[dict], near: list[dict]) -> list[dict]:
    """A row a cluster of those in `members`; `near` holds members of the clusters nearest to each (`beside`)."""
    rows: dict[int, dict] = {}
    for row in members:
        new = {"key": str(row["cluster_id"]), "cluster_id": row["cluster_id"], "error_type": row["cluster_type"], "members": [], "near": {}}
        rows.setdefault(row["cluster_id"], new)["members"].append(line(row))
    for row in near:
        group = rows[row["beside"]]["near"].setdefault(str(row["cluster_id"]), [row["cluster_type"], []])
        group[1].append(line(row))
    return list(rows.values())


def suggestion(row: dict, prompts: Prompts = SHIPPED) -> Request:
    """The request for a row of `suggestion_rows`."""
    return title_request(row["key"], row["error_type"], row["members"], [(kind, lines) for kind, lines in row["near"].values()], prompts)


def suggested(client, rows: list[dict], should_stop: Stop, prompts: Prompts) -> Iterator[dict]:
    """A title for each row, or its error."""
    for outcome in client.ask_all((suggestion(row, prompts) for row in rows), should_stop):
        if outcome.parsed is None:
            yield bad_row(outcome)
        else:
            yield {"key": outcome.key, "cluster_id": int(outcome.key), "title": outcome.parsed.title, "replies": list(outcome.replies)}


def line(row: dict) -> str:
    """A failure as it stands in the prompt, on one line."""
    return " | ".join(" ".join(str(part).split()) for part in (row["question"], row["golds"][0], row["answer"], row["faulty_reasoning"]))


def _from_the_centre(vectors: np.ndarray, labels: np.ndarray, centres: np.ndarray, label: int) -> np.ndarray:
    """The rows of a cluster, nearest its centre first."""
    rows = np.flatnonzero(labels == label)
    return rows[np.argsort(((vectors[rows] - centres[label]) ** 2).sum(axis=1), kind="stable")]


def _nearest_others(centres: np.ndarray) -> list[list[int]]:
    squares = (centres**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * centres @ centres.T
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(centres) - 1)].tolist()


def _spread(rows: np.ndarray) -> np.ndarray:
    return rows[:: max(1, len(rows) // MEMBERS)][:MEMBERS]


def _lines(failures: pa.Table, rows: np.ndarray) -> list[str]:
    return [line(row) for row in failures.select(ASKED).take(rows).to_pylist()]


def _commonest(failures: pa.Table, rows: np.ndarray) -> str:
    return Counter(failures["faulty_reasoning"].take(rows).to_pylist()).most_common(1)[0][0]
