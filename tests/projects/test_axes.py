"""Axes of a grid, as people write them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.grid import AXES, read_axes, typed, uses_own
from projects.job import JobDir
from projects.problems import Refused
from projects.spec import GridAxis


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "style.safetensors").write_bytes(b"")
    return tmp_path


@pytest.fixture
def run(project: Path) -> JobDir:
    job = JobDir(project / "runs" / "r1")
    for step in (500, 1300):
        job.checkpoint(step).mkdir(parents=True)
        (job.checkpoint(step) / "manifest.json").write_text("{}")
    return job


def problems(project: Path, run: JobDir | None, *texts: str, said: tuple[str, ...] = ()) -> str:
    with pytest.raises(Refused) as refused:
        read_axes(texts, project=project, run=run, said=said)
    assert refused.value.usage
    return "\n".join(map(str, refused.value.problems))


def test_axes_are_read_in_their_order(project: Path, run: JobDir) -> None:
    axes = read_axes(
        ["weight=0, 0.5,1", "checkpoint=500,1300", "prompt=a mug, red|a dog"], project=project, run=run
    )
    assert [axis.name for axis in axes] == ["weight", "checkpoint", "prompt"]
    assert axes[0].values == ("0.0", "0.5", "1.0") and axes[1].values == ("500", "1300")
    assert axes[2].values == ("a mug, red", "a dog")


def test_an_empty_negative_is_a_value(project: Path, run: JobDir) -> None:
    assert read_axes(["negative=|blurry, dark"], project=project, run=run)[0].values == ("", "blurry, dark")


def test_adapters_are_stacked_with_their_weights(project: Path, run: JobDir) -> None:
    style = str((project / "style.safetensors").resolve())
    (axis,) = read_axes(
        ["adapter=base,run,style.safetensors:0.7,run:0.5+style.safetensors"], project=project, run=run
    )
    assert axis.values == ("base", "run", f"{style}:0.7", f"run:0.5+{style}")
    assert uses_own((axis,), True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wieght=0,1", "Did you mean weight?"),
        ("weight", "Its values are missing."),
        ("weight=1", "two values at least"),
        ("prompt=a mug, red", "Separate its values by |."),
        ("weight=0.5,0.50", "stands there twice"),
        ("weight=0.5,nine", "a number is expected"),
        ("weight=0.5,5", "above 4"),
        ("weight=0.5,nan", "not a number"),
        ("steps=0,20", "below 1"),
        ("steps=20.5,20", "a whole number is expected"),
        ("guidance=-1,2", "below 0"),
        ("seed=-1,2", "below 0"),
        ("sampler=euler,heun", "is not a choice"),
        ("checkpoint=500,900", "There are: 500, 1300."),
        ("base=demo,nowhere", 'There is no base "nowhere"'),
        ("base=demo,", "A base is missing"),
        ("adapter=base,nowhere.safetensors", "no adapter file nowhere.safetensors"),
        ("adapter=base,run:9", "out of range"),
        ("adapter=base,run+run:0.5", "acts twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(project: Path, run: JobDir, text: str, words: str) -> None:
    told = problems(project, run, text)
    assert words in told and f"--axis {text.partition('=')[0]}" in told


def test_everything_is_named_at_once(project: Path, run: JobDir) -> None:
    told = problems(project, run, "weight=9,1", "sampler=heun,euler", "wieght=1,2", "seed=1,2")
    assert len(told.splitlines()) == 4 and "1 to 3 axes, not 4" in told


def test_what_is_said_twice_is_refused(project: Path, run: JobDir) -> None:
    assert "there twice" in problems(project, run, "weight=0,1", "weight=0.5,0.7")
    assert "--prompt says the same" in problems(project, run, "prompt=a|b", said=("prompts",))


def test_without_a_run_nothing_of_a_run_can_change(project: Path, run: JobDir) -> None:
    assert "no adapter whose weight" in problems(project, None, "weight=0,1")
    assert "no run's adapter whose checkpoints" in problems(project, None, "checkpoint=1,2")
    assert "no run here" in problems(project, None, "adapter=base,run")
    told = problems(project, run, "weight=0,1", "base=demo,owner/name")
    assert "no adapter whose weight" in told and "add --axis adapter=base,run" in told
    told = problems(project, None, "weight=0,1", "adapter=base,nowhere.safetensors")
    assert "no adapter whose weight" not in told, "that one is wrong is no reason to say that there is none"


def test_bases_are_compared_without_the_run_unless_it_is_named(project: Path) -> None:
    bases = GridAxis(name="base", values=("demo", "x"))
    assert not uses_own((bases,), True) and uses_own((), True) and not uses_own((), False)
    assert uses_own((bases, GridAxis(name="adapter", values=("base", "run"))), True)


def test_files_are_found_from_here_first(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    here = tmp_path_factory.mktemp("here")
    (here / "style.safetensors").write_bytes(b"")
    before = Path.cwd()
    try:
        os.chdir(here)
        (axis,) = read_axes(["adapter=base,style.safetensors"], project=project, run=None)
    finally:
        os.chdir(before)
    assert axis.values[1] == str((here / "style.safetensors").resolve())


@given(st.sampled_from(AXES), st.text(max_size=20))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    try:
        (axis,) = read_axes([f"{name}={text}|{text}x"], project=Path("/nowhere"), run=None)
    except Refused:
        return
    for value in axis.values:
        typed(axis.name, value)
