"""Where to look first: slices of the train examples, by how much more often the baseline fails in them than elsewhere.

*Lift* is the ratio of two shares, failures in the slice over failures outside it. Its interval is that of the log relative
risk (Katz, Baptista, Azen & Pike 1978, "Obtaining confidence intervals for the risk ratio in cohort studies", Biometrics 34),
with the variance clustered by image, for several questions share one and fail together (linearisation as for any ratio, with
the factor G / (G - 1) for G images; Cameron & Miller 2015). With one question an image this *is* Katz's variance but for that
factor. It is never taken below Katz's at shares shrunk to (failures + 1/2) / (examples + 1): where everything in a slice
fails, the formula alone would call a handful of examples certain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from scipy import stats

from curation.statistics.intervals import CONFIDENCE, Interval
from data.records import Record
from data.store import Store

DIMENSIONS = ("assigned", "kind", "dataset", "opening", "length")  # in the order of the bits of `level`, highest first
_BITS = [1 << (len(DIMENSIONS) - 1 - i) for i in range(len(DIMENSIONS))]
SUPPORT = 20  # examples that a slice must have to be computed at all


@dataclass(frozen=True)
class Slice(Record):
    """`values` by dimension, `also` other values that hold the very same examples; `rate` is the share that fails in the slice,
    `elsewhere` outside it; accuracies are of the slice."""

    values: dict[str, str]
    also: list[dict[str, str]]
    examples: int
    images: int
    failures: int
    rate: float
    elsewhere: float
    lift: float
    low: float
    high: float
    accuracy: float
    accuracy_lenient: float


@dataclass(frozen=True)
class SliceSums(Record):
    """A row of the query slice_sums: `y` of `n` train examples fail in the slice; products are summed over images, `rest_` outside it."""

    level: int  # a bit for each dimension that is left open
    dataset: str | None
    kind: str | None
    assigned: str | None
    opening: str | None
    length: str | None
    images: int
    n: float
    y: float
    strict: float
    lenient: float
    yy: float
    yn: float
    nn: float
    rest_yy: float
    rest_yn: float
    rest_nn: float
    y_rest_y: float
    y_rest_n: float
    n_rest_y: float
    n_rest_n: float

    @property
    def values(self) -> dict[str, str]:
        """By dimension that the slice is over."""
        return {name: getattr(self, name) for bit, name in zip(_BITS, DIMENSIONS) if not self.level & bit}


def relative_risk(a: float, n: float, b: float, m: float, confidence: float = CONFIDENCE) -> Interval:
    """a of n against b of m: ratio of the shares with Katz's interval. With b = 0, 1/2 is added to all four (Walter 1975).

    >>> [round(x, 2) for x in relative_risk(189, 11034, 104, 11037).to_row().values()]  # Agresti 2013: placebo, aspirin, heart attacks
    [1.82, 1.43, 2.31]
    """
    if b == 0:
        a, n, b, m = a + 0.5, n + 0.5, 0.5, m + 0.5
    return _interval(a / n * m / b, 1 / a - 1 / n + 1 / b - 1 / m, confidence)


def table(sums: Sequence[SliceSums], pairs: bool = True) -> list[Slice]:
    """Slices by the lower bound of their lift.

    A pair of dimensions is listed only where its lower bound is above that of both its parts. A slice that holds all examples
    or no failure is left out; of slices that hold the same examples the first dimension's is listed.
    """
    whole = next((row for row in sums if row.level == 2 ** len(DIMENSIONS) - 1), None)
    if whole is None:
        return []
    slices = {frozenset(row.values.items()): _slice(row, whole) for row in sums if row is not whole and row.y > 0 and row.n < whole.n}
    singles = {key: part for key, part in slices.items() if len(key) == 1}
    more = [
        pair
        for key, pair in slices.items()
        if len(key) > 1 and pairs and all(pair.low > singles[frozenset([value])].low for value in key if frozenset([value]) in singles)
    ]
    alike: dict[tuple[int, int, int, float], list[Slice]] = {}
    for part in [*singles.values(), *more]:
        alike.setdefault((part.examples, part.images, part.failures, round(part.low, 6)), []).append(part)
    kept = [replace(first, also=[other.values for other in others]) for first, *others in alike.values()]
    return sorted(kept, key=lambda part: (-part.low, -part.examples))


def of_rounds(store: Store, rounds: Sequence[str], without_label_errors: bool = False) -> list[Slice]:
    """The table of some rounds; kept until predictions, assignments or label errors change."""
    label_errors = store.value("label_error_mark") if without_label_errors else None
    mark = (tuple(rounds), store.value("accuracy_mark"), label_errors)
    given = {"round": list(rounds), "without_label_errors": without_label_errors, "least": SUPPORT}
    return store.memo(f"slices {without_label_errors}", mark, lambda _: table(store.rows("slice_sums", SliceSums, **given)))


def _slice(row: SliceSums, whole: SliceSums) -> Slice:
    a, n, b, m = row.y, row.n, whole.y - row.y, whole.n - row.n
    plain = relative_risk(a, n, b, m)
    lift = plain
    if b > 0:
        shrunk, shrunk_rest = (a + 0.5) / (n + 1), (b + 0.5) / (m + 1)
        least = (1 - shrunk) / (n * shrunk) + (1 - shrunk_rest) / (m * shrunk_rest)
        lift = _interval(plain.value, max(_clustered(row, whole), least), CONFIDENCE)
    accuracies = row.strict / n, row.lenient / n
    return Slice(row.values, [], int(n), row.images, int(a), a / n, b / m, lift.value, lift.low, lift.high, *accuracies)


def _clustered(row: SliceSums, whole: SliceSums) -> float:
    """Variance of the log relative risk over images, from sums: each image adds the square of (y - p n) / a - (y' - p' n') / b,
    where y of its n examples in the slice fail and y' of its n' outside."""
    a, b = row.y, whole.y - row.y
    p, q = a / row.n, b / (whole.n - row.n)
    inside = (row.yy - 2 * p * row.yn + p * p * row.nn) / (a * a)
    beside = (row.rest_yy - 2 * q * row.rest_yn + q * q * row.rest_nn) / (b * b)
    cross = (row.y_rest_y - q * row.y_rest_n - p * row.n_rest_y + p * q * row.n_rest_n) / (a * b)
    yy = whole.yy - (row.yy + 2 * row.y_rest_y + row.rest_yy)  # images without a part in the slice
    yn = whole.yn - (row.yn + row.y_rest_n + row.n_rest_y + row.rest_yn)
    nn = whole.nn - (row.nn + 2 * row.n_rest_n + row.rest_nn)
    others = (yy - 2 * q * yn + q * q * nn) / (b * b)
    images = whole.images
    return max(0.0, inside + beside - 2 * cross + others) * images / max(1, images - 1)


def _interval(ratio: float, variance: float, confidence: float) -> Interval:
    reach = math.exp(_normal_quantile((1 + confidence) / 2) * math.sqrt(variance))
    return Interval(ratio, ratio / reach, ratio * reach)


@cache
def _normal_quantile(share: float) -> float:
    return float(stats.norm.ppf(share))
