"""A project folder and its jobs: created, resolved, read back, and never half-written."""

import dataclasses
import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects import atomic
from projects.job import JobDir
from projects.problems import Refused
from projects.project import (
    create_project,
    find_run,
    new_job_dir,
    new_run_dir,
    newest_run,
    open_project,
    read_job,
    resolve,
    runs,
    save_values,
    write_job,
)
from projects.spec import (
    Adapter,
    AdapterAt,
    Captions,
    Data,
    DataSet,
    ExportJob,
    ReviewJob,
    RunSpec,
    Sample,
    SampleJob,
    Train,
    TrainJob,
)
from projects.table import keys

TOML = """\
# mine
trigger = "aur3"
[base]
source = "demo"
[data]
images = "images"
"""


@pytest.fixture(autouse=True)
def own_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project.toml").write_text(TOML)
    return tmp_path


# ---- create


def test_a_new_project_teaches_and_resolves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aurelia" / "images").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    made = create_project(
        Path("aurelia"), "demo", "aurelia/images", "aur3", "general", "mug", regularization="elsewhere"
    )
    assert made == open_project(tmp_path / "aurelia")
    assert "# The invented word" in made.text and "# learning_rate = 0.001" in made.text
    spec = resolve(made)
    assert (spec.name, spec.trigger, spec.class_word, spec.base.source) == ("aurelia", "aur3", "mug", "demo")
    assert spec.data.images == "images"
    assert spec.data.regularization == str(tmp_path / "elsewhere")
    commented = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in made.text.splitlines()
    )
    assert tomllib.loads(commented)["adapter"] == {"rank": 16}, (
        "lines that are commented out are ready to use"
    )


def test_a_folder_named_from_the_project_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "p" / "pictures").mkdir(parents=True)
    assert resolve(create_project(tmp_path / "p", "demo", "pictures", "aur3")).data.images == "pictures"


def test_creation_names_all_problems_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        create_project(tmp_path / "p", "no/such/base", "nowhere", "two words", "adult", "x")  # type: ignore[arg-type]
    assert sorted(one.where for one in refused.value.problems) == [
        "--base",
        "--images",
        "--rating",
        "--trigger",
    ]
    assert refused.value.usage and not (tmp_path / "p").exists()
    with pytest.raises(Refused, match="no trigger"):
        create_project(tmp_path / "p", "demo", tmp_path, " ")


def test_every_key_that_a_new_file_names_is_known(tmp_path: Path) -> None:
    named = re.findall(r"explain ([\w.]+)", create_project(tmp_path / "p", "demo", tmp_path, "aur3").text)
    assert named and set(named) <= set(keys())


HUB_ID = "somebody/a-base-nobody-has"


def test_a_hub_id_that_is_not_here_is_written_and_asks_for_its_family(tmp_path: Path) -> None:
    made = create_project(tmp_path / "p", HUB_ID, tmp_path, "aur3")
    with pytest.raises(Refused, match=r"tell its kind.*base.family"):
        resolve(made)
    uncommented = made.text.replace('# family = "sdxl"', 'family = "sdxl"')
    (made.path / "project.toml").write_text(uncommented)
    assert resolve(open_project(made.path)).train.preset == "sdxl"
    said = create_project(tmp_path / "q", HUB_ID, tmp_path, "aur3", family="sdxl")
    assert resolve(said).train.preset == "sdxl" and "# rank = 32" in said.text
    with pytest.raises(Refused) as refused:
        create_project(tmp_path / "r", HUB_ID, tmp_path, "aur3", family="sdlx")
    assert refused.value.problems[0].where == "--family"


def test_a_base_is_looked_for_from_here_and_then_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="from here or in the new project, and no hub id") as refused:
        create_project(tmp_path / "p", "junk_word", tmp_path, "aur3")
    assert str(tmp_path) not in str(refused.value)
    with pytest.raises(Refused, match="not a base model in diffusers layout"):
        create_project(tmp_path / "p", "here", tmp_path, "aur3")


def test_an_existing_project_is_never_replaced(project: Path) -> None:
    with pytest.raises(Refused, match="a project here already"):
        create_project(project, "demo", project, "aur3")
    assert (project / "project.toml").read_text() == TOML


def test_a_folder_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, text: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(atomic, "write_text", denied)
    with pytest.raises(Refused, match=r"cannot be written: Permission denied.*chmod"):
        create_project(tmp_path, "demo", tmp_path, "aur3")
    assert list(tmp_path.iterdir()) == []


# ---- open and save


def test_saving_keeps_what_another_editor_wrote_meanwhile(project: Path) -> None:
    opened = open_project(project)
    (project / "project.toml").write_text(TOML + "# added by hand\n[train]\nbatch = 2\n")
    saved = save_values(opened, ["train.keep=9"])
    assert "# added by hand" in saved.text and "# mine" in saved.text
    assert tomllib.loads((project / "project.toml").read_text())["train"] == {"batch": 2, "keep": 9}


