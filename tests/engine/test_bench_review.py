"""What a review costs: the time inside the models is taken once, and the rest is what is left. No time is tested."""

import time
from types import SimpleNamespace

import pytest

from engine.bench.review import Clock, figures


def test_the_clock_counts_the_calls_it_watches_and_nothing_else() -> None:
    inner = SimpleNamespace(forward=lambda seconds: time.sleep(seconds) or "given")
    clock = Clock()
    clock.watch(inner, "forward")
    assert inner.forward(0.02) == "given"
    counted = clock.seconds
    assert counted >= 0.02
    time.sleep(0.02)
    assert clock.seconds == counted


def test_a_call_that_fails_is_counted_too() -> None:
    def broken() -> None:
        raise RuntimeError("no")

    model, clock = SimpleNamespace(encode=broken), Clock()
    clock.watch(model, "encode")
    with pytest.raises(RuntimeError):
        model.encode()
    assert clock.seconds > 0


def test_what_is_outside_is_what_the_models_do_not_explain() -> None:
    found = {"whole": 100.0, "working": 80.0, "drawing": 50.0, "models": 76.0, "pictures": 200.0}
    told = {figure["name"]: figure for figure in figures(found, "coarse")}
    assert told["review.coarse"]["value"] == 100.0 and told["review.coarse"]["budget"] == 180.0
    assert told["review.pictures"]["value"] == 4.0
    assert told["review.outside"]["value"] == pytest.approx(5.0)
