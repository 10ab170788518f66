"""Expensive results that are kept until their version mark changes."""

import threading

from data.memo import Memo
from data.records import FilterSetting
from data.store import Store


def test_a_result_is_made_once_a_mark_and_may_go_on_from_the_one_before():
    memo, made = Memo(2), []

    def make(before: int | None) -> int:
        made.append(before)
        return (before or 0) + 1

    assert [memo("a", mark, make) for mark in (None, None, 1, 1, 2)] == [1, 1, 2, 2, 3]
    assert made == [None, 1, 2]


def test_the_names_asked_for_last_are_kept():
    memo, made = Memo(2), []

    def ask(name: str) -> None:
        memo(name, 0, lambda _: made.append(name))

    for name in "abacab":  # c takes the place of b
        ask(name)
    assert made == ["a", "b", "c", "b"]


def test_two_threads_make_it_once_and_other_names_do_not_wait():
    memo, begun, going_on, made = Memo(9), threading.Event(), threading.Event(), []

    def slow(_: str | None) -> str:
        made.append("slow")
        begun.set()
        assert going_on.wait(10)
        return "slow"

    threads = [threading.Thread(target=memo, args=("slow", 0, slow)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.wait(10) and memo("quick", 0, lambda _: "quick") == "quick"
    going_on.set()
    for thread in threads:
        thread.join()
    assert made == ["slow"] and memo("slow", 0, slow) == "slow"


def test_a_failure_is_not_kept():
    memo = Memo(9)
    for result in (ValueError("no"), 3):
        try:
            assert memo("a", 0, lambda _, result=result: give(result)) == 3
        except ValueError as error:
            assert error is result


def give(result: int | Exception) -> int:
    if isinstance(result, Exception):
        raise result
    return result


def test_rows_are_remembered_until_the_next_write(tmp_path):
    store = Store(tmp_path / "s.duckdb")
    before = store.remembered("filters", FilterSetting)
    assert before == [] and store.remembered("filters", FilterSetting) is before and store.remembered("filters") == []
    setting = {"filter": "judge", "bit": 0, "enabled": True, "threshold": 3.0, "comparison": "at_least", "author": "ann"}
    with store.write() as write:
        write.insert("filter_setting", [setting])
    assert [row.filter for row in store.remembered("filters", FilterSetting)] == ["judge"] and store.remembered("filters")[0]["bit"] == 0
    store.close()
