"""The states of jobs and samples: the same in Python, in the store, and in what the browser is given."""

import json

import pytest

from data import statuses
from data.statuses import ACTIVE, ENDED, JobStatus, SampleStatus
from data.store import Store


@pytest.mark.parametrize("states, sql_type", [(JobStatus, "job_status"), (SampleStatus, "sample_status")])
def test_they_are_those_of_the_store(tmp_path, states, sql_type):
    store = Store(tmp_path / "s.duckdb")
    ((values,),) = store._writer.execute(f"SELECT enum_range(NULL::{sql_type})").fetchall()
    store.close()
    assert values == list(states)


def test_a_job_is_active_or_has_ended():
    assert sorted(ACTIVE + ENDED) == sorted(JobStatus)
    for status, groups in ((JobStatus.RUNNING, (1, 0, 0)), (JobStatus.PAUSED, (0, 1, 1)), (JobStatus.DONE, (0, 0, 1))):
        assert (status.is_active, status.can_resume, status.has_ended) == groups


def test_the_browser_is_given_them_as_json():
    given = json.loads(json.dumps(statuses.as_json()))
    assert given["job"]["active"] == ["queued", "running"] and given["job"]["all"] == list(JobStatus)
    assert given["sample"]["all"] == list(SampleStatus) and given["sample"]["trained_on"] == ["approved", "auto_approved"]
