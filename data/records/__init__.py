"""The nouns, one frozen dataclass each: what travels between the store, stages, models, plugins and pages.

Tables of the store carry the same names (data/migrations). What plugins and stages make can be built without an id; what
only the store makes is a row of its table, read by `store.rows("…", Cluster)`. A picture is named by `image`: the SHA-256
of its bytes in hexadecimal, which `data.images` turns into a path. Scores are shares from 0 to 1, times UTC.
"""

from data.records.base import ClusterAction, Comparison, Lane, Metric, Record, ReviewAction, Route, Split
from data.records.experiments import Experiment, ExperimentRun
from data.records.failures import Cluster, ClusterChange, Diagnosis, Failure, KindType, TriageEvent
from data.records.jobs import JobRow, LostCall, Reply, RowError, Run
from data.records.measured import Ask, BadLine, Checkpoint, Dataset, Example, ImportReport, Prediction, Round, Skipped, SourceExample
from data.records.samples import (
    AutoRule,
    Condition,
    Drawing,
    ExportedSample,
    FilterSetting,
    Review,
    Revision,
    Sample,
    SampleState,
    Verdict,
)
from data.statuses import JobStatus, SampleStatus

__all__ = [
    "Ask",
    "AutoRule",
    "BadLine",
    "Checkpoint",
    "Cluster",
    "ClusterAction",
    "ClusterChange",
    "Comparison",
    "Condition",
    "Dataset",
    "Diagnosis",
    "Drawing",
    "Example",
    "Experiment",
    "ExperimentRun",
    "ExportedSample",
    "Failure",
    "FilterSetting",
    "ImportReport",
    "JobRow",
    "JobStatus",
    "KindType",
    "Lane",
    "LostCall",
    "Metric",
    "Prediction",
    "Record",
    "Reply",
    "Review",
    "ReviewAction",
    "Revision",
    "Round",
    "Route",
    "RowError",
    "Run",
    "Sample",
    "SampleState",
    "SampleStatus",
    "Skipped",
    "SourceExample",
    "Split",
    "TriageEvent",
    "Verdict",
]
