"""adapter.text_encoder on the tiny SD 1.5 base: what is trained, resumed, drawn and exported of the text encoder."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine import adapter, assembly, checkpoint, sample, train
from engine.checkpoint import ADAPTER
from engine.desk import Desk
from engine.export import formats
from engine.export.gate import check, objection
from engine.export.names import find, names_of
from engine.export.reading import read_adapter
from engine.export.run import run as export
from engine.families.opening import open_base
from engine.picture_file import read_settings
from projects import atomic, worker
from projects.job import JobDir
from projects.locks import holder
from projects.problems import Refused
from projects.project import open_project, read_job
from projects.spec import AdapterAt, ExportJob, SampleJob, TrainJob
from tests.engine.export.bases import tiny
from tests.engine.reference_text_encoder import reference_losses
from tests.engine.runs import demo_project, events, losses, new_run, train_here, wait_until_heard
from tests.engine.test_measure import SAID, measure_here, new_job
from tests.engine.tiny_sd15 import tiny_sd15
from tests.projects.jobs import eventually
from tui.readiness import examine

ON = "adapter.text_encoder=true"
QUIET = ("sample.every=0", "train.evaluate_every=0")


def project_in(folder: Path) -> Path:
    project = demo_project(folder)
    text = (project / "project.toml").read_text()
    # The demo's own numbers, which another family's preset cannot give.
    small = (
        '[adapter]\nrank = 16\nalpha = 16\ntargets = "attention+mlp"\n\n[train]\npreset = "sd15"\nlearning_rate = 1e-3\n'
        'resolution = 64\nbatch = 4\nprecision = "fp32"\ngradient_checkpointing = false'
    )
    for old, new in (('source = "demo"', f'source = "{tiny_sd15()}"'), ('[train]\npreset = "demo"', small)):
        text = text.replace(old, new)
    (project / "project.toml").write_text(text)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return project_in(tmp_path)


def saved(job: JobDir, step: int | None = None) -> dict[str, Tensor]:
    return checkpoint.load_adapter(checkpoint.find_checkpoint(job, step)[1])[1]


def of_encoder(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return adapter.parted(state)[1]


def test_before_the_first_step_all_is_as_with_cached_conditions(project: Path) -> None:
    """B is zero, so the text encoder says what it always said: to captions, to dropped ones and to prompts."""
    asked = ("train.steps=1", "train.caption_dropout=0.5", "train.batch=4", "sample.sampler=euler")
    frozen, learning = new_run(project, *asked, name="frozen"), new_run(project, *asked, ON, name="learning")
    train_here(frozen)
    train_here(learning)
    assert losses(learning) == pytest.approx(losses(frozen), rel=1e-5)
    first, other = (events(job, "evaluated")[0]["pictures"] for job in (frozen, learning))
    assert other == pytest.approx(first, rel=1e-5)
    for file in frozen.previews.glob("step-000000-*.png"):
        one, two = (Image.open(folder / file.name) for folder in (frozen.previews, learning.previews))
        assert max(abs(a - b) for a, b in zip(one.tobytes(), two.tobytes(), strict=True)) <= 1


def test_a_run_trains_both_and_says_so(project: Path) -> None:
    job = new_run(project, ON)
    assert train_here(job) == "done"
    state = saved(job)
    assert len(of_encoder(state)) == 2 * 2 * 6  # two of three layers, as clip skip 2 does not read the last
    assert all(bool(tensor.any()) for tensor in state.values())
    health = events(job, "health")[0]
    assert health["ok"] and health["checked"] == len(state) // 2
    told = json.loads(job.facts.read_text())["attempts"][-1]["adapter"]
    assert told == {"layers": len(state) // 2, "parameters": sum(one.numel() for one in state.values())}
    assert not events(job, "warning")
    assert not list((project / "cache" / "conditions").glob("**/*.safetensors"))


def test_losses_equal_a_reference_that_shares_no_code(project: Path) -> None:
    asked = ("train.steps=12", "train.caption_dropout=0.2", "train.learning_rate=5e-3", "train.batch=2")
    job = new_run(project, ON, *QUIET, *asked, "train.schedule=cosine", "base.clip_skip=2")
    train_here(job)
    assert losses(job) == pytest.approx(reference_losses(job.path, tiny_sd15(), 12), rel=1e-5)


def test_dropped_captions_train_the_text_encoder_too(project: Path) -> None:
    job = new_run(project, ON, *QUIET, "train.steps=2", "train.caption_dropout=1.0")
    train_here(job)
    assert all(bool(tensor.any()) for tensor in of_encoder(saved(job)).values())


def test_a_stopped_run_goes_on_to_the_same_bits(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (ON, "sample.every=0", "adapter.dropout=0.1")
    straight, broken = new_run(project, *asked, name="straight"), new_run(project, *asked, name="broken")
    train_here(straight)
    honest = train.forward_backward

    def stop_at_five(task: object, step: int, *more: object) -> object:
        if step == 4:
            atomic.write_text(broken.requests / "stop", "")
            wait_until_heard(broken, "stop")
        return honest(task, step, *more)

    monkeypatch.setattr(train, "forward_backward", stop_at_five)
    assert train_here(broken) == "stopped"
    monkeypatch.undo()
    assert train_here(broken, verify=True) == "done"
    assert events(broken, "verified")[0]["verdict"] == "bit-equal"
    one, other = saved(straight), saved(broken)
    assert of_encoder(one) and one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(straight) == losses(broken)


def test_smaller_micro_batches_and_checkpointed_layers_train_the_same(project: Path) -> None:
    runs = {
        name: new_run(project, ON, *QUIET, *asked, name=name)
        for name, asked in {
            "whole": ("train.batch=4",),
            "halves": ("train.batch=2", "train.accumulate=2"),
            "checkpointed": ("train.batch=4", "train.gradient_checkpointing=true"),
        }.items()
    }
    for job in runs.values():
        train_here(job)
    whole = saved(runs["whole"])
    for name in ("halves", "checkpointed"):
        assert losses(runs[name]) == pytest.approx(losses(runs["whole"]), rel=1e-4)
        for key, tensor in of_encoder(saved(runs[name])).items():
            torch.testing.assert_close(tensor, of_encoder(whole)[key], rtol=2e-2, atol=2e-5)


def test_the_text_encoder_has_a_rate_of_its_own(project: Path) -> None:
    """AdamW's first step moves each B by the rate, whatever the gradient's size."""
    one_step = (
        *QUIET,
        "train.steps=1",
        "train.warmup=0.0",
        "train.schedule=constant",
        "train.learning_rate=1e-3",
    )

    def moved(*asked: str) -> tuple[float, float]:
        job = new_run(project, ON, *one_step, *asked)
        train_here(job)
        parts = adapter.parted({name: one for name, one in saved(job).items() if ".lora_B." in name})
        return tuple(max(float(one.abs().max()) for one in part.values()) for part in parts)

    assert moved() == pytest.approx((1e-3, 5e-4), rel=1e-3)
    assert moved("train.text_encoder_learning_rate=1e-4") == pytest.approx((1e-3, 1e-4), rel=1e-3)


def test_patterns_choose_the_text_encoders_layers(project: Path) -> None:
    def trained(*targets: str) -> set[str]:
        job = new_run(project, ON, *QUIET, "train.steps=1", f"adapter.targets={json.dumps(targets)}")
        train_here(job)
        return {name.split(".lora_")[0].rsplit(".", 1)[1] for name in of_encoder(saved(job))}

    assert trained("*.attn2.to_k", "text_encoder.*.fc1") == {"fc1"}
    assert trained("*.attn2.to_k") == {"q_proj", "k_proj", "v_proj", "out_proj"}
    with pytest.raises(Refused, match="matches no layer"):
        trained("*.attn2.to_k", "text_encoder.*.fc3")


def test_a_run_begins_with_the_text_encoder_of_another(project: Path) -> None:
    first = new_run(project, ON, *QUIET)
    train_here(first)
    file = first.checkpoint(8) / ADAPTER
    second = new_run(
        project, ON, *QUIET, "train.steps=1", "train.learning_rate=1e-8", name="on", start_from=str(file)
    )
    train_here(second)
    for name, tensor in saved(second).items():
        torch.testing.assert_close(tensor, saved(first)[name], rtol=0, atol=1e-6)
    third = new_run(project, *QUIET, name="off", start_from=str(file))
    with pytest.raises(Refused, match=r"24 unmatched.*adapter\.text_encoder"):
        train_here(third)


# ---- what is drawn


@pytest.fixture(scope="module")
def once_trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run whose checkpoint's numbers are large enough to be seen in a picture."""
    folder = project_in(tmp_path_factory.mktemp("trained"))
    job = new_run(folder, ON, *QUIET, "train.steps=1", "adapter.rank=4", "adapter.alpha=4")
    train_here(job)
    loud(job, lambda name: 0.5)
    return folder


