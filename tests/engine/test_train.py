"""The loop: what it trains, what it writes, and that nothing a person can do to it loses or changes anything."""

import errno
import json
import os
from collections import Counter
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine import checkpoint, preparation, step, train
from engine.dataset.coverage import seen
from engine.dataset.items import read_items
from engine.demo import BASE_DIR
from engine.desk import Desk
from engine.export.kohya import to_kohya
from engine.families.sdxl import SDXL
from projects import atomic
from projects.events import fold_file
from projects.job import JobDir
from projects.problems import Refused
from projects.status import read_status
from tests.engine.reference import reference_losses
from tests.engine.runs import demo_project, events, losses, new_run, train_here, wait_until_heard
from tests.projects.jobs import eventually

DEMO_UNET = json.loads((BASE_DIR / "unet" / "config.json").read_text())


@pytest.fixture
def project(tmp_path):
    return demo_project(tmp_path)


def tensors(job, step=None):
    """Adapter and optimizer tensors of a checkpoint."""
    folder = checkpoint.find_checkpoint(job, step)[1]
    return {**checkpoint.load_adapter(folder)[1], **checkpoint.load_optimizer(folder).tensors}


def test_a_run_writes_what_it_promises(project):
    job = new_run(project)
    assert train_here(job) == "done"
    state = fold_file(job.events)
    assert (state.step, state.steps) == (8, 8)
    status = read_status(job.status)
    assert status.memory_gb is not None and 0.2 < status.memory_gb < 64
    assert sorted(state.saved) == [3, 6, 8] == job.steps_saved()
    assert sorted(state.sampled) == [0, 4, 8]
    assert all((job.path / file).is_file() for files in state.sampled.values() for file in files)
    assert sorted(state.evaluated) == [0, 4, 8]
    assert state.health and state.health.ok, state.health
    assert state.health.checked == 70
    adapter = load_file(job.checkpoint(8) / checkpoint.ADAPTER)
    assert all(tensor.dtype == torch.float32 for tensor in adapter.values())
    assert all(bool(tensor.any()) for tensor in adapter.values())
    assert len(adapter) == 2 * 70


def test_on_a_card_the_memory_is_what_was_reserved_there(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: 14_812_345_678)
    with Desk.open(JobDir(tmp_path)) as desk:
        assert eventually(lambda: read_status(tmp_path / "status.json").memory_gb == 14.81)
        desk.conclude("done")


def test_what_was_trained_is_what_was_planned(project):
    job = new_run(project, "train.steps=9")
    train_here(job)
    items = read_items(job.items)
    counted = seen(job.coverage, fold_file(job.events).attempts)
    assert [counted.times[index] for index in range(len(items))] == [item.planned for item in items]
    assert Counter(item.role for item in items) == {"subject": 6, "regularization": 4, "holdout": 2}
    assert all(item.planned == 0 for item in items if item.role == "holdout")


def test_losses_equal_a_reference_that_shares_no_code(project):
    job = new_run(project, "train.steps=20", "sample.every=0", "train.evaluate_every=0")
    train_here(job)
    expected = reference_losses(job.path, BASE_DIR, 20)
    assert losses(job) == pytest.approx(expected, rel=1e-4)


def test_smaller_micro_batches_train_the_same(project):
    whole, halves = (
        new_run(project, name="whole"),
        new_run(project, "train.batch=2", "train.accumulate=2", name="halves"),
    )
    train_here(whole)
    train_here(halves)
    assert losses(halves) == pytest.approx(losses(whole), rel=1e-4)
    one, other = tensors(whole), tensors(halves)
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, rtol=2e-2, atol=2e-5)


def test_a_stopped_run_goes_on_to_the_same_bits(project, monkeypatch):
    straight, broken = new_run(project, name="straight"), new_run(project, name="broken")
    train_here(straight)
    heard = train.forward_backward

    def stop_at_five(task, step, micro_batch, *more):
        if step == 4:
            atomic.write_text(broken.requests / "stop", "")
            wait_until_heard(broken, "stop")
        return heard(task, step, micro_batch, *more)

    monkeypatch.setattr(train, "forward_backward", stop_at_five)
    assert train_here(broken) == "stopped"
    assert max(broken.steps_saved()) == 5
    monkeypatch.undo()
    assert train_here(broken, verify=True) == "done"
    assert events(broken, "verified")[0]["verdict"] == "bit-equal"
    one, other = tensors(straight), tensors(broken)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(straight) == losses(broken)


