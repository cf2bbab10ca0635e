"""An export job from a run's folder to checked files, and what is left when something goes wrong: nothing half-done."""

import errno
import hashlib
import json
import os
import re
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from engine import checkpoint
from engine.dataset.items import Item, Placement, write_items
from engine.desk import Desk
from engine.export import facts as facts_module
from engine.export import formats, run
from engine.export.card import card
from engine.families.family import Base, Family
from engine.optimizers import Saved
from projects import atomic, spec
from projects.events import Writer
from projects.job import JobDir
from projects.problems import Refused, refuse
from projects.project import write_job
from tests.engine.export.bases import TINY, tiny
from tests.engine.export.made import make_adapter

TRIGGER = "xk3r_[mug]"


class Bench:
    """A project with one run of 40 steps, and export jobs on it."""

    def __init__(self, folder: Path, family: Family, base: Base, state: dict[str, torch.Tensor]) -> None:
        self.project = folder / "project"
        self.run = JobDir(self.project / "runs" / "2026-01-02-0304-mug")
        self.run.path.mkdir(parents=True)
        self.spec = spec.RunSpec(
            name="mug",
            trigger=TRIGGER,
            class_word="mug",
            base=spec.Base(source=str(base.path)),
            adapter=spec.Adapter(rank=8, alpha=4.0),
            train=spec.Train(steps=40, resolution=(64,), learning_rate=2e-4, seed=7),
            sample=spec.Sample(prompts=("a plain scene", f"{TRIGGER}, a mug ``` on a table")),
        )
        write_job(self.run, spec.TrainJob(project=str(self.project), spec=self.spec))
        write_items(
            self.run.items,
            [item("a", "subject"), item("b", "subject"), item("c", "regularization"), item("d", "holdout")],
        )
        writer = Writer(self.run, 1)
        writer.emit("started", from_step=0)
        for step in (20, 40):
            checkpoint.save(
                self.run,
                step=step,
                adapter=state,
                optimizer=Saved(tensors={"x/step": torch.zeros(1)}),
                rank=8,
                alpha=4.0,
                family=family.name,
                base=base.fingerprint,
                micro_batch=1,
                threads=1,
                probe=checkpoint.Probe(loss="0x0p+0", grad="0x0p+0"),
            )
            writer.emit("saved", step=step, path=f"checkpoints/step-{step:06d}")
        writer.close()
        self.state = state

    def export(self, **settings: object) -> tuple[str, list[dict]]:
        """Run one export job; its word and the files that the last event of a worker would tell."""
        job = JobDir(self.run.jobs / f"export-{len(list(self.run.jobs.glob('*'))) + 1}")
        job.path.mkdir(parents=True)
        told = spec.ExportJob(
            project=str(self.project), run=str(self.run.path), **{"spec": self.spec, **settings}
        )
        with Desk.open(job) as desk:
            word = run.run(desk, told)
            desk.conclude(word)
            self.last = desk.recorded().result
            return word, self.last.get("files", [])

    def left(self) -> list[str]:
        """Everything in the export folder, hidden files too."""
        return sorted(path.name for path in self.run.export.rglob("*")) if self.run.export.exists() else []


def item(name: str, role: spec.Role) -> Item:
    return Item(
        picture=f"{name}.png",
        path=Path(f"/nowhere/{name}.png"),
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        role=role,
        set=f"images/{role}",
        weight=1.0,
        repeats=2,
        original=(64, 64),
        placements=(Placement(resolution=64, bucket=(64, 64), scaled=(64, 64), crop_left_top=(0, 0)),),
        captions=(f"{TRIGGER}, a private caption" if role == "subject" else "a mug",),
        planned=0,
    )


@pytest.fixture(scope="module")
def state(opened: tuple[Family, Base]) -> dict[str, torch.Tensor]:
    return make_adapter(*opened, ("*.attn2.to_k", "*.attn1.to_out.0"), rank=8, alpha=4.0)


@pytest.fixture
def bench(tmp_path: Path, opened: tuple[Family, Base], state: dict[str, torch.Tensor]) -> Bench:
    return Bench(tmp_path, *opened, state)


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


