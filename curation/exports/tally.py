"""What an export wrote, counted while it was: what its card tells."""

from collections import Counter
from dataclasses import dataclass, field

from data.export_writing import licence_note
from data.records import ExportedSample


@dataclass
class Tally:
    """What was written, counted while it was."""

    samples: int = 0
    neutralised: int = 0  # samples whose texts hold control tokens
    errors: dict[int, str] = field(default_factory=dict)  # by sample
    by_type: dict[tuple[str, str], int] = field(default_factory=Counter)  # error type and route
    by_dataset: dict[str, int] = field(default_factory=Counter)
    statuses: dict[str, int] = field(default_factory=Counter)
    reviewers: dict[str, int] = field(default_factory=Counter)
    clusters: dict[str, int] = field(default_factory=Counter)
    models: dict[tuple[str, str], int] = field(default_factory=Counter)  # what it did, its name
    prompts: dict[tuple[str, str], int] = field(default_factory=Counter)  # name, version
    filters: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # name, version: passed, failed, without a score
    licences: dict[str, int] = field(default_factory=Counter)

    def add(self, sample: ExportedSample) -> None:
        self.samples += 1
        self.by_type[sample.error_type, sample.route] += 1
        self.by_dataset[sample.dataset] += 1
        self.statuses[sample.status] += 1
        self.licences[licence_note(sample)] += 1
        if sample.reviewer:
            self.reviewers[sample.reviewer] += 1
        if sample.cluster:
            self.clusters[sample.cluster] += 1
        for role, model in (("proposed", sample.proposed_by), ("diagnosed", sample.diagnosed_by), ("drew", sample.drawn_by)):
            if model:
                self.models[role, model] += 1
        for prompt in (sample.prompts or {}).items():
            self.prompts[prompt] += 1
        for verdict in sample.filters:
            counts = self.filters.setdefault((verdict["filter"], verdict["version"]), [0, 0, 0])
            counts[2 if verdict["passed"] is None else 0 if verdict["passed"] else 1] += 1