@pytest.fixture
def trained(project: Path, once_trained: Path) -> JobDir:
    """That run, in a project of the test's own."""
    shutil.copytree(once_trained / "runs", project / "runs")
    return JobDir(next((project / "runs").iterdir()))


def loud(job: JobDir, std: Callable[[str], float], seed: int = 0) -> None:
    """Put noise of that size into each B of the checkpoint."""
    manifest, state = checkpoint.load_adapter(job.checkpoint(1))
    generator = torch.Generator().manual_seed(seed)
    noisy = {
        name: torch.randn(one.shape, generator=generator) * std(name) if ".lora_B." in name else one
        for name, one in state.items()
    }
    optimizer = checkpoint.load_optimizer(job.checkpoint(1))
    for file in job.checkpoint(1).iterdir():
        file.unlink()
    job.checkpoint(1).rmdir()
    checkpoint.save(
        job, step=1, adapter=noisy, optimizer=optimizer, rank=manifest.rank, alpha=manifest.alpha, family="sd15",
        base=manifest.base, micro_batch=1, threads=1, probe=manifest.probe,
    )  # fmt: skip


def drawn(
    project: Path, run: JobDir | None, *, weight: float = 1.0, further: tuple[AdapterAt, ...] = ()
) -> Tensor:
    """One picture, (H, W, 3) in grey levels."""
    number = len(list((project / "jobs").glob("*"))) if (project / "jobs").is_dir() else 0
    job = JobDir(project / "jobs" / f"sample-{number}")
    job.path.mkdir(parents=True)
    spec = read_job(run or next(JobDir(path) for path in (project / "runs").iterdir())).spec
    asked = replace(spec.sample, prompts=("a mug",), seeds=(1,), steps=2, weight=weight, sampler="euler")
    told = SampleJob(
        project=str(project),
        run=str(run.path) if run else "",
        adapters=further,
        spec=replace(spec, sample=asked),
    )
    with Desk.open(job) as desk:
        assert sample.run(desk, told) == "done"
    picture = job.pictures / "001-seed1.png"
    assert len(read_settings(picture)["adapters"]) == bool(run) + len(further)
    return torch.frombuffer(bytearray(Image.open(picture).tobytes()), dtype=torch.uint8).float()


