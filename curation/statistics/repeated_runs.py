"""Differences of two arms that were each trained with several seeds and asked the same items, some of which share an image.

A balanced model with crossed random effects of image and seed, its variances estimated by moments:

    d[s, i] = difference + image[image of i] + seed[s] + the rest

A bootstrap over images and seeds was the alternative: of three seeds it makes the variance between them a third too small, and it counts
the noise of the runs twice (Owen 2007, "The pigeonhole bootstrap"), where a t interval knows that three seeds are few. statsmodels' MixedLM
fits the same model by likelihood. It agrees (tests/statistics/test_repeated_runs.py, which also measures how often these intervals hold the
truth), but takes minutes for crossed effects of thousands of images, and its normal interval is too narrow with three seeds.
"""

import math
from collections.abc import Hashable, Sequence

import numpy as np
from scipy import optimize, stats

from curation.statistics.intervals import CONFIDENCE, Difference, codes

SMALLEST = 1e-15  # p-values below it are not told apart
ADDED = 2  # items: half a one each that was fixed and broken, one unchanged (Agresti & Min 2005), as in intervals.paired_difference


def difference_of_runs(
    before: np.ndarray,
    after: np.ndarray,
    clusters: Sequence[Hashable] | np.ndarray,
    strata: Sequence[Hashable] | np.ndarray | None = None,
    confidence: float = CONFIDENCE,
) -> Difference:
    """Mean of after - before over items and seeds, for other images and other seeds than these.

    `before` and `after` are scores from 0 to 1 of shape (seeds, items); row s of both is the same seed. An arm that has one run (nothing
    was trained) has shape (1, items) and is held against each seed of the other. `clusters`: the image of each item. `strata` (gold
    answers): each counts the same, however many items it has.

    Variance: that of the mean over seeds, clustered by image (CR1, as intervals.paired_difference, with its added items), which holds
    the noise of the runs, plus that between seeds beyond this noise (0 where it comes out below 0). Each part is weighed by the t of its
    own degrees of freedom, images less one and seeds less one (Howe 1974, "Approximate confidence limits on the mean of X + Y", JASA 69):
    with three seeds Satterthwaite's common t leaves out the truth too often where seeds differ much. With one seed the interval tells
    nothing of other seeds, and equals that of paired_difference. p: the level at which the interval, without the added items, reaches 0.

    Raises ValueError if the shapes don't fit or there are no items.
    """
    differences = _differences(before, after)
    items = differences.shape[1]
    members = codes(clusters)
    groups = np.zeros(items, np.int64) if strata is None else codes(strata)
    if len(members) != items or len(groups) != items:
        raise ValueError(f"{items} items, {len(members)} images, {len(groups)} strata: one of each an item is needed")
    sizes = np.bincount(groups)
    weights = items / (len(sizes) * sizes[groups])  # their mean is 1
    images = int(members.max()) + 1
    value = float((differences @ weights).mean() / items)
    p = 1.0
    low, high = -1.0, 1.0
    if images > 1:
        low, high = _limits(_Moments(differences, weights, groups, members, ADDED), confidence)
        p = _p_value(_Moments(differences, weights, groups, members, 0))
    return Difference(value, max(-1.0, min(low, value)), min(1.0, max(high, value)), p)


def _differences(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    before, after = np.atleast_2d(np.asarray(before, np.float64)), np.atleast_2d(np.asarray(after, np.float64))
    fits = before.shape[1] == after.shape[1] and (before.shape[0] == after.shape[0] or 1 in (before.shape[0], after.shape[0]))
    if not fits or not before.shape[1] or not before.shape[0] or not after.shape[0]:
        raise ValueError(f"scores of shapes {before.shape} and {after.shape}: the same items are needed, and the same seeds or one run")
    differences: np.ndarray = after - before
    return differences


class _Moments:
    """The estimate and its two variances, with `added` items that differ by 0 on average."""

    def __init__(self, differences: np.ndarray, weights: np.ndarray, groups: np.ndarray, members: np.ndarray, added: int) -> None:
        self.seeds, items = differences.shape
        self.images = int(members.max()) + 1
        count = items + added
        weighted = differences * weights
        by_seed = weighted.sum(1) / count
        self.middle = float(by_seed.mean())
        centres = np.stack([np.bincount(groups, row) / np.bincount(groups, weights) for row in weighted]) * items / count
        residuals = weighted - centres[:, groups] * weights
        sums = np.stack([np.bincount(members, row, self.images) for row in residuals])  # (seeds, images)
        correction = self.images / (self.images - 1)
        own = 0.5 * (1 - self.middle) ** 2 + 0.5 * (1 + self.middle) ** 2 + self.middle**2 if added else 0.0
        self.of_images = (correction * float((sums.mean(0) ** 2).sum()) + own) / count**2
        self.between = 0.0  # of seeds
        if self.seeds > 1:
            noise = correction * float(sums.var(0, ddof=1).sum()) / count**2
            self.between = max(0.0, float(by_seed.var(ddof=1)) - noise) / self.seeds

    def reach(self, level: float) -> float:
        """Half the width of the interval that leaves out the truth with this probability."""
        of_images = float(stats.t.isf(level / 2, self.images - 1)) ** 2 * self.of_images
        between = float(stats.t.isf(level / 2, self.seeds - 1)) ** 2 * self.between if self.between else 0.0
        return math.sqrt(of_images + between)


def _limits(moments: _Moments, confidence: float) -> tuple[float, float]:
    reach = moments.reach(1 - confidence)
    return moments.middle - reach, moments.middle + reach


def _p_value(moments: _Moments) -> float:
    size = abs(moments.middle)
    if moments.of_images + moments.between <= 0:
        return 0.0 if size else 1.0
    if moments.reach(SMALLEST) <= size:
        return SMALLEST
    return float(optimize.brentq(lambda level: moments.reach(level) - size, SMALLEST, 1.0, xtol=SMALLEST, rtol=1e-9))
