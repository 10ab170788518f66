"""Each migration has a number of its own: of two with one number only the last would ever be applied."""

from collections import Counter

from data.store import MIGRATIONS


def test_no_two_migrations_share_a_number_and_none_is_left_out():
    numbers = sorted(path.name[:4] for path in MIGRATIONS.glob("*.sql"))
    assert not [number for number, count in Counter(numbers).items() if count > 1], numbers