def test_the_weight_acts_on_both_and_0_is_the_base(project: Path, trained: JobDir) -> None:
    base = drawn(project, None)
    assert torch.equal(drawn(project, trained, weight=0.0), base)
    whole = drawn(project, trained, weight=1.0)
    assert not torch.equal(whole, base) and not torch.equal(drawn(project, trained, weight=0.5), whole)
    loud(trained, lambda name: 0.5 if name.startswith(adapter.ENCODER) else 0.0)
    words = drawn(project, trained, weight=1.0)
    assert not torch.equal(words, base) and not torch.equal(words, whole)
    assert torch.equal(drawn(project, trained, weight=0.0), base)


def test_adapters_with_and_without_a_text_encoder_act_together(project: Path, trained: JobDir) -> None:
    file = project / "other.safetensors"
    meta = {"format": "safelight-1", "rank": "4", "alpha": "4.0", "family": "sd15", "step": "1"}
    state = saved(trained)
    own, _ = adapter.parted(state)
    save_file(own, file, metadata=meta)
    alone, both = (
        drawn(project, trained),
        drawn(project, trained, further=(AdapterAt(file=str(file), weight=0.5),)),
    )
    assert not torch.equal(alone, both)
    save_file(state, file, metadata=meta)
    assert torch.equal(
        drawn(project, None, further=(AdapterAt(file=str(file), weight=0.5),)),
        drawn(project, trained, weight=0.5),
    )