def test_no_space_leaves_the_old_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Refused, match="No space left"):
        save_values(open_project(project), ["train.keep=9"])
    assert (project / "project.toml").read_text() == TOML
    assert [file.name for file in project.iterdir()] == ["project.toml"]


def test_a_newer_project_opens_read_only(project: Path) -> None:
    newer = "format = 9\nmode = 'later'\n"
    (project / "project.toml").write_text(newer)
    opened = open_project(project)
    assert opened.read_only and opened.text == newer
    for refusal in (lambda: resolve(opened), lambda: save_values(opened, ["trigger=x"])):
        with pytest.raises(Refused, match="newer Safelight"):
            refusal()
    assert (project / "project.toml").read_text() == newer


def test_a_file_that_is_no_text_is_named_and_a_mark_in_front_is_none_of_it(project: Path) -> None:
    (project / "project.toml").write_bytes(b"\xef\xbb\xbf" + TOML.encode())
    assert resolve(open_project(project)).trigger == "aur3"
    (project / "project.toml").write_bytes(b'trigger = "\xe9"')
    with pytest.raises(Refused, match=r"not UTF-8 text \(byte 11 is 0xe9\)"):
        open_project(project)
    with pytest.raises(Refused, match="no project here"):
        open_project(project / "runs")


# ---- resolve


def test_layers_in_order_and_gaps_filled(project: Path) -> None:
    spec = resolve(open_project(project), ["adapter.rank=8", "train.learning_rate=1e-3"])
    assert (spec.adapter.rank, spec.adapter.alpha) == (8, 16.0), "the demo's preset says alpha"
    assert (spec.train.learning_rate, spec.train.batch, spec.train.steps) == (1e-3, 4, 1300)
    assert (spec.train.preset, spec.base.family, spec.sample.size) == ("demo", "sdxl", (64, 64))
    spec = resolve(open_project(project), ["train.preset=sdxl", "adapter.rank=8"])
    assert (spec.adapter.alpha, spec.train.steps) == (8.0, None), (
        "alpha follows rank, steps need the pictures"
    )
    assert resolve(open_project(project), ["train.epochs=3"]).train.steps is None


def test_problems_of_file_assignments_preset_and_base_come_together(project: Path) -> None:
    (project / "project.toml").write_text(
        '[base]\nsource = "model.ckpt"\n[train]\npreset = "sdlx"\nbatch = 0\n'
    )
    with pytest.raises(Refused) as refused:
        resolve(open_project(project), ["adapter.rang=4", "train.keep=x"])
    assert sorted(one.where for one in refused.value.problems) == [
        "--set adapter.rang=4",
        "--set train.keep=x",
        "project.toml: base.source (line 2)",
        "project.toml: train.batch (line 5)",
        "project.toml: train.preset (line 4)",
    ]
    assert "pickles" in str(refused.value) and '"demo"' in str(refused.value)


def test_what_the_base_cannot_do_is_refused(project: Path) -> None:
    with pytest.raises(Refused) as refused:
        resolve(open_project(project), ["base.clip_skip=1", "adapter.text_encoder=true"])
    assert [one.where for one in refused.value.problems] == [
        "--set base.clip_skip=1",
        "--set adapter.text_encoder=true",
    ]


def test_an_assignment_of_steps_replaces_epochs_of_the_file(project: Path) -> None:
    (project / "project.toml").write_text(TOML + "[train]\nepochs = 3\n")
    train = resolve(open_project(project), ["train.steps=5"]).train
    assert (train.steps, train.epochs) == (5, None)
    with pytest.raises(Refused, match="steps and epochs"):
        resolve(open_project(project), ["train.steps=5", "train.epochs=3"])


# ---- jobs


def test_every_kind_is_read_back_as_written(tmp_path: Path) -> None:
    spec = RunSpec(
        trigger="aur3", data=Data(sets=(DataSet(path="a"), DataSet(path="b", role="holdout", weight=0.5)))
    )
    kinds = [
        TrainJob(project="/p", missing_caption="trigger", spec=spec),
        SampleJob(
            project="/p",
            checkpoint=3,
            adapters=(AdapterAt(file='/a "b".safetensors', weight=0.7),),
            spec=spec,
        ),
        ReviewJob(project="/p", run="/p/runs/x", weights=(0.5, 1.0), spec=spec),
        ExportJob(project="/p", run="/p/runs/x", formats=("comfyui",), dtype="bf16", spec=spec),
    ]
    for job in kinds:
        folder = new_job_dir(tmp_path, job.kind)
        write_job(folder, job)
        assert read_job(folder) == job
        sections = [line for line in folder.spec.read_text().splitlines() if line.startswith("[")]
        assert sections[0] == "[job]"
        with pytest.raises(Refused, match="already"):
            write_job(folder, job)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TEXTS,
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.dictionaries(TEXTS, st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=2),
    st.lists(TEXTS, max_size=3),
    st.one_of(st.just("attention"), st.lists(TEXTS, max_size=2).map(tuple)),
    st.floats(1e-8, 1.0),
    st.integers(0, 2**63 - 1),
    st.sampled_from(["steps", "epochs"]),
)
def test_any_run_is_read_back_as_written(
    tmp_path: Path, text: str, reasons: dict[str, str], crop: dict[str, tuple[float, float]], texts: list[str],
    targets: object, rate: float, seed: int, length: str,
) -> None:  # fmt: skip
    spec = RunSpec(
        name=text,
        data=Data(images="i", excluded=reasons, crop=crop),
        adapter=Adapter(targets=targets, alpha=None if seed % 2 else 4.0),  # type: ignore[arg-type]
        train=Train(seed=seed, learning_rate=rate, **{length: 7}),  # type: ignore[arg-type]
        sample=Sample(prompts=tuple(texts), size=(64, 128) if seed % 2 else None),
        captions=Captions(phrases=tuple(texts), ignored=reasons),
    )
    folder = new_job_dir(tmp_path, "train")
    write_job(folder, TrainJob(project=text, spec=spec))
    assert read_job(folder) == TrainJob(project=text, spec=spec)


