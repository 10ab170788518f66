"""The types of commands/answers.py against the classes that the routes answer with."""

import typing

import pytest

from curation.commands import answers
from curation.jobs.estimates import EstimateView
from curation.jobs.views import JobView
from curation.review import decisions

SAME = (
    (answers.Job, JobView),
    (answers.Estimate, EstimateView),
    (answers.BulkPreview, decisions.BulkPreview),
    (answers.BulkResult, decisions.BulkResult),
)


@pytest.mark.parametrize(("read", "answered"), SAME)
def test_a_command_reads_what_the_route_answers(read, answered):
    reads, has = typing.get_type_hints(read), typing.get_type_hints(answered)
    if reads.get("progress") == answers.Progress | None:  # an event, whose fields the stages choose
        has["progress"] = reads["progress"]
    assert {name: has[name] for name in reads} == reads
