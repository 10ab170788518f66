"""failure_state follows from the logs in the transaction that writes them, whichever way they are written."""

import random
import uuid

import pytest

from curation import checkpoints
from data.store import Store
from tests.support.seed import seeded_store
from tests.support.stores import table


@pytest.fixture
def seeded(tmp_path):
    store, _, workspace = seeded_store(tmp_path / "seeded", 80, samples=5, seed=11)
    yield store, workspace
    store.close()


def differences(store: Store) -> int:
    with store.write() as write:
        write.run("touched_failures_all")
        (row,) = write.run("failure_state_differences")
        write.run("touched_failures_clear")
    return next(iter(row.values()))


def test_after_any_writing_the_state_is_what_the_logs_say(seeded):
    store, _ = seeded
    rng = random.Random(1)
    ids = store.column("failure_ids", round=1)
    assert len(table(store, "failure_state")) == len(ids) == 80
    assert differences(store) == 0
    labels = ("model error", "label error", "scorer artefact")
    for turn in range(12):
        with store.write() as write:
            chosen = rng.sample(ids, 5)
            rows = [{"failure_id": i, "label": rng.choice(labels), "reviewer": "a", "event_id": uuid.uuid4().hex} for i in chosen]
            write.insert("triage", rows)
            again = {
                "error_type": rng.choice(("counting", "spatial")),
                "own_score": rng.choice((0.0, 1.0)),
                "gold_looks_wrong": turn % 3 == 0,
            }
            others = rng.sample(ids, 3)
            write.insert(
                "diagnosis",
                [{"failure_id": i, **again, "right_but_misformatted": False, "confidence": 0.5, "job_id": 90 + turn} for i in others],
            )
            if turn == 6:
                write.touch_failures()
                write.run("places_clear", round=1)
            if turn > 6:
                write.insert(
                    "place", [{"failure_id": i, "cluster_id": 1, "x": 0.5, "y": turn, "job_id": turn} for i in chosen], replace=True
                )
        assert differences(store) == 0, f"turn {turn}"
    before = table(store, "failure_state")
    store.rebuild_states()
    assert table(store, "failure_state") == before


def test_a_failed_transaction_leaves_the_state(seeded):
    store, _ = seeded
    before = table(store, "failure_state")
    with pytest.raises(RuntimeError), store.write() as write:
        write.insert("triage", [{"failure_id": 3, "label": "label error", "reviewer": "a", "event_id": "12345678"}])
        write.refresh_states()
        raise RuntimeError
    assert table(store, "failure_state") == before
    with store.write() as write:
        write.insert("triage", [{"failure_id": 4, "label": "label error", "reviewer": "a", "event_id": "12345679"}])
    assert differences(store) == 0


def test_a_round_begun_from_measured_predictions_has_its_failures_state(seeded):
    store, _ = seeded
    with store.write() as write:
        examples = write.run("examples_to_assign")[:30]
        write.insert(
            "prediction",
            [{"checkpoint_id": 2, "example_id": e["example_id"], "answer": "no", "strict": 0.0, "lenient": 0.0} for e in examples],
        )
    checkpoints.begin_round(store, "run 1")
    rounds = [row[1] for row in table(store, "failure_state")]
    assert rounds.count(2) == 30 and differences(store) == 0


def test_a_store_of_before_gets_its_state_when_it_is_migrated(seeded, tmp_path):
    store, workspace = seeded
    expected = table(store, "failure_state")
    cursor = store._cursor()  # back to what the first migration left
    cursor.execute("DROP VIEW failure_card")
    for name in ("failure_state", "saved_view"):
        cursor.execute(f"DROP TABLE {name}")
    cursor.execute("DROP SEQUENCE view_ids")
    first = next(path for number, path in _migrations().items() if number == 1).read_text()
    cursor.execute(first[first.index("CREATE VIEW failure_card") :])
    cursor.execute("DELETE FROM migration WHERE number = 4")
    store.close()
    old = Store(workspace.store)
    assert table(old, "failure_state") == expected
    assert differences(old) == 0
    old.close()


def _migrations():
    from data.store import migrations

    return migrations()
