"""Sample jobs and previews."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine import sample
from engine.adapter import TRAINED, inject, load_state, target_modules, trained_parameters
from engine.cache import Cache, encode_texts
from engine.demo import BASE_DIR
from engine.desk import Desk, StopAsked
from engine.families.opening import open_base
from engine.families.sdxl import SDXL
from engine.picture_file import read_settings
from engine.sample import preview
from projects.events import read
from projects.job import JobDir
from projects.problems import Refused
from projects.spec import AdapterAt, Base, SampleJob
from tests.engine.drawn_run import SPEC, make_run, random_adapter, with_sample
from tests.engine.tiny_flux import tiny_flux


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def draw(project: Path, job: SampleJob, name: str = "sample-1") -> tuple[str, Path, list[dict]]:
    folder = JobDir(project / "jobs" / name)
    folder.path.mkdir(parents=True)
    with Desk.open(folder) as desk:
        word = sample.run(desk, job)
    return word, folder.pictures, [dict(event) for event in read(folder.events)[0]]


def pixels(path: Path) -> bytes:
    with Image.open(path) as picture:
        return picture.tobytes()


def test_a_run_is_sampled_with_its_newest_adapter_and_says_so(project: Path) -> None:
    run = make_run(project, {100: random_adapter(0), 200: random_adapter(1)})
    job = SampleJob(project=str(project), run=str(run.path), spec=with_sample(weight=0.75))
    word, folder, events = draw(project, job)
    assert word == "done"
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [
        "001-seed1.png", "002-seed2.png", "003-seed1.png", "004-seed2.png"
    ]  # fmt: skip
    settings = read_settings(files[2])
    assert (settings["prompt"], settings["negative"], settings["seed"]) == ("a mug", "blurry", 1)
    assert settings["run"] == "r4" and settings["step"] == 200
    assert settings["true_guidance"] is None
    assert [(one["name"], one["weight"]) for one in settings["adapters"]] == [("zork", 0.75)]
    with Image.open(files[0]) as picture:
        assert "<lora:zork:0.75>" in picture.info["parameters"] and picture.size == (64, 64)
    sampled = [name for event in events if event["kind"] == "sampled" for name in event["files"]]
    assert sorted(sampled) == [f"pictures/{file.name}" for file in files]
    older, earlier, _ = draw(project, replace(job, checkpoint=100), "sample-2")
    assert older == "done" and pixels(earlier / files[0].name) != pixels(files[0])
    _, again, _ = draw(project, job, "sample-3")
    assert [pixels(file) for file in sorted(again.iterdir())] == [pixels(file) for file in files]


def test_without_a_run_the_base_is_drawn_and_further_adapters_act_on_it(project: Path) -> None:
    run = make_run(project, {100: random_adapter(0)})
    file = run.checkpoint(100) / "adapter.safetensors"
    spec = with_sample(prompts=("a mug",), seeds=(1,))
    plain = draw(project, SampleJob(project=str(project), spec=spec), "one")[1]
    with_file = draw(
        project, SampleJob(project=str(project), spec=spec, adapters=(AdapterAt(file=str(file)),)), "two"
    )[1]
    from_run = draw(project, SampleJob(project=str(project), run=str(run.path), spec=spec), "three")[1]
    name = "001-seed1.png"
    assert pixels(with_file / name) == pixels(from_run / name) != pixels(plain / name)
    assert read_settings(plain / name)["adapters"] == [] and read_settings(plain / name)["run"] == ""


def test_an_adapter_of_another_program_acts_on_flux_and_the_picture_says_how_it_was_guided(
    project: Path,
) -> None:
    """One tensor of an attention's three, as sd-scripts writes it."""
    torch.manual_seed(0)
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    tensors = {
        f"{name}.lora_down.weight": torch.randn(4, 64), f"{name}.lora_up.weight": torch.randn(192, 4),
        f"{name}.alpha": torch.tensor(4.0),
    }  # fmt: skip
    file = project / "style.safetensors"
    save_file(tensors, file)
    spec = replace(
        with_sample(prompts=("a mug",), seeds=(1,), sampler="euler", guidance=3.5, true_guidance=2.0),
        base=Base(source=str(tiny_flux())),
    )
    plain = draw(project, SampleJob(project=str(project), spec=spec), "one")[1]
    acting = draw(
        project,
        SampleJob(project=str(project), spec=spec, adapters=(AdapterAt(file=str(file), weight=0.8),)),
        "two",
    )[1]
    picture = acting / "001-seed1.png"
    assert pixels(picture) != pixels(plain / picture.name)
    settings = read_settings(picture)
    assert (settings["guidance"], settings["true_guidance"]) == (3.5, 2.0)
    with Image.open(picture) as opened:
        told = opened.info["parameters"]
    assert "CFG scale: 2, Distilled CFG Scale: 3.5," in told and "<lora:style:0.8>" in told


def test_prompts_of_a_run_default_to_captions_of_its_subject(project: Path) -> None:
    run = make_run(project, {100: random_adapter(0)})
    spec = with_sample(prompts=(), seeds=(1,))
    folder = draw(project, SampleJob(project=str(project), run=str(run.path), spec=spec))[1]
    prompts = [read_settings(file)["prompt"] for file in sorted(folder.iterdir())]
    assert prompts == [f"zork, a mug, light {number}" for number in range(3)]


FOREIGN = "foreign.safetensors"


