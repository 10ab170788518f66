"""The price table: what a reply costs, and what is never guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.frontier.call_cost import image_tokens_of
from models.paid_calls.prices import Price, load_prices

TOKENS = st.integers(0, 200_000)
USD = st.floats(0, 500)


def test_input_cached_image_and_output_have_their_own_prices():
    price = Price(input=2.0, cached=0.5, image=10.0, output=8.0)
    assert price.usd(1_000_000, 0) == 2 and price.usd(0, 1_000_000) == 8
    assert price.usd(1000, 100, 400, 300) == pytest.approx((300 * 2 + 400 * 0.5 + 300 * 10 + 100 * 8) / 1e6)
    assert price.usd(1000, 0, 900, 300) == pytest.approx((700 * 0.5 + 300 * 10) / 1e6)  # cached images are billed as images: never less
    assert Price(input=2.0, output=8.0).usd(1000, 0, 400, 300) == pytest.approx(0.002)


def test_what_is_not_told_apart_is_unpriced():
    apart, alike = Price(input=2.0, output=8.0, image=10.0), Price(input=2.0, output=8.0)
    assert apart.reply_usd((1000, 10, None), None, True) is None
    assert apart.reply_usd((1000, 10, None), None, False) == apart.reply_usd((1000, 10, 0), 0, True) == pytest.approx(0.00208)
    assert alike.reply_usd((1000, 10, None), None, True) == pytest.approx(0.00208)
    assert alike.reply_usd((1000, None, None), None, True) is None


@given(TOKENS, TOKENS, TOKENS, TOKENS, USD, USD, st.none() | USD, st.none() | USD)
def test_a_reservation_covers_every_reply_of_its_tokens(prompt, cached, images, completion, input, output, image, cached_price):
    price = Price(input=input, output=output, image=image, cached=None if cached_price is None else min(cached_price, input))
    cost = price.reply_usd((prompt, completion, min(cached, prompt)), images, True)
    assert 0 <= cost <= price.most_usd(prompt, completion) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        ({"prompt_tokens_details": {"image_tokens": 7}}, 7),
        ({"prompt_tokens_details": [{"modality": "TEXT", "token_count": 3}, {"modality": "IMAGE", "token_count": 258}]}, 258),
        ({"prompt_tokens_details": {"cached_tokens": 3}}, None),
        ({"prompt_tokens_details": "?"}, None),
        (None, None),
    ],
)
def test_image_tokens_as_endpoints_report_them(usage, count):
    assert image_tokens_of({"usage": usage}) == count


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "no price for input and output"),
        ({"input": 1}, "no price for output"),
        ({"input": -1, "output": 1}, "input"),
        ({"picture": 1, "x": 1}, "x"),
    ],
)
def test_half_a_price_is_none(tmp_path, entry, words):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"models": {"m": entry}}))
    with pytest.raises(ValueError, match=f"prices.json: models.m.*{words}"):
        load_prices(path)


def test_a_picture_has_a_price_of_its_own(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"models": {"m": {"picture": 0.04}}}))
    assert load_prices(path)["m"].picture == 0.04