def test_an_adapter_of_a_text_encoder_is_refused_by_name_where_it_stays_frozen(
    tmp_path: Path, trained: JobDir
) -> None:
    from tests.engine.drawn_run import SPEC

    job = JobDir(tmp_path / "jobs" / "sample-x")
    job.path.mkdir(parents=True)
    file = trained.checkpoint(1) / ADAPTER
    told = SampleJob(project=str(tmp_path), adapters=(AdapterAt(file=str(file)),), spec=SPEC)
    with (
        Desk.open(job) as desk,
        pytest.raises(Refused, match=r"Stable Diffusion 1\.x adapter; the base is SDXL"),
    ):
        sample.run(desk, told)


def test_previews_follow_what_the_text_encoder_learned(project: Path, trained: JobDir) -> None:
    loud(trained, lambda name: 0.5 if name.startswith(adapter.ENCODER) else 0.0)
    asked = (
        ON,
        "adapter.rank=4",
        "adapter.alpha=4",
        "train.steps=1",
        "sample.sampler=euler",
        "train.evaluate_every=0",
    )
    plain = new_run(project, *asked, name="plain")
    begun = new_run(project, *asked, name="begun", start_from=str(trained.checkpoint(1) / ADAPTER))
    for job in (plain, begun):
        train_here(job)
    files = sorted(file.name for file in plain.previews.glob("step-000000-*.png"))
    assert files
    for name in files:
        assert Image.open(plain.previews / name).tobytes() != Image.open(begun.previews / name).tobytes()


# ---- what goes out


def exported(project: Path, run: JobDir, **asked: object) -> dict[str, Path]:
    job = JobDir(project / "jobs" / "export-1")
    job.path.mkdir(parents=True, exist_ok=True)
    spec = read_job(run)
    assert isinstance(spec, TrainJob)
    with Desk.open(job) as desk:
        export(desk, ExportJob(project=str(project), run=str(run.path), spec=spec.spec, **asked))  # type: ignore[arg-type]
    listed = json.loads((run.export / "export.json").read_text())["files"]
    assert all(file["unmatched"] == 0 for file in listed)
    return {file["format"]: project / file["path"] for file in listed}


def test_exported_files_hold_the_text_encoder_under_the_names_of_other_tools(
    project: Path, trained: JobDir
) -> None:
    files = exported(project, trained)
    kohya, diffusers = load_file(files["kohya"]), load_file(files["diffusers"])
    count = len(of_encoder(saved(trained))) // 2
    prefix = "lora_te_text_model_encoder_layers_"
    assert sum(name.startswith(prefix) for name in kohya) == 3 * count == 36
    assert f"{prefix}0_self_attn_q_proj.lora_down.weight" in kohya and f"{prefix}1_mlp_fc2.alpha" in kohya
    assert sum(name.startswith("text_encoder.text_model.encoder.layers.") for name in diffusers) == 2 * count
    assert "on the text encoder too, that with learning rate" in (trained.export / "README.md").read_text()