def test_every_format_is_written_checked_and_told(bench: Bench) -> None:
    word, files = bench.export(formats=("kohya", "diffusers", "comfyui"))
    assert word == "done"
    assert bench.left() == [
        "README.md",
        "export.json",
        "mug-step0040.diffusers.safetensors",
        "mug-step0040.safetensors",
    ]
    kohya, diffusers = files
    assert kohya["path"] == "runs/2026-01-02-0304-mug/export/mug-step0040.safetensors"
    assert (kohya["format"], kohya["formats"]) == ("kohya", ["kohya", "comfyui"])
    assert (kohya["keys"], diffusers["keys"]) == (len(bench.state) // 2 * 3, len(bench.state))
    for entry in files:
        assert entry["unmatched"] == 0 and entry["difference"] <= 1e-5
        assert hashlib.sha256((bench.project / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
    assert json.loads((bench.run.export / "export.json").read_text())["files"] == files


def test_comfyui_alone_is_the_kohya_file(bench: Bench) -> None:
    _, (entry,) = bench.export(formats=("comfyui",))
    assert entry["format"] == "comfyui" and entry["path"].endswith("/mug-step0040.safetensors")
    first = (bench.project / entry["path"]).read_bytes()
    bench.export(formats=("kohya",))
    assert (bench.project / entry["path"]).read_bytes() == first


def test_the_same_run_gives_the_same_bytes(bench: Bench) -> None:
    digests = [[entry["sha256"] for entry in bench.export()[1]] for _ in range(2)]
    assert digests[0] == digests[1]


def test_what_a1111_and_the_standard_read_is_in_the_file(bench: Bench) -> None:
    (bench.project / "rights.toml").write_text('licence = "CC BY 4.0"\n')
    bench.export(formats=("kohya",))
    told = metadata_of(bench.run.export / "mug-step0040.safetensors")
    assert told["ss_output_name"] == "mug-step0040"
    assert told["ss_network_module"] == "networks.lora"
    assert told["ss_optimizer"] == "torch.optim.adamw.AdamW"
    assert (told["ss_network_dim"], told["ss_network_alpha"]) == ("8", "4.0")
    assert told["ss_base_model_version"].startswith("sdxl_") and told["ss_v2"] == "False"
    assert (
        told["ss_resolution"] == "(64, 64)"
        and told["ss_clip_skip"] == "2"
        and told["ss_num_train_images"] == "6"
    )
    assert json.loads(told["ss_tag_frequency"]) == {"subject": {TRIGGER: 2}}
    assert float(told["ss_training_started_at"]) > 1.7e9
    assert told["modelspec.sai_model_spec"] == "1.0.1"
    assert told["modelspec.architecture"] == "stable-diffusion-xl-v1-base/lora"
    assert told["modelspec.trigger_phrase"] == TRIGGER
    assert told["modelspec.license"] == told["safelight.licence"] == "CC BY 4.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["modelspec.date"])
    assert told["modelspec.hash_sha256"] == "0x" + told["sshs_model_hash"]
    assert told["safelight.settings_digest"] == hashlib.sha256(bench.run.spec.read_bytes()).hexdigest()
    data = (bench.run.export / "mug-step0040.safetensors").read_bytes()
    assert (
        told["sshs_model_hash"] == hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()
    )


SAID = {
    "sdxl": ("sdxl_base_v1-0", "networks.lora", "stable-diffusion-xl-v1-base/lora", "2"),
    "sd15": ("sd_v1", "networks.lora", "stable-diffusion-v1/lora", "2"),
    "flux": ("flux1", "networks.lora_flux", "flux-1-dev/lora", "None"),
}
"""ss_base_model_version, ss_network_module, modelspec.architecture and ss_clip_skip, as sd-scripts writes them."""


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_file_of_each_family_says_what_it_is_for_and_serves_comfyui_too(name: str, tmp_path: Path) -> None:
    family, base = tiny(name)
    targets = ("transformer_blocks.*.attn.to_q",) if name == "flux" else ("*.attn1.to_q",)
    bench = Bench(tmp_path, family, base, make_adapter(family, base, targets, rank=8, alpha=4.0))
    _, (entry,) = bench.export(formats=("kohya", "comfyui"))
    assert entry["formats"] == ["kohya", "comfyui"] and entry["unmatched"] == 0
    told = metadata_of(bench.project / entry["path"])
    version, module, architecture, clip_skip = SAID[name]
    assert (told["ss_base_model_version"], told["ss_network_module"]) == (version, module)
    assert (told["modelspec.architecture"], told["ss_clip_skip"]) == (architecture, clip_skip)
    assert told["modelspec.prediction_type"] == base.objective
    assert (told["ss_network_dim"], told["ss_network_alpha"]) == ("8", "4.0")
    text = (bench.run.export / "README.md").read_text()
    assert ("**Forge:**" if name == "flux" else "**A1111 and Forge:**") in text


def test_captions_and_local_paths_stay_at_home(bench: Bench) -> None:
    bench.export()
    base = str(bench.spec.base.source)
    for path in bench.run.export.iterdir():
        data = path.read_bytes()
        assert b"private caption" not in data and os.path.dirname(base).encode() not in data
    assert metadata_of(bench.run.export / "mug-step0040.safetensors")["safelight.base"] == Path(base).name


def test_the_data_fingerprint_sees_pictures_and_captions_and_no_names() -> None:
    def of(*items: Item) -> str:
        return facts_module.data_fingerprint(items)

    one, two = item("a", "subject"), item("b", "subject")
    table = {**vars(one), "picture": "renamed.png"}
    other = {**vars(one), "captions": ("another",)}
    assert of(one, two) == of(two, Item(**table))
    assert len({of(one), of(two), of(one, two), of(Item(**other))}) == 4


def test_no_licence_is_said_to_be_unstated(bench: Bench) -> None:
    bench.export(formats=("kohya",))
    assert metadata_of(bench.run.export / "mug-step0040.safetensors")["safelight.licence"] == "unstated"
    assert "MB | unstated |" in (bench.run.export / "README.md").read_text()


def test_half_precision_states_its_difference(bench: Bench) -> None:
    _, (entry,) = bench.export(formats=("kohya",), dtype="fp16")
    assert entry["dtype"] == "fp16" and 0 < entry["difference"] < 1e-2
    assert f"{entry['difference']:.1e}" in (bench.run.export / "README.md").read_text()
    with safe_open(bench.run.export / "mug-step0040-fp16.safetensors", framework="pt") as file:
        dtypes = {key.rsplit(".", 1)[1]: file.get_tensor(key).dtype for key in file.keys()}  # noqa: SIM118
    assert dtypes == {"weight": torch.float16, "alpha": torch.float32}


def test_another_precision_stands_beside_the_full_one_and_what_is_replaced_is_told(bench: Bench) -> None:
    bench.export(formats=("kohya",))
    full = (bench.run.export / "mug-step0040.safetensors").read_bytes()
    _, (half,) = bench.export(formats=("kohya",), dtype="fp16")
    assert (bench.run.export / "mug-step0040.safetensors").read_bytes() == full
    told = metadata_of(bench.run.export / "mug-step0040-fp16.safetensors")
    assert told["ss_output_name"] == "mug-step0040-fp16"
    listed = json.loads((bench.run.export / "export.json").read_text())["files"]
    assert [entry["dtype"] for entry in listed] == ["fp16", "fp32"]
    card = (bench.run.export / "README.md").read_text()
    assert card.count("| fp16 |") == card.count("| fp32 |") == 1
    bench.export(formats=("kohya", "diffusers"), dtype="fp16")
    assert bench.last["replaced"] == [half["path"]]


def test_an_earlier_checkpoint_joins_the_list(bench: Bench) -> None:
    bench.export(formats=("kohya",))
    bench.export(formats=("diffusers",), checkpoint=20)
    listed = json.loads((bench.run.export / "export.json").read_text())["files"]
    assert [(entry["step"], entry["format"]) for entry in listed] == [(20, "diffusers"), (40, "kohya")]
    with pytest.raises(Refused, match="no checkpoint at step 30"):
        bench.export(checkpoint=30)


def test_the_card_is_true_of_every_file_beside_it(bench: Bench) -> None:
    (bench.project / "rights.toml").write_text('licence = "CC BY 4.0"\n')
    bench.export(formats=("kohya",))
    (bench.project / "rights.toml").write_text('licence = "MIT"\n')
    bench.export(formats=("kohya",), checkpoint=20)
    text = (bench.run.export / "README.md").read_text()
    for step, licence in ((20, "MIT"), (40, "CC BY 4.0")):
        told = metadata_of(bench.run.export / f"mug-step{step:04d}.safetensors")
        (row,) = re.findall(rf"^\| mug-step{step:04d}.safetensors \| kohya .*$", text, re.MULTILINE)
        assert f"| {step} | {told['modelspec.date'][:10]} | fp32 |" in row and row.endswith(f"| {licence} |")
        assert told["safelight.licence"] == licence
    assert "step 20" not in text and "Training: a run of 40 steps" in text


def test_the_card_tells_how_to_use_it_and_is_not_bent_by_names(bench: Bench) -> None:
    bench.export()
    text = (bench.run.export / "README.md").read_text()
    assert r"Trigger: **xk3r\_\[mug\]**" in text
    assert f"````text\n{TRIGGER}, a mug ``` on a table\n````" in text
    assert "0.6 to 0.8" in text and "<lora:mug-step0040:0.7>" in text
    assert 'pipe.load_lora_weights("mug-step0040.diffusers.safetensors"' in text
    assert "rank 8, alpha 4" in text and "2 pictures of the subject, 1 of the general category" in text
    assert "Made with Safelight" in text and "made by AI" in text


def test_a_file_that_fails_the_gate_is_not_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = formats.to_kohya
    monkeypatch.setattr(
        formats, "to_kohya", lambda state, *, alpha, **rest: honest(state, alpha=alpha * 2, **rest)
    )
    with pytest.raises(
        Refused, match=r"mug-step0040\.safetensors: The file did not pass its check\. A layer differs"
    ):
        bench.export(formats=("diffusers", "kohya"))
    assert bench.left() == []


def test_a_bad_second_export_leaves_the_good_first_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.export(formats=("kohya",))
    before = {path.name: path.read_bytes() for path in bench.run.export.iterdir()}
    honest = formats.to_kohya
    monkeypatch.setattr(
        formats, "to_kohya", lambda state, *, alpha, **rest: honest(state, alpha=alpha * 2, **rest)
    )
    with pytest.raises(Refused):
        bench.export(formats=("kohya",))
    assert {path.name: path.read_bytes() for path in bench.run.export.iterdir()} == before


def test_no_room_is_said_before_anything_is_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(Refused, match=r"The files take \d+ MB and 0 MB are free"):
        bench.export()
    assert bench.left() == []


def test_a_disk_that_fills_while_writing_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = atomic.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".safetensors":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        honest(path, data)

    monkeypatch.setattr(atomic, "write_bytes", full)
    with pytest.raises(Refused, match="No space left on device"):
        bench.export()
    assert bench.left() == []


def test_a_stop_leaves_nothing_and_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = run._pass_gate

    def asked_meanwhile(*given: object, **named: object) -> object:
        verdict = honest(*given, **named)
        desks[0].ask_stop()
        return verdict

    desks: list[Desk] = []
    opening = Desk.open
    monkeypatch.setattr(Desk, "open", lambda job: desks.append(opening(job)) or desks[0])
    monkeypatch.setattr(run, "_pass_gate", asked_meanwhile)
    word, files = bench.export()
    assert (word, files, bench.left()) == ("stopped", [], [])


def test_another_base_is_refused(bench: Bench, tmp_path: Path) -> None:
    from tests.engine.tiny import build_folder

    other = build_folder(tmp_path / "other", seed=5)
    moved = spec.RunSpec(**{**vars(bench.spec), "base": spec.Base(source=str(other))})
    with pytest.raises(Refused, match="not the base that the adapter was trained on"):
        bench.export(spec=moved)


def test_the_door_hears_the_words_that_go_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def closed(project: Path, told: spec.RunSpec, action: str, texts: list[str]) -> None:
        assert (project, action) == (bench.project, "export")
        heard.extend(texts)
        raise refuse("This is not exported.")

    monkeypatch.setattr(run, "allow", closed)
    with pytest.raises(Refused, match="not exported"):
        bench.export()
    assert {TRIGGER, "mug", *bench.spec.sample.prompts} <= set(heard)
    assert bench.left() == []


def test_a_run_of_a_mature_project_stays_closed_whatever_the_project_says_now(bench: Bench) -> None:
    trained = replace(bench.spec, rating="mature")
    bench.run.spec.unlink()
    write_job(bench.run, spec.TrainJob(project=str(bench.project), spec=trained))
    with pytest.raises(Refused, match="A mature project cannot be exported"):
        bench.export()
    assert bench.left() == []


def test_the_card_of_a_single_file_base_opens_it_as_one(bench: Bench, opened: tuple[Family, Base]) -> None:
    manifest = checkpoint.read_manifest(bench.run.checkpoint(40))
    facts = facts_module.gather(
        bench.run, bench.project, bench.spec, manifest=manifest, base=opened[1], family="sdxl"
    )
    one_file = replace(facts, base=replace(facts.base, layout="file", name="real.safetensors"))
    entry = run.Exported(
        path="x/mug-step0040.safetensors", format="kohya", formats=["kohya"], step=40, dtype="fp32", bytes=1, sha256="",
        keys=3, unmatched=0, difference=0.0, layer_difference=0.0, effect=0.1,
    )  # fmt: skip
    text = card(one_file, [entry], pipeline="StableDiffusionXLPipeline", judged_weight=0.85)
    assert 'StableDiffusionXLPipeline.from_single_file("path/to/real.safetensors")' in text
    assert 'pipe.load_lora_weights("mug-step0040.safetensors"' in text
    assert "The review of this run found 0.85 best" in text
    with_companion = replace(one_file.base, companion=TINY["flux"](), configs=TINY["flux"]())
    flux = card(
        replace(one_file, family="flux", base=with_companion),
        [entry],
        pipeline="FluxPipeline",
        judged_weight=None,
    )
    assert 'FluxTransformer2DModel.from_single_file("path/to/real.safetensors")' in flux
    assert 'from_pretrained("black-forest-labs/FLUX.1-dev", transformer=transformer)' in flux
    demo = card(
        replace(facts, base=replace(facts.base, name="demo")),
        [entry],
        pipeline="StableDiffusionXLPipeline",
        judged_weight=None,
    )
    assert "from_pretrained(BASE_DIR)" in demo and str(facts.base.path.parent) not in demo
    assert "models/Lora" in text and "models/Lora" not in demo
