"""Tokens counted in a process of its own: the same as in this one, and nothing where it cannot be had."""

import os
import signal
import time

import pytest

from engine.dataset.captioning.counting import Counting
from engine.dataset.captioning.trigger_word import judged, suggestions
from engine.dataset.tokens import Encoder, encoders_of
from projects.spec import Base

TEXTS = ["", "a cup, window light", "word " * 80, "ä \U0001f600 \ud83d half", "a cup, window light"]


@pytest.fixture
def counting(tmp_path):
    client = Counting(tmp_path, Base(source="demo"))
    yield client
    client.close()


def here(tmp_path):
    return [each for each in encoders_of(Base(source="demo"), tmp_path) if isinstance(each, Encoder)]


def test_it_counts_as_this_process_does(counting, tmp_path):
    encoders = here(tmp_path)
    assert counting.places == tuple(each.place for each in encoders)
    assert counting.known(TEXTS[1]) is None
    assert counting.counts(TEXTS) == [tuple(each.count(text) for each in encoders) for text in TEXTS]
    assert counting.known(TEXTS[1]) == tuple(each.count(TEXTS[1]) for each in encoders)
    assert counting.pieces(TEXTS[2]) == [each.pieces(TEXTS[2]) for each in encoders]
    told, offered = counting.trigger("tr1al_cup")
    assert told == [judged("tr1al_cup", each) for each in encoders]
    assert offered == suggestions("tr1al_cup", encoders)


def test_a_base_that_is_not_there_counts_nothing(tmp_path):
    client = Counting(tmp_path, Base(source="nowhere/at/all"))
    assert client.places == ()
    assert client.counts(["a"]) == [()]
    assert client.trigger("a") == ([], [])
    client.close()


def test_a_process_that_died_is_started_anew(counting):
    first = counting.counts(["a cup"])
    os.kill(counting._process.pid, signal.SIGKILL)
    counting._process.wait()
    assert counting.counts(["a cup", "another cup"])[0] == first[0]
    assert counting.known("another cup") is not None


def test_whoever_waits_can_give_up(tmp_path):
    client = Counting(tmp_path, Base(source="demo"), should_stop=lambda: True)
    started = time.monotonic()
    assert client.trigger("tr1al_cup") == ([], [])
    client.close()
    assert time.monotonic() - started < 2


def test_it_ends_with_whoever_started_it(counting):
    counting.counts(["a cup"])
    process = counting._process
    counting.close()
    assert process.poll() is not None
    started = time.monotonic()
    assert counting.counts(["something new"]) == [(None, None)]
    assert time.monotonic() - started < 1
