"""`mistakebook clusters`: the clusters of a round, and the agreement with people on error types."""

from typing import TYPE_CHECKING

from curation.commands.app_client import App
from curation.commands.flags import parser
from curation.commands.output import show, table
from curation.failures.records import ListedCluster

if TYPE_CHECKING:
    from curation.statistics.agreement import Kappa

COLUMNS = ["error_type", "title", "failures", "accuracy", "examples", "stability"]


def run(name: str, arguments: list[str]) -> int:
    made = parser(name, "Lists the clusters of a round with size, accuracy over all examples assigned to each, and stability.")
    made.add_argument("--round", type=int, default=None, help="which round (default: the latest)")
    given = made.parse_args(arguments)
    app = App(given.workspace)
    body = {"round": given.round}
    from curation.clusters.quality import Evidence  # not at the top: scipy takes as long as the rest of a command

    evidence = app.post("/api/clusters/evidence", body, Evidence)
    quality = {row.cluster_id: vars(row) for row in evidence.clusters}
    listed = app.post("/api/failures/clusters", body, list[ListedCluster])
    clusters = [{**vars(row), **quality.get(row.cluster_id, {"stability": None})} for row in listed]
    show(
        {"clusters": clusters, "kappa": evidence.kappa},
        given.json,
        lambda: [table(clusters, COLUMNS), _agreement(evidence.kappa)] if clusters else "no clusters yet: mistakebook cluster",
    )
    return 0


def _agreement(kappa: "Kappa") -> str:
    return f"agreement with people on error types: {_kappa(kappa)}"


def _kappa(kappa: "Kappa") -> str:
    if not kappa.pairs:
        return "no labels yet"
    if kappa.value is None:
        return f"{kappa.agreed} of {kappa.pairs}; all of one type, so there is no kappa yet"
    return f"kappa {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f}) over {kappa.pairs} failures"
