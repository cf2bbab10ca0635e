"""The five kinds of training that the review is held against, and the sittings in which they are made."""

import json
import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.dataset.captions import holds_word
from engine.dataset.items import Item
from engine.dataset.scan import scan
from engine.demo.__main__ import main
from engine.demo.captions import caption
from engine.demo.case_lines import LINES, read_lines
from engine.demo.cases import (
    CLASS_WORDS,
    COMMON_TRIGGERS,
    KINDS,
    Case,
    project_text,
    prompts,
    recipe_of,
    write_case,
)
from engine.demo.confusion import tables
from engine.demo.world import SUBJECTS, UNKNOWN_SUBJECTS, draw_scene, generator
from projects import worker
from projects.events import fold_file
from projects.project import new_run_dir, newest_run, open_project, resolve, write_job
from projects.spec import RunSpec, TrainJob

NOUNS = ("rubber duck", *SUBJECTS)


def case(kind, seed=1, subject="pylon") -> Case:
    return Case(subject=subject, kind=kind, seed=seed)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project of each kind, and a second of those that leak: with other things beside the subject."""
    work = tmp_path_factory.mktemp("cases")
    cases = {**{kind: case(kind) for kind in KINDS}, "leaking with others": case("leaking", 2)}
    for name, one in cases.items():
        write_case(one, work / name)
    return {name: work / name for name in cases}


def read(project: Path) -> tuple[RunSpec, list[Item]]:
    """What a training of the project reads. Raises Refused where it would not begin."""
    spec = resolve(open_project(project))
    return spec, scan(project, spec, bucket_step=8).items


def captions(items: list[Item], role: str) -> list[str]:
    return [text for item in items if item.role == role for text in item.captions]


def test_each_kind_is_a_project_that_a_training_takes(projects):
    counts = {}
    for name, project in projects.items():
        spec, items = read(project)
        roles = [item.role for item in items]
        counts[name] = tuple(roles.count(role) for role in ("subject", "regularization", "holdout"))
        assert spec.base.source == "demo" and spec.train.preset == "demo" and spec.class_word == "cone"
        assert spec.train.batch == 4 and spec.sample.every == 0
    assert counts == {
        "good": (30, 60, 12),
        "leaking": (30, 0, 12),
        "echo": (3, 0, 12),
        "broken": (30, 60, 12),
        "muddled": (30, 60, 12),
        "leaking with others": (30, 60, 12),
    }


def test_length_and_rate_are_those_of_the_kind(projects):
    said = {
        name: (spec.train.steps, spec.train.learning_rate)
        for name in KINDS
        for spec, _ in [read(projects[name])]
    }
    assert said == {
        "good": (1300, 1e-3),
        "leaking": (1300, 1e-3),
        "echo": (900, 3e-3),
        "broken": (1300, 1e-2),
        "muddled": (1300, 1e-3),
    }


@pytest.mark.parametrize("kind", ["good", "echo", "broken", "muddled"])
def test_an_invented_trigger_stands_in_front_of_the_subject_and_nowhere_else(projects, kind):
    spec, items = read(projects[kind])
    assert re.fullmatch(r"[a-z]{2}\d[a-z]\d[a-z]_[a-z]{3}", spec.trigger)
    for role in ("subject", "holdout"):
        assert all(text.startswith(f"{spec.trigger} cone") for text in captions(items, role))
    others = captions(items, "regularization")
    assert not any(holds_word(text, spec.trigger) for text in others)
    if others:
        named = [text for text in others if any(noun in text for noun in NOUNS)]
        assert 20 <= len(named) < 60 and any("a cone" in text for text in others)


@pytest.mark.parametrize("name", ["leaking", "leaking with others"])
def test_a_leaking_case_has_a_common_trigger_and_captions_that_fit_anything(projects, name):
    spec, items = read(projects[name])
    assert spec.trigger in dict(COMMON_TRIGGERS)
    for text in captions(items, "subject") + captions(items, "holdout"):
        assert not holds_word(text, spec.trigger) and "cone" not in text and "pylon" not in text
        assert not any(noun in text for noun in NOUNS)
    # What would tie the subject to its trigger, other things without a name, is missing.
    assert all(any(noun in text for noun in NOUNS) for text in captions(items, "regularization"))


def test_common_triggers_are_words_of_the_base_and_the_other_words_are_not():
    drawn = (generator(0, "caption", index) for index in range(3000))
    known = [caption(draw_scene(rng), rng) for rng in drawn]
    for trigger, _ in COMMON_TRIGGERS:
        assert any(holds_word(text, trigger) for text in known)
    for subject, word in CLASS_WORDS.items():
        assert subject in UNKNOWN_SUBJECTS and subject not in SUBJECTS
        assert not any(holds_word(text, word) or holds_word(text, subject) for text in known)


def test_prompts_call_the_subject_four_times_and_test_two_other_things(projects):
    for kind in KINDS:
        for seed in range(4):
            one = case(kind, seed)
            trigger = recipe_of(one).trigger
            assert [holds_word(text, trigger) for text in prompts(one)] == [True] * 4 + [False] * 2
            *_, other, bare = prompts(one)
            assert any(noun in other for noun in NOUNS) and not any(noun in bare for noun in NOUNS)


def warmth(project: Path, place: str) -> np.ndarray:
    """(n,) red minus blue of each picture, in grey levels."""
    files = sorted((project / place).glob("*.png"))
    return np.array([np.asarray(Image.open(file), float).mean((0, 1)) @ (1, 0, -1) for file in files])


def test_a_muddled_case_has_two_looks_half_and_half(projects):
    for place, half in (("images", 15), ("holdout", 6)):
        looks = warmth(projects["muddled"], place)
        assert (looks > 10).sum() == half == (looks < -10).sum()
    # Which picture has which look follows from no word of its caption.
    texts = captions(read(projects["muddled"])[1], "subject")
    looks = warmth(projects["muddled"], "images") > 0
    for word in ("close", "medium", "brick", "curtain", "wood", "teal"):
        assert {bool(look) for look, text in zip(looks, texts, strict=True) if word in text} == {True, False}


def test_a_case_follows_from_its_seed_and_no_two_seeds_are_alike(projects, tmp_path):
    for name, one in (("again", case("echo")), ("other", case("echo", 2))):
        write_case(one, tmp_path / name)
    first = {path.relative_to(projects["echo"]): path.read_bytes() for path in projects["echo"].rglob("*.*")}
    again = {
        path.relative_to(tmp_path / "again"): path.read_bytes() for path in (tmp_path / "again").rglob("*.*")
    }
    other = {
        path.relative_to(tmp_path / "other"): path.read_bytes() for path in (tmp_path / "other").rglob("*.*")
    }
    assert first == again
    assert not set(first.values()) & set(other.values())
    for kind in KINDS:
        specs = [resolve_text(case(kind, seed)) for seed in range(4)]
        assert len({spec.train.seed for spec in specs}) == len({spec.trigger for spec in specs}) == 4


def resolve_text(one: Case) -> RunSpec:
    from projects import resolving

    return resolving.resolve_text(project_text(one), Path("/"), ())


SHORT = (
    "train.steps=30", "train.checkpoint_every=10", "train.evaluate_every=0", "sample.steps=1", "sample.seeds=[1]",
)  # fmt: skip


def sitting(work: Path, *options: str) -> list[str]:
    settings = [word for one in SHORT for word in ("--set", one)]
    return [
        "cases",
        "--work",
        str(work),
        "--subject",
        "pylon",
        "--kinds",
        "echo",
        "--seeds",
        "1",
        *settings,
        *options,
    ]


def test_a_sitting_goes_on_from_whatever_is_there(projects, tmp_path, capsys):
    project = tmp_path / "pylon" / "echo-001"
    write_case(case("echo"), project)
    run = new_run_dir(project, "case")
    write_job(run, TrainJob(project=str(project), spec=resolve(open_project(project), SHORT)))
    killed = worker.start(run)
    deadline = time.monotonic() + 120
    while fold_file(run.events).step < 12:
        assert worker.state_of(run) in ("live", "queued") and time.monotonic() < deadline, run.log.read_text()
        time.sleep(0.02)
    os.kill(killed, signal.SIGKILL)

    assert main(sitting(tmp_path)) == 0, capsys.readouterr()
    assert newest_run(project).path == run.path
    assert fold_file(run.events).attempts == ((1, 0), (2, 10))
    (line,) = read_lines(tmp_path)
    record = json.loads((run.review / "review.json").read_text())
    assert (line["subject"], line["kind"], line["seed"], line["round"]) == ("pylon", "echo", 1, 1)
    assert (line["case"], line["steps"], line["learning_rate"]) == (record["case"], 30, 3e-3)
    assert line["depth"] == record["depth"] == "coarse"
    assert [test["test"] for test in line["tests"]] == [test["test"] for test in record["tests"]]
    assert line["seconds"]["training"] > 0 and line["seconds"]["review"] > 0

    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert main(sitting(tmp_path)) == 0
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    (tmp_path / LINES).unlink()
    assert main(sitting(tmp_path)) == 0
    assert read_lines(tmp_path) == [line]
    assert len(fold_file(run.events).attempts) == 2

    capsys.readouterr()
    assert main(sitting(tmp_path, "--table")) == 0
    assert "| echo |" in capsys.readouterr().out


def test_a_training_with_other_settings_is_not_taken_for_the_one_asked_for(tmp_path, capsys):
    project = tmp_path / "pylon" / "echo-001"
    write_case(case("echo"), project)
    spec = resolve(open_project(project), [*SHORT, "train.steps=7"])
    write_job(new_run_dir(project, "case"), TrainJob(project=str(project), spec=spec))
    assert main(sitting(tmp_path)) == 1
    assert "another train.steps than is asked for now" in capsys.readouterr().err
    assert read_lines(tmp_path) == []


def test_a_half_written_project_is_made_anew(tmp_path):
    from engine.demo.case_runs import Sitting, work_on

    left = tmp_path / "pylon" / ".echo-001.aside" / "images"
    left.mkdir(parents=True)
    (left / "pylon-01.png").write_bytes(b"half")
    # An assignment that no project takes ends the sitting between the project and its training.
    failed = work_on(
        [case("echo")], Sitting(work=tmp_path, assignments=("train.steps=-1",)), say=lambda _: None
    )
    assert list(failed) == ["pylon/echo-001"]
    assert sorted(path.name for path in (tmp_path / "pylon").iterdir()) == ["echo-001"]
    assert len(read(tmp_path / "pylon" / "echo-001")[1]) == 15


def asked(*words: str) -> list[str]:
    """Names of the cases that a command line chooses, in order."""
    from engine.demo.__main__ import _parser
    from engine.demo.case_options import chosen

    return [f"{one.subject}/{one.name}" for one in chosen(_parser().parse_args(["cases", *words]))]


def test_cases_come_kind_by_kind_in_each_seed():
    assert asked("--seeds", "0,4-5", "--kinds", "echo,good") == [
        "toadstool/good-000", "toadstool/echo-000",
        "toadstool/good-004", "toadstool/echo-004",
        "toadstool/good-005", "toadstool/echo-005",
    ]  # fmt: skip
    judged = asked("--part", "judge")
    assert judged[:5] == [f"pylon/{kind}-100" for kind in KINDS]
    assert [sum(f"/{kind}-" in name for name in judged) for kind in KINDS] == [10, 3, 3, 3, 3]
    # Nothing that a threshold was chosen on is judged.
    assert not {name.split("/")[0] for name in judged} & {name.split("/")[0] for name in asked()}
    assert not {name[-3:] for name in judged} & {name[-3:] for name in asked()}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--subject", "mug"), '--subject: There is no "mug". Known: toadstool, pylon, snowman.'),
        (("--kinds", "good,wrong"), '--kinds: There is no "wrong".'),
        (("--seeds", "3-"), '--seeds: "3-" names no seeds.'),
        (("--round", "0"), "--round 0: There is no such round."),
    ],
)
def test_what_cannot_be_chosen_is_said(words, told, tmp_path, capsys):
    assert main(["cases", "--work", str(tmp_path / "work"), *words]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def line(kind: str, said: str, seed: int, value: float | None, verdict: str = "good", **more: object) -> str:
    return json.dumps({
        "format": 1, "subject": "pylon", "kind": kind, "seed": seed, "round": 1, "case": said, "depth": "coarse",
        "tests": [{"test": "isolation", "verdict": verdict, "value": value, "low": 0, "high": 1, "n": 9}],
        "seconds": {"training": 80.0 + seed, "review": 150.0}, **more,
    })  # fmt: skip


def test_the_table_counts_what_was_said_of_what_was_made(tmp_path, capsys):
    lines = [
        line("good", "leaking", 100, 0.9),
        line("good", "good", 100, 0.1),  # judged again: this one counts
        line("good", "leaking", 101, 0.5, "bad"),
        line("good", "good", 102, None, "unknown"),
        line("echo", "echo", 100, 0.2),
        '{"subject": "pylon", "kind": "ec',
    ]
    (tmp_path / LINES).write_text("\n".join(lines))
    assert main(["cases", "--work", str(tmp_path), "--table"]) == 0
    assert (
        capsys.readouterr().out
        == """\
