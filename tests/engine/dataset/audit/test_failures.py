"""What fails is not tried at every audit again, and what is known of pictures that are gone goes too."""

import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import Image

from engine.dataset.audit import crew, hand, store
from engine.dataset.audit.crew import Crew, Order
from engine.dataset.audit.hand import MEASURES
from tests.engine.dataset.audit.test_hostile import Counted, last, photos


class Inside(Crew):
    """A crew in this process, so that a test can break a measure."""

    asked: list[Path]

    def work(
        self, orders: Iterable[Order], should_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[crew.Answer]:
        for order in orders:
            self.asked.append(order.path)
            asked = {"path": str(order.path), "background": order.background, "measures": order.measures}
            told = hand.answer(asked)
            yield crew.Answer(order=order, **{**told, "stat": tuple(told["stat"])})


def _no_memory() -> cv2.error:
    error = cv2.error("Insufficient memory")
    error.code = -4
    return error


@pytest.mark.parametrize(
    ("error", "again"), [(MemoryError(), True), (_no_memory(), True), (ValueError("odd"), False)]
)
def test_what_failed_is_tried_again_only_where_it_may_have_been_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, again: bool
) -> None:
    def fail(_: Any) -> Any:
        raise error

    def asked() -> list[Path]:
        Inside.asked = []
        report = last(tmp_path)
        assert any(
            type(error).__name__ in one.value for one in report.findings if one.confidence == "not-run"
        )
        return Inside.asked

    monkeypatch.setattr("engine.dataset.audit.audit.Crew", Inside)
    # A dictionary that this process alone has: everybody reads it by name.
    monkeypatch.setitem(MEASURES, "faces", replace(MEASURES["faces"], take=fail))  # type: ignore[attr-defined]
    photos(tmp_path, 2, side=10)
    assert asked()
    assert bool(asked()) == again
    monkeypatch.setitem(MEASURES, "faces", replace(MEASURES["faces"], version="9"))  # type: ignore[attr-defined]
    assert asked()


def test_a_picture_that_ends_its_process_in_two_audits_is_not_tried_a_third_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.dataset.audit.audit.Crew", Counted)
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", "import os; os.abort()"))
    (path,) = photos(tmp_path, 1, side=10)

    def tried() -> bool:
        Counted.asked, Counted.answered = [], []
        (finding,) = [each for each in last(tmp_path).findings if each.check == "unreadable"]
        assert finding.severity == "blocker" and "ends the program" in finding.value
        return bool(Counted.asked)

    assert [tried() for _ in range(4)] == [True, True, False, False]
    path.write_bytes(path.read_bytes() + b"anew")
    assert [tried() for _ in range(3)] == [True, True, False]


def test_pictures_that_are_gone_are_forgotten_where_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored() -> int:
        with closing(sqlite3.connect(tmp_path / "cache" / "audit.sqlite")) as base:
            query = "select count(distinct content) from measured where measure = 'header'"
            return int(base.execute(query).fetchone()[0])

    monkeypatch.setattr(store, "SPARED", 3)
    paths = photos(tmp_path, 8)
    last(tmp_path)
    for path in paths[2:5]:
        path.unlink()
    Image.new("RGB", (70, 50)).save(paths[0])
    last(tmp_path)
    assert stored() == 9  # Four are gone, and five are there.
    for path in paths[5:7]:
        path.unlink()
    last(tmp_path)
    assert stored() == 9  # Nothing was measured, so there was no need to look.
    Image.new("RGB", (71, 50)).save(paths[0])
    last(tmp_path)
    assert stored() == 3
    known = last(tmp_path)
    assert known.collection.complete and not known.stage and len(known.collection.pictures) == 3
