"""A few rounds of tests/tui/killing.py: nothing that was typed is lost where the program is killed in the middle of it."""

import random
from pathlib import Path

from tests.tui.killing import Round, judged, on_disk, rounds, write_project


def test_killed_while_somebody_writes_no_caption_is_lost_half_written_or_reverted(tmp_path: Path) -> None:
    assert rounds(tmp_path, 2, seed=11, parallel=2) == []


def test_the_judge_of_a_round_sees_what_is_lost_and_what_nobody_typed(tmp_path: Path) -> None:
    here = Round(write_project(tmp_path / "kitchen"), random.Random(1))
    here.put(on_disk(here.project))
    here.seen()
    assert judged(here, here.seen_at[0] + 5.0) == ""
    here.put(here.with_text("k1tch, tone0, w1x"))
    here.seen()
    assert judged(here, here.seen_at[1] + 0.5) == ""
    assert "lost" in judged(here, here.seen_at[1] + 5.0)
    (here.project / "images/IMG_3.txt").write_text("k1t")
    assert "half-written" in judged(here, here.seen_at[1])