def test_a_damaged_job_names_all_its_problems(tmp_path: Path) -> None:
    job = JobDir(tmp_path)
    job.spec.write_text('trigger = 5\n[job]\nkind = "review"\nrum = "x"\n[train]\nseed = -1\n')
    with pytest.raises(Refused) as refused:
        read_job(job)
    file = f"{tmp_path.name}/spec.toml: "
    assert {one.where.removeprefix(file).split(" (")[0] for one in refused.value.problems} == {
        "trigger", "job.rum", "job.project", "job.run", "train.seed",
    }  # fmt: skip
    job.spec.write_text('[job]\nkind = "trian"\n')
    with pytest.raises(Refused, match="kind of this job"):
        read_job(job)


def test_run_folders_are_new_and_the_newest_is_found(project: Path) -> None:
    spec = TrainJob(project=str(project), spec=RunSpec())
    with pytest.raises(Refused, match="no runs yet"):
        find_run(project)
    made = [new_run_dir(project, name) for name in ("b", "b", "a")]
    assert len({job.path for job in made}) == 3 and made[0].path.name[:15].count("-") == 3
    assert runs(project) == [], "a folder without spec.toml is no run yet"
    for at, job in enumerate(made):
        write_job(job, spec)
        os.utime(job.spec, ns=(at, at))
    old = JobDir(project / "runs" / "2001-01-01-0000-z")
    old.path.mkdir()
    write_job(old, spec)
    assert runs(project)[0] == old and newest_run(project) == runs(project)[-1]
    if len({job.path.name[:15] for job in made}) == 1:
        assert runs(project)[1:] == made, "within one minute the later written one is newer"
    assert find_run(project) == newest_run(project) and find_run(old.path) == old
    with pytest.raises(Refused, match="neither a run nor a project"):
        find_run(project / "images")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b"])
def test_a_run_name_that_is_no_folder_name_is_refused(project: Path, name: str) -> None:
    with pytest.raises(Refused, match="cannot be the name"):
        new_run_dir(project, name)


def test_jobs_are_counted_a_kind(tmp_path: Path) -> None:
    names = [new_job_dir(tmp_path, kind).path.name for kind in ("review", "review", "export")]
    assert names == ["review-1", "review-2", "export-1"]


def test_a_spec_is_complete_but_for_what_may_be_absent() -> None:
    assert all(getattr(RunSpec(), field.name) is not None for field in dataclasses.fields(RunSpec))


def test_the_text_encoders_rate_is_half_where_it_learns_and_nothing_where_not(project: Path) -> None:
    (project / "project.toml").write_text('format = 1\n[base]\nsource = "o/r"\nfamily = "sd15"\n')

    def rate(*said: str) -> float | None:
        return resolve(
            open_project(project), ["train.learning_rate=2e-4", *said]
        ).train.text_encoder_learning_rate

    assert rate() is None
    assert rate("adapter.text_encoder=true") == 1e-4
    assert rate("adapter.text_encoder=true", "train.text_encoder_learning_rate=3e-5") == 3e-5
    with pytest.raises(Refused, match="The text encoder does not learn"):
        rate("train.text_encoder_learning_rate=3e-5")


def test_prodigy_has_one_rate_for_both(project: Path) -> None:
    (project / "project.toml").write_text(
        'format = 1\n[base]\nsource = "o/r"\nfamily = "sd15"\n[adapter]\ntext_encoder = true\n'
        '[train]\noptimizer = "prodigy"\nlearning_rate = 1.0\nschedule = "constant"\n'
    )
    assert resolve(open_project(project), []).train.text_encoder_learning_rate == 1.0
    with pytest.raises(Refused, match="Prodigy finds one rate for all layers"):
        resolve(open_project(project), ["train.text_encoder_learning_rate=0.5"])


def test_demo_is_the_embedded_base_whatever_folders_are_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "images").mkdir()
    project = create_project(tmp_path / "p", base="demo", images="images", trigger="k1tch", rating="general")
    assert resolve(project).base.source == "demo"