def test_verify_says_how_far_off_a_changed_checkpoint_is(project):
    job = new_run(project, "train.steps=3")
    train_here(job)
    folder = job.checkpoint(3)
    manifest = json.loads((folder / checkpoint.MANIFEST).read_text())
    loss = float.fromhex(manifest["probe"]["loss"])
    manifest["probe"]["loss"] = (loss * 1.01).hex()
    (folder / checkpoint.MANIFEST).write_text(json.dumps(manifest))
    train_here(job, verify=True)
    verified = events(job, "verified")[0]
    assert verified["verdict"] == "differs"
    assert verified["difference"] == pytest.approx(0.0099, rel=0.01)


def test_a_checkpoint_whose_bytes_changed_is_refused_by_name(project):
    job = new_run(project, "train.steps=3")
    train_here(job)
    file = job.checkpoint(3) / checkpoint.ADAPTER
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(Refused, match="sha256 differs") as refused:
        train_here(job)
    assert checkpoint.ADAPTER in refused.value.problems[0].where


def test_a_loss_that_is_no_number_names_step_and_pictures_and_spoils_nothing(project, monkeypatch):
    job = new_run(project, "sample.every=0", "train.evaluate_every=0")

    def poisoned(denoiser, noisy, timesteps, conditions, framings):
        prediction = SDXL.predict(denoiser, noisy, timesteps, conditions, framings)
        return prediction * float("nan") if job.steps_saved() == [3] and denoiser.training else prediction

    real = preparation.open_base
    monkeypatch.setattr(
        preparation,
        "open_base",
        lambda *args, **more: (replace(SDXL, predict=poisoned), real(*args, **more)[1]),
    )
    with pytest.raises(Refused, match="step 4 is not a finite number") as refused:
        train_here(job)
    pictures = {item.picture for item in read_items(job.items)}
    assert set(refused.value.problems[0].where.split(", ")) <= pictures
    assert job.steps_saved() == [3]
    assert all(bool(tensor.isfinite().all()) for tensor in tensors(job).values())


def test_no_room_for_a_checkpoint_leaves_the_last_one_whole(project, monkeypatch):
    job = new_run(project, "sample.every=0")
    real = atomic.write_bytes

    def full(path, data):
        if path.name == checkpoint.OPTIMIZER and job.steps_saved():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, data)

    monkeypatch.setattr(atomic, "write_bytes", full)
    with pytest.raises(Refused, match="No space left"):
        train_here(job)
    assert job.steps_saved() == [3]
    assert [path.name for path in job.checkpoints.iterdir()] == ["step-000003"]
    monkeypatch.undo()
    assert train_here(job) == "done"


def test_out_of_memory_halves_the_micro_batch_and_trains_the_same(project, monkeypatch):
    straight, tight = new_run(project, name="straight"), new_run(project, name="tight")
    train_here(straight)
    real = step._backward

    def small_memory(task, number, micro_batch, *more):
        if micro_batch > 2:
            raise torch.OutOfMemoryError("no more")
        return real(task, number, micro_batch, *more)

    monkeypatch.setattr(step, "_backward", small_memory)
    assert train_here(tight) == "done"
    assert losses(tight) == pytest.approx(losses(straight), rel=1e-4)
    assert checkpoint.read_manifest(tight.checkpoint(8)).micro_batch == 2
    assert "Out of memory at step 1" in str(events(tight, "warning"))


def test_a_preview_that_fails_is_a_warning(project, monkeypatch):
    job = new_run(project)
    monkeypatch.setattr(train, "preview", lambda **_: 1 / 0)
    assert train_here(job) == "done"
    assert "No preview at step 0: ZeroDivisionError" in str(events(job, "warning"))


def test_only_the_newest_checkpoints_stay(project):
    job = new_run(project, "train.keep=2", "train.checkpoint_every=2", "sample.every=0")
    train_here(job)
    assert job.steps_saved() == [6, 8]
    assert sorted(path.name for path in job.checkpoints.iterdir()) == ["step-000006", "step-000008"]


def test_training_goes_on_from_an_adapter(project):
    first = new_run(project, name="first")
    train_here(first)
    file = first.checkpoint(8) / checkpoint.ADAPTER
    second = new_run(
        project, "train.steps=1", "train.learning_rate=1e-8", name="second", start_from=str(file)
    )
    train_here(second)
    start, after = load_file(file), load_file(second.checkpoint(1) / checkpoint.ADAPTER)
    for name, tensor in start.items():
        torch.testing.assert_close(after[name], tensor, rtol=0, atol=1e-7)
    exported = to_kohya(
        start, alpha=16.0, dtype=torch.float32, place_of=lambda path: SDXL.original(DEMO_UNET, path)
    )
    save_file(exported, project / "export.safetensors")
    third = new_run(
        project, "train.steps=1", "train.learning_rate=1e-8", name="third",
        start_from=str(project / "export.safetensors"),
    )  # fmt: skip
    train_here(third)
    again = load_file(third.checkpoint(1) / checkpoint.ADAPTER)
    assert all(torch.equal(again[name], tensor) for name, tensor in after.items())
    other = new_run(project, "adapter.rank=8", "adapter.alpha=8", name="other", start_from=str(file))
    with pytest.raises(Refused, match="rank 16 alpha 16"):
        train_here(other)


