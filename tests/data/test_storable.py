"""What no table can hold is refused with the field's name, and nothing is written."""

import pytest

from data.store_errors import BadValue, QueryFailed


@pytest.mark.parametrize(("value", "said"), [(10**30, "64 bits"), (10**40, "64 bits"), (2**63, "64 bits"), (-(2**63) - 1, "64 bits")])
def test_a_number_too_large(store, value, said):
    with pytest.raises(BadValue, match=f"limit: .*{said}"):
        store.rows("jobs", limit=value)


def test_half_of_a_character(store):
    with pytest.raises(BadValue, match="name: half of a character"):
        store.row("checkpoint_by_name", name="\udcff.png")
    before = store.table_counts(["checkpoint"])
    row = {"name": "\ud800", "baseline": "llava", "model": "m", "adapter": None, "options": {}, "parent": None}
    with pytest.raises(BadValue, match="name: half of a character"), store.write() as write:
        write.insert("checkpoint", [row])
    assert store.table_counts(["checkpoint"]) == before


def test_other_faults_stay_faults(store):
    with pytest.raises(QueryFailed):
        store.rows("jobs", limit="no number")