@pytest.mark.parametrize(
    ("adapter", "changes", "words"),
    [
        ("", {"prompts": ()}, "no prompt"),
        ("", {"size": (100, 64)}, "multiples of 16"),
        ("absent.safetensors", {}, "no such file"),
        ("other.ckpt", {}, "pickle"),
        (FOREIGN, {}, "have no place in the unet"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_is_drawn(
    project: Path, adapter: str, changes: dict[str, object], words: str
) -> None:
    header = {"format": "safelight-1", "rank": "1", "alpha": "1"}
    save_file({"mid_block.nothing.lora_A.weight": torch.zeros(1)}, project / FOREIGN, header)
    adapters = (AdapterAt(file=str(project / adapter)),) if adapter else ()
    with pytest.raises(Refused, match=words):
        draw(project, SampleJob(project=str(project), spec=with_sample(**changes), adapters=adapters))
    assert not list(project.rglob("*.png"))


def test_an_empty_prompt_is_a_prompt(project: Path) -> None:
    spec = with_sample(prompts=("",), seeds=(1,), negative="")
    folder = draw(project, SampleJob(project=str(project), spec=spec))[1]
    assert read_settings(folder / "001-seed1.png")["prompt"] == ""


def test_a_prompt_that_is_not_read_to_its_end_is_named(project: Path) -> None:
    spec = with_sample(prompts=("mug " * 40 + "LASTWORD",), seeds=(1,))
    events = draw(project, SampleJob(project=str(project), spec=spec))[2]
    warnings = [event["text"] for event in events if event["kind"] == "warning"]
    assert (
        len(warnings) == 1
        and "longer than what the model reads" in warnings[0]
        and warnings[0].endswith("LASTWORD")
    )


@pytest.mark.skipif(not (BASE_DIR / "model_index.json").exists(), reason="the demo base is not built yet")
def test_the_demo_base_draws(project: Path) -> None:
    spec = replace(with_sample(prompts=("a red mug",), seeds=(1,)), base=Base(source="demo"))
    word, folder, _ = draw(project, SampleJob(project=str(project), spec=spec))
    settings = read_settings(folder / "001-seed1.png")
    assert word == "done" and settings["base"] == "demo" and settings["size"] == [64, 64]


def test_wording_that_no_door_lets_through_is_not_drawn(project: Path) -> None:
    spec = with_sample(prompts=("a naked 12 year old",))
    with pytest.raises(Refused):
        draw(project, SampleJob(project=str(project), spec=spec))
    assert not list(project.rglob("*.png"))


def test_a_stop_ends_the_job_and_keeps_finished_pictures(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.draw.PICTURES_AT_ONCE", 1)
    folder = JobDir(project / "jobs" / "sample-1")
    folder.path.mkdir(parents=True)
    with Desk.open(folder) as desk:
        told = desk.emit

        def stop_after_the_first(kind: str, **fields: object) -> None:
            told(kind, **fields)
            if kind == "sampled":
                desk.ask_stop()

        monkeypatch.setattr(desk, "emit", stop_after_the_first)
        with pytest.raises(StopAsked):
            sample.run(desk, SampleJob(project=str(project), spec=SPEC))
    assert [file.name for file in folder.pictures.iterdir()] == ["001-seed1.png"]


def test_a_preview_leaves_training_as_it_was(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family, base = open_base(SPEC.base, project)
    conditions = encode_texts(
        Cache(project / "cache"), family, base, [*SPEC.sample.prompts, SPEC.sample.negative]
    )
    denoiser = SDXL.load_denoiser(base, torch.float32)
    denoiser.requires_grad_(False)
    inject(denoiser, target_modules(denoiser, "attention", SDXL), rank=4, alpha=2.0, dropout=0.1)
    load_state(denoiser, random_adapter(0))
    denoiser.train()
    denoiser.enable_gradient_checkpointing()
    parameters = trained_parameters(denoiser)
    before = {name: tensor.detach().clone() for name, tensor in parameters.items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()

    def draw_at(step: int, weight: float) -> list[Path]:
        return preview(
            family=family, base=base, denoiser=denoiser, conditions=conditions,
            settings=replace(SPEC.sample, weight=weight), folder=project / "runs" / "r4" / "previews", step=step,
            spec=SPEC, device=torch.device("cpu"),
        )  # fmt: skip

    files = draw_at(500, 0.5)
    assert [file.name for file in files] == [
        "step-000500-01-seed1.png", "step-000500-01-seed2.png", "step-000500-02-seed1.png", "step-000500-02-seed2.png"
    ]  # fmt: skip
    assert torch.equal(state, torch.get_rng_state()) and denoiser.training
    assert all(
        torch.equal(before[name], tensor) and tensor.requires_grad for name, tensor in parameters.items()
    )
    assert all(layer.scaling == {TRAINED: 0.5} for layer in denoiser.modules() if hasattr(layer, "scaling"))
    assert read_settings(files[0])["adapters"] == [{"name": "zork", "weight": 0.5, "hash": ""}]
    assert read_settings(files[0])["run"] == "r4"
    assert pixels(draw_at(750, 0.5)[0]) == pixels(files[0]) != pixels(draw_at(1000, 1.0)[0])

    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("engine.draw._picture", broken)
    with pytest.raises(RuntimeError, match="luck"):
        draw_at(1250, 0.5)
    assert torch.equal(state, torch.get_rng_state()) and denoiser.training
    assert all(layer.scaling == {TRAINED: 0.5} for layer in denoiser.modules() if hasattr(layer, "scaling"))
