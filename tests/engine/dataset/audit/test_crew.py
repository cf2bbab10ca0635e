"""The processes of an audit: how long one may take, how much it may hold, and how many there are."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.dataset.audit import crew
from engine.dataset.audit.crew import Crew, Order
from tests.engine.dataset.audit.test_hostile import STOPS, last, photos


def test_what_a_model_fails_at_is_not_called_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys, json\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)['measures']\n"
        "    if 'faces' in asked: break\n"
        "    values = {name: {} for name in asked} | {'opened': {'size': [10, 10]}}\n"
        "    print(json.dumps({'sha256': 'a', 'stat': [1, 1], 'values': values, 'failed': {}}), flush=True)"
    )
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", program))
    photos(tmp_path, 1, side=10)
    told = {each.check: each for each in last(tmp_path).findings}
    assert told["faces"].confidence == "not-run" and told["faces"].pictures == ("000.jpg",)
    assert not set(STOPS) & set(told)


def test_a_process_that_holds_too_much_makes_room_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "from engine.dataset.audit import hand; hand.MOST_KEPT = 1; hand.main()"
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", program))
    orders = [
        Order(path=path, background="#ffffff", measures=["opened"]) for path in photos(tmp_path, 3, side=10)
    ]
    with Crew(1) as working:
        answers = []
        pids = set()
        for answered in working.work(orders):
            answers.append(answered)
            pids |= {hand._process.pid for hand in working._hands if hand._process}
    assert [each.values["opened"]["size"] for each in answers] == [[10, 10]] * 3
    assert len(pids) > 1


def test_there_are_no_more_processes_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(64))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=3 * crew.HAND_BYTES + 1))
    assert len(Crew()._hands) == 3
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1))
    assert len(Crew()._hands) == 1


def test_the_first_picture_of_a_measure_may_take_as_long_as_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys, json, time\n"
        "seen = set()\n"
        "for line in sys.stdin:\n"
        "    asked = set(json.loads(line)['measures'])\n"
        "    if asked - seen == {'text'}: time.sleep(1)\n"
        "    seen |= asked\n"
        "    if 'slow' in line and 'text' in asked: time.sleep(9)\n"
        "    print(json.dumps({'sha256': 'a', 'stat': [1, 1], 'values': {}, 'failed': {}}), flush=True)"
    )
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(crew, "ANSWER_SECONDS", 0.5)
    asked = (("a", "header"), ("b", "text"), ("slow", "text"))
    orders = [Order(path=Path(name), background="", measures=[measure]) for name, measure in asked]
    with Crew(1) as working:
        errors = [each.error for each in working.work(orders)]
    assert errors[:2] == ["", ""] and "takes longer" in errors[2]