def test_half_precision_goes_through_the_gate_too(project: Path, trained: JobDir) -> None:
    assert set(exported(project, trained, dtype="fp16")) == {"kohya", "diffusers"}


def test_a_text_encoder_that_is_bent_or_lost_does_not_go_out(
    project: Path, trained: JobDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = formats.to_kohya

    def bent(state: object, *, alpha: float, prefix: str = "lora_unet_", **rest: object) -> object:
        return honest(state, alpha=alpha * (2 if prefix == "lora_te_" else 1), prefix=prefix, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(formats, "to_kohya", bent)
    with pytest.raises(Refused, match="A layer differs"):
        exported(project, trained, formats=("kohya",))

    def without_encoder(state: object, *, prefix: str = "lora_unet_", **rest: object) -> object:
        return {} if prefix == "lora_te_" else honest(state, prefix=prefix, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(formats, "to_kohya", without_encoder)
    with pytest.raises(Refused, match=r"unmatched.*CLIPTextModel"):
        exported(project, trained, formats=("kohya",))


def test_the_effect_on_the_words_is_part_of_what_is_compared(project: Path, trained: JobDir) -> None:
    from engine.export import gate

    spec = read_job(trained).spec
    family, base = open_base(spec.base, project)
    question = gate.question_for(family, base, "a mug")
    state = {name: one * 0 if ".lora_B." in name and not name.startswith("text_") else one
             for name, one in saved(trained).items()}  # fmt: skip
    reference = gate.reference_of(family, base, question, state, rank=4, alpha=4.0)
    assert reference.effect > 1e-4
    file = exported(project, trained)["diffusers"]
    assert "differs" in objection(check(file, family, base, question, reference), half=False)


# ---- what comes back


def test_names_of_other_tools_are_the_adapters_own() -> None:
    names = names_of(*tiny("sd15"))
    for layer in ("self_attn.q_proj", "self_attn.out_proj", "mlp.fc1", "mlp.fc2"):
        ours = f"text_encoder.encoder.layers.2.{layer}"
        for name in (
            f"lora_te_text_model_encoder_layers_2_{layer.replace('.', '_')}",
            f"text_encoder.text_model.encoder.layers.2.{layer}",
            ours,
        ):
            assert [slot.path for slot in find(names, name)] == [ours]
        for name in (
            f"lora_te2_text_model_encoder_layers_2_{layer.replace('.', '_')}",
            f"text_encoder_2.text_model.encoder.layers.2.{layer}",
            f"text_encoder.text_model.encoder.layers.2.{layer}.more",
            f"text_encoder.text_model.encoder.layers.77.{layer}",
        ):
            assert not find(names, name)


def test_alpha_of_a_layer_is_found_by_the_name_that_other_tools_give_it(
    project: Path, trained: JobDir, tmp_path: Path
) -> None:
    file = exported(project, trained)["diffusers"]
    layer = "encoder.layers.0.self_attn.q_proj"
    with safe_open(file, "pt") as opened:
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        said = json.loads(opened.metadata()["lora_adapter_metadata"])
    said["text_encoder.alpha_pattern"] = {f"text_model.{layer}": 2.0}
    other = tmp_path / "patterned.safetensors"
    save_file(tensors, other, {"lora_adapter_metadata": json.dumps(said)})
    layers = read_adapter(other, *tiny("sd15")).layers
    assert layers[f"text_encoder.{layer}"].alpha == 2.0
    assert layers["text_encoder.encoder.layers.1.self_attn.q_proj"].alpha == 4.0


def test_layers_behind_the_one_that_is_read_are_named_where_a_run_would_go_on_from_them(
    project: Path,
) -> None:
    whole = new_run(project, ON, *QUIET, "train.steps=1", "base.clip_skip=1", name="whole")
    train_here(whole)
    file = whole.checkpoint(1) / checkpoint.ADAPTER
    with pytest.raises(Refused, match=r"behind the one .*layers\.2\.") as refused:
        train_here(new_run(project, ON, *QUIET, "train.steps=1", name="onwards", start_from=str(file)))
    assert "base.clip_skip=1" in refused.value.problems[0].hint


def test_a_file_of_ours_is_the_adapter_again(project: Path, trained: JobDir) -> None:
    for layout in ("kohya", "diffusers"):
        file = exported(project, trained)[layout]
        state, rank, alpha = read_adapter(file, *tiny("sd15")).to_continue()
        assert (rank, alpha) == (4, 4.0)
        assert set(state) == set(saved(trained))
        torch.testing.assert_close(of_encoder(state), of_encoder(saved(trained)), rtol=1e-6, atol=0)


def test_the_plan_counts_its_parameters(project: Path) -> None:
    from projects import bases

    job = new_run(project, ON, *QUIET, "train.steps=1")
    train_here(job)
    spec = read_job(job).spec
    facts = bases.describe(spec.base.source, project)
    told = bases.adapter_parameters(
        facts, spec.adapter.rank, spec.adapter.targets, encoder_clip_skip=spec.base.clip_skip or 2
    )
    assert told == json.loads(job.facts.read_text())["attempts"][-1]["adapter"]["parameters"]


def test_layers_behind_the_one_that_is_read_do_not_learn(project: Path) -> None:
    for skip, layers in ((1, {"0", "1", "2"}), (3, {"0"})):
        job = new_run(project, ON, *QUIET, "train.steps=2", f"base.clip_skip={skip}", name=f"skip{skip}")
        train_here(job)
        state = of_encoder(saved(job))
        assert {name.split(".")[2] for name in state} == layers
        assert all(bool(one.any()) for one in state.values())


def test_both_starts_follow_from_the_seed_alone(project: Path) -> None:
    """With and without the text encoder the denoiser's adapter starts alike."""
    spec = read_job(new_run(project, ON)).spec
    family, base = open_base(spec.base, project)
    accelerator = assembly.Accelerator(cpu=True, mixed_precision="no")
    states = []
    for _ in range(2):
        denoiser = assembly.denoiser_with_adapter(spec, family, base, accelerator)
        live = assembly.encoder_with_adapter(spec, family, base, accelerator)
        states.append(adapter.adapter_state(denoiser, text_encoder=live.model))
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_two_processes_train_both_as_one_does(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    asked = (ON, *QUIET, "train.steps=4", "train.caption_dropout=0.2")
    one = new_run(project, *asked, "train.batch=4", name="one")
    two = new_run(project, *asked, "train.batch=2", "train.processes=2", name="two")
    worker.start(two)
    train_here(one)
    assert eventually(lambda: holder(two.lock) is None, seconds=240)
    assert worker.state_of(two) == "done", two.log.read_text()
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    for name, tensor in of_encoder(saved(one)).items():
        torch.testing.assert_close(of_encoder(saved(two))[name], tensor, rtol=2e-2, atol=2e-5)


def test_a_measurement_of_a_run_has_it_too(project: Path) -> None:
    assert measure_here(new_job(project, ON)) == "done"
    found = examine(open_project(project), [*SAID, ON]).plan
    assert found and found.measured and found.measured.preview_seconds > 0
    without = examine(open_project(project), SAID).plan
    assert without and without.measured is None


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_it_learns_beside_a_quantised_denoiser_and_both_are_compared(project: Path) -> None:
    job = new_run(project, ON, *QUIET, "train.steps=2", "train.quantize=nf4")
    assert train_here(job) == "done"
    assert all(bool(tensor.any()) for tensor in of_encoder(saved(job)).values())
    exported(project, job)
    (file, *_) = json.loads((job.export / "export.json").read_text())["files"]
    assert file["quantize"] == "nf4" and file["quantized_difference"] > 0