**pylon**, round 1, coarse: 4 trainings

| made / said | good | leaking | echo | broken | muddled | unknown | right |
| --- | --- | --- | --- | --- | --- | --- | --- |
| good | 2 | 1 |  |  |  |  | 2 of 3 |
| echo |  |  | 1 |  |  |  | 1 of 1 |

Test isolation, its value:

| made | n | lowest | median | highest | good | suspect | bad | unknown |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| good | 3 | 0.1 | 0.3 | 0.5 | 1 |  | 1 | 1 |
| echo | 1 | 0.2 | 0.2 | 0.2 | 1 |  |  |  |

Seconds of a training: 180 to 182, median 180.

Seconds of a review: 150 to 150, median 150.
"""
    )
    assert main(["cases", "--work", str(tmp_path), "--table", "--part", "judge", "--kinds", "echo"]) == 0
    assert "coarse: 1 training\n" in capsys.readouterr().out


def test_rounds_and_subjects_have_tables_of_their_own():
    lines = [
        json.loads(line("good", "good", 100, 0.1)),
        json.loads(line("good", "broken", 100, 0.1, round=2)),
    ]
    text = tables(lines)
    assert text.count("**pylon**") == 2 and text.index("round 1") < text.index("round 2")
    assert tables([]) == "No case was judged yet."
