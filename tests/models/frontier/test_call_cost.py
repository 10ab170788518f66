"""What a reply cost: thinking that is counted beside the completion, and what a gateway says itself."""

import math

import pytest

from models.frontier.call_cost import cost_told, usage_of


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 1000, "completion_tokens": 850, "completion_tokens_details": {"reasoning_tokens": 800}}, (1000, 850)),
        ({"prompt_tokens": 1000, "completion_tokens": 850, "total_tokens": 1850}, (1000, 850)),
        ({"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1850}, (1000, 850)),  # only the total tells
        ({"prompt_tokens": 1000, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 800}}, (1000, 850)),
        ({"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 3}, (1000, 50)),
        ({"prompt_tokens": 1000, "completion_tokens": 50, "completion_tokens_details": None}, (1000, 50)),
        (None, (None, None)),
    ],
)
def test_thinking_counts_as_completion(usage, expected):
    assert usage_of({"usage": usage})[:2] == expected


def test_what_a_gateway_says():
    assert cost_told({"usage": {"cost": 0.05}}) == 0.05 and cost_told({"usage": {"cost": 0}}) == 0.0
    for useless in ("0.05", None, -1, math.nan, math.inf, True, [1]):
        assert cost_told({"usage": {"cost": useless}}) is None
    assert cost_told({}) is None and cost_told({"usage": 3}) is None
