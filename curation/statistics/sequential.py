"""A lower bound of a proportion that holds however often one looks, and for however many hypotheses in turn.

Wilson's limit is for one look at a number of labels fixed beforehand. Who labels until it is reached, and tries rule after rule, is
right less often than it says. Here the evidence against "the precision is at most p" is the likelihood ratio of a uniform mixture of
all higher precisions over p (Robbins 1970, "Statistical methods related to the law of the iterated logarithm"; Howard et al. 2021,
"Time-uniform, nonparametric, nonasymptotic confidence sequences"). Below p it is a supermartingale, also where the precision changes
from label to label as long as it stays at p or below; so the chance that it *ever* reaches 1 / alpha is at most alpha (Ville 1939).
"""

import numpy as np
from scipy import special

ALPHA = 0.025  # one-sided: what a two-sided 95 % interval leaves below it
_MOST = 10**8


def alpha_of(rank: int) -> float:
    """The level of the rank-th hypothesis tested on the same labels, 1 for the first: they add up to ALPHA, however many there are.

    >>> [round(alpha_of(rank), 5) for rank in (1, 2, 3)]
    [0.0125, 0.00417, 0.00208]
    """
    return ALPHA / (rank * (rank + 1))


def log_evidence(successes: np.ndarray | float, trials: np.ndarray | float, p: np.ndarray | float) -> np.ndarray:
    """Logarithm of the likelihood ratio of the mixture over (p, 1) to p, for k of n; arrays broadcast. 0 without trials.

    The mean over theta uniform in (p, 1) of (theta / p)^k ((1 - theta) / (1 - p))^(n - k).
    """
    k, n, p = (np.asarray(values, dtype=np.float64) for values in (successes, trials, p))
    a, b = k + 1, n - k + 1
    with np.errstate(divide="ignore"):
        upper = np.log(special.betaincc(a, b, p))
    log_ratio: np.ndarray = special.betaln(a, b) + upper - np.log1p(-p) - k * np.log(p) - special.xlog1py(n - k, -p)
    return log_ratio


def reaches(successes: np.ndarray | float, trials: np.ndarray | float, target: float, alpha: float) -> np.ndarray:
    """Whether k of n show, at the level alpha and at any number of looks, that the proportion is above the target."""
    reached: np.ndarray = log_evidence(successes, trials, target) >= -np.log(alpha) - 1e-12
    return reached


def lower_bound(successes: float, trials: float, alpha: float) -> float:
    """The largest proportion against which k of n are evidence of 1 / alpha; 0 if none is."""
    if successes <= 0:
        return 0.0
    low, high = 0.0, successes / trials  # the evidence falls with p up to the observed share, where it is below 1
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if reaches(successes, trials, middle, alpha) else (low, middle)
    return low


def successes_needed(trials: int, target: float, alpha: float) -> float:
    """The least number of successes of n, a real number, with which `reaches` holds; infinite if all n would not do."""
    if trials <= 0 or not reaches(trials, trials, target, alpha):
        return float("inf")
    low, high = target * trials, float(trials)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if reaches(middle, trials, target, alpha) else (middle, high)
    return high


def trials_needed(share: float, trials: int, target: float, alpha: float) -> int | None:
    """How many more trials, at an observed share, until `reaches` holds; 0 if it does, None if the share is not above the target.

    >>> trials_needed(1.0, 0, 0.95, 0.0125)
    121
    """
    if share <= target:
        return None
    low, high = trials - 1, max(trials, 1)
    while not reaches(share * high, high, target, alpha):
        low, high = high, high * 2
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(share * middle, middle, target, alpha) else (middle, high)
    return high - trials