def test_a_changed_picture_is_refused_at_a_resume(project):
    job = new_run(project, "train.steps=3")
    train_here(job)
    picture = sorted((project / "images").glob("*.png"))[0]
    data = bytearray(picture.read_bytes())
    data[-20] ^= 1
    picture.write_bytes(data)
    with pytest.raises(Refused, match=picture.name):
        train_here(job)


def test_a_target_pattern_that_matches_nothing_names_what_is_near(project):
    job = new_run(project, 'adapter.targets=["*.attn2.to_kk"]')
    with pytest.raises(Refused, match="matches no layer") as refused:
        train_here(job)
    assert "attn2.to_k" in refused.value.problems[0].hint


def test_a_checkpoint_asked_for_before_the_first_step_is_made_after_it(project, monkeypatch):
    job = new_run(project, "sample.every=0", "train.evaluate_every=0", "train.checkpoint_every=100")
    real = preparation.encode

    def ask_early(*args):
        job.requests.mkdir(exist_ok=True)
        atomic.write_text(job.requests / "checkpoint", "")
        wait_until_heard(job, "checkpoint")
        return real(*args)

    monkeypatch.setattr(preparation, "encode", ask_early)
    assert train_here(job) == "done"
    assert job.steps_saved() == [1, 8]


def test_memory_that_ends_in_the_probe_costs_no_checkpoint(project, monkeypatch):
    job = new_run(project, "sample.every=0", "train.evaluate_every=0")
    real = step._backward
    calls = []

    def tight_at_the_probe(task, number, micro_batch, *more):
        calls.append(number)
        if calls.count(3) == 1 and number == 3 and micro_batch > 2:
            raise torch.OutOfMemoryError("no more")
        return real(task, number, micro_batch, *more)

    monkeypatch.setattr(step, "_backward", tight_at_the_probe)
    assert train_here(job) == "done"
    assert job.steps_saved() == [3, 6, 8]
    assert checkpoint.read_manifest(job.checkpoint(3)).micro_batch == 2


def test_next_slots_that_are_no_numbers_do_not_withhold_a_good_checkpoint(project, monkeypatch):
    job = new_run(project, "sample.every=0", "train.evaluate_every=0", "train.steps=3")
    real = train.forward_backward

    def poisoned_ahead(task, step, micro_batch, *more):
        result = real(task, step, micro_batch, *more)
        return replace(result, loss=float("nan"), grad_norm=float("nan")) if step == 3 else result

    monkeypatch.setattr(train, "forward_backward", poisoned_ahead)
    assert train_here(job) == "done"
    assert checkpoint.read_manifest(job.checkpoint(3)).probe.loss == "nan"


def test_a_caption_that_is_not_read_to_its_end_is_named(project):
    long = sorted((project / "images").glob("*.txt"))[0]
    long.write_text("tr0v3l_cap mushroom, " + "a wooden table and " * 30 + "the very last word")
    job = new_run(project, "train.steps=1")
    train_here(job)
    warned = [
        event for event in events(job, "warning") if "longer than what the model reads" in event["text"]
    ]
    assert len(warned) == 1
    assert warned[0]["text"].endswith("the very last word")
    assert warned[0]["files"] == [long.with_suffix(".png").name]


def test_a_run_that_began_from_an_adapter_goes_on_without_its_file(project):
    first = new_run(project, name="first")
    train_here(first)
    file = project / "start.safetensors"
    file.write_bytes((first.checkpoint(8) / checkpoint.ADAPTER).read_bytes())
    second = new_run(project, name="second", start_from=str(file))
    train_here(second)
    file.unlink()
    assert train_here(second) == "done"


def test_what_a_killed_save_left_is_swept_and_never_counted(project):
    job = new_run(project, "train.steps=3", "sample.every=0")
    for name in (".step-000003.aside", ".step-000002.gone"):
        (job.checkpoints / name).mkdir(parents=True)
        (job.checkpoints / name / checkpoint.ADAPTER).write_bytes(b"half")
    train_here(job)
    assert [path.name for path in job.checkpoints.iterdir()] == ["step-000003"]
