"""A quantised base: trained on, drawn with, resumed to the bit, and said of the adapter that was trained on it."""

import importlib.util
import json

import pytest
import torch

from engine import train
from engine.desk import Desk
from engine.export import run as export_run
from engine.facts import read_facts
from engine.families.opening import open_base
from engine.picture_file import read_settings
from engine.quantise import quantise
from projects import atomic, extras, spec
from projects.problems import Refused
from projects.project import new_job_dir, read_job, write_job
from tests.engine.runs import demo_project, events, losses, new_run, train_here, wait_until_heard
from tests.engine.test_train import tensors

needs_it = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None,
    reason="bitsandbytes is not installed: pip install bitsandbytes",
)
KINDS = pytest.mark.parametrize("kind", ["nf4", "int8"])


@pytest.fixture
def project(tmp_path):
    return demo_project(tmp_path)


def told(kind):
    return spec.RunSpec(base=spec.Base(source="demo"), train=spec.Train(quantize=kind))


@needs_it
@KINDS
def test_the_blocks_are_stored_in_few_bits_and_predict_about_the_same(kind, tmp_path):
    family, base = open_base(spec.Base(source="demo"), tmp_path)
    whole, few = (family.load_denoiser(base, torch.float32) for _ in range(2))
    quantise(few, told(kind), torch.float32)
    few.to("cpu")
    layer, same = "up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", "time_embedding.linear_1"
    bits = {"nf4": 4, "int8": 8}[kind]
    stored = few.get_submodule(layer).weight
    assert stored.nbytes * 8 == bits * whole.get_submodule(layer).weight.numel()
    assert torch.equal(few.get_submodule(same).weight, whole.get_submodule(same).weight), "not in a block"
    assert not any(parameter.requires_grad for parameter in few.parameters())
    asked = [torch.randn(1, 4, 16, 16), torch.tensor([500]), torch.randn(1, 77, 160)]
    added = {"text_embeds": torch.randn(1, 96), "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64]])}
    with torch.no_grad():
        one, other = (unet(*asked, added_cond_kwargs=added, return_dict=False)[0] for unet in (whole, few))
    far = float((one - other).norm() / one.norm())
    assert 0 < far < {"nf4": 0.1, "int8": 0.01}[kind]


@needs_it
@KINDS
def test_a_quantised_run_that_was_stopped_goes_on_to_the_same_bits(project, monkeypatch, kind):
    said = f'train.quantize="{kind}"'
    straight, broken = new_run(project, said, name="straight"), new_run(project, said, name="broken")
    assert train_here(straight) == "done"
    heard = train.forward_backward

    def stop_at_five(task, step, micro_batch, *more):
        if step == 4:
            atomic.write_text(broken.requests / "stop", "")
            wait_until_heard(broken, "stop")
        return heard(task, step, micro_batch, *more)

    monkeypatch.setattr(train, "forward_backward", stop_at_five)
    assert train_here(broken) == "stopped"
    monkeypatch.undo()
    assert train_here(broken, verify=True) == "done"
    assert events(broken, "verified")[0]["verdict"] == "bit-equal"
    one, other = tensors(straight), tensors(broken)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert all(bool(tensor.any()) for name, tensor in one.items() if "lora_" in name)
    assert read_facts(straight.facts)[0]["base"]["quantize"] == kind
    assert read_settings(straight.previews / "step-000008-01-seed1.png")["quantize"] == kind


@needs_it
def test_pictures_between_the_steps_change_no_gradient(project):
    drawing, still = (
        new_run(
            project,
            'train.quantize="nf4"',
            "train.evaluate_every=0",
            f"sample.every={every}",
            name=str(every),
        )
        for every in (2, 0)
    )
    train_here(drawing)
    train_here(still)
    assert losses(drawing) == losses(still)
    one, other = tensors(drawing), tensors(still)
    assert all(torch.equal(one[name], other[name]) for name in one)


@needs_it
@KINDS
def test_the_exported_file_passes_on_the_whole_base_and_says_how_far_the_trained_one_was(project, kind):
    job = new_run(project, f'train.quantize="{kind}"', "sample.every=0", "train.evaluate_every=0")
    train_here(job)
    export = new_job_dir(job.path, "export")
    write_job(export, spec.ExportJob(project=str(project), run=str(job.path), spec=read_job(job).spec))
    with Desk.open(export) as desk:
        desk.begin()
        assert export_run.run(desk, read_job(export)) == "done"
    for file in json.loads((job.export / "export.json").read_text())["files"]:
        assert file["unmatched"] == 0 and file["difference"] < 1e-5
        assert file["quantize"] == kind
        assert 1e-4 < file["quantized_difference"] < 0.1
        assert f'"safelight.quantize":"{kind}"' in (project / file["path"]).read_bytes()[:20_000].decode(
            "latin-1"
        )
    card = (job.export / "README.md").read_text()
    assert f"it was trained on the base in {kind}, and checked here on the whole base" in card


def test_without_the_library_the_extra_is_named_before_anything_is_loaded(project, monkeypatch):
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    job = new_run(project, 'train.quantize="nf4"')
    with pytest.raises(Refused, match="needs bitsandbytes") as refused:
        train_here(job)
    assert "safelight[train,bnb]" in refused.value.problems[0].hint
