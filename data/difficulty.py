"""How hard a question is for a model: the share of right answers from which it is worth practising."""

EDGE = (0.3, 0.8)  # solved so often, it lies at the edge of what the model can do (DPE, arXiv 2602.22859)


def at_the_edge(solved: float) -> bool:
    """Whether a share of right answers, from 0 to 1, lies in EDGE.

    >>> at_the_edge(0.5), at_the_edge(0.0), at_the_edge(1.0)
    (True, False, False)
    """
    return EDGE[0] <= solved <= EDGE[1]
