"""The command line as scripts see it: one object, the exit code, and sentences on the other stream."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.dataset.items import Item, Placement, write_items
from projects import extras, worker
from projects.curve import Point
from projects.eventlog import Writer
from projects.job import JobDir
from projects.machine import boot_id, host
from projects.presets import NAMES
from projects.project import new_job_dir, new_run_dir, open_project, resolve, write_job
from projects.spec import SampleJob, TrainJob
from tests.projects.jobs import eventually
from tests.tui.conftest import TRIGGER, Said, Say
from tui import cli
from tui.follow_lines import verified_words

SAFELIGHT = Path(sys.executable).with_name("safelight")


def a_run(project: Path, *events: tuple[str, dict[str, object]], name: str = "r32") -> JobDir:
    """A run with recorded events and no worker."""
    job = new_run_dir(project, name)
    write_job(job, TrainJob(project=str(project), spec=resolve(open_project(project))))
    if events:
        writer = Writer(job, 1)
        for kind, fields in events:
            writer.emit(kind, **fields)
        writer.close()
    return job


def begun(**fields: object) -> tuple[str, dict[str, object]]:
    return ("started", {"from_step": 0, "pid": 1, "host": host(), "boot_id": boot_id(), **fields})


def with_checkpoint(job: JobDir, step: int = 20) -> JobDir:
    job.checkpoint(step).mkdir(parents=True)
    (job.checkpoint(step) / "manifest.json").write_text("{}")
    return job


# ---- the edge


def test_help_lists_every_verb_and_a_bare_call_says_how_to_begin(say: Say) -> None:
    helped, bare = say("--help"), say()
    assert helped.code == bare.code == 0
    assert all(verb in helped.out for verb in cli.VERBS)
    assert "safelight demo" in bare.out


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_help_and_takes_json(say: Say, verb: str) -> None:
    said = say(verb, "--help")
    assert said.code == 0
    assert "--json" in said.out


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("train", "--nonsense"), ("sample",), ("export", "--format", "gguf")]
)
def test_wrong_use_exits_2_with_one_object(say: Say, arguments: tuple[str, ...]) -> None:
    said = say(*arguments, "--json")
    assert said.code == 2
    assert set(said.json) == {"error", "where", "hint"}
    assert "--help" in said.json["hint"]
    assert said.json["error"] in said.err


def test_a_fault_of_ours_is_a_sentence_and_its_traceback_is_in_a_file(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("tui.verbs.runs.open_project", broken)
    said = say("runs", ".", "--json")
    assert said.code == 1
    assert "unforeseen" in said.json["error"]
    assert "Traceback" not in said.err + said.out
    assert "ZeroDivisionError: unforeseen" in (tmp_path / "state" / "crash.log").read_text()


def test_what_the_system_refuses_names_the_file_and_the_next_step(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path / "x"))

    monkeypatch.setattr("tui.verbs.runs.open_project", full)
    said = say("runs", project, "--json")
    assert said.code == 1
    assert said.json["where"].endswith("/x")
    assert "room" in said.json["hint"]


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    done = subprocess.run(
        f"{SAFELIGHT} explain | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stdout == "format\n"
    assert done.stderr == ""


# ---- specification and projects


def test_explain_prints_type_bounds_default_and_text(say: Say) -> None:
    said = say("explain", "train.learning_rate", "--json")
    assert {"key", "type", "bounds", "default", "presets", "text"} <= set(said.json)
    assert said.json["bounds"] == [1e-8, 1.0]
    assert "learning_rate" in said.err


def test_explain_says_why_a_preset_has_its_number_and_what_each_preset_is_for(say: Say) -> None:
    said = say("explain", "train.learning_rate")
    assert "preset sdxl: 0.0001\n    Twice or more echoes training pictures" in said.out
    assert "left out: equal to rank" in say("explain", "adapter.alpha").out
    reasons = say("explain", "train.preset", "--json").json["reasons"]
    assert set(reasons) == set(NAMES) and reasons["sdxl"].startswith("SDXL 1.0 and")


def test_explain_tells_the_words_of_the_trade_and_keys_come_first(say: Say) -> None:
    words = say("explain", "words", "--json").json["words"]
    assert {"epoch", "held out", "kohya", "p", "regularization", "loss", "learning rate"} <= set(words)
    assert all(word in say("explain", "words").out for word in words)
    assert list(say("explain", "held-out", "--json").json["words"]) == ["held out"]
    assert say("explain", "trigger", "--json").json["key"] == "trigger"


def test_an_unknown_theme_is_told_the_themes_and_nothing_else(say: Say) -> None:
    said = say("open", "--theme", "bogus", "--json")
    assert said.code == 2 and "'safelight'" in said.json["error"] and "''" not in said.json["error"]


def test_a_project_without_runs_is_told_how_to_start_one_of_itself(say: Say, project: Path) -> None:
    assert "safelight train cups" in say("runs", project).out
    assert f"safelight train {project}" in say("follow", project, "--json").json["hint"]


def test_explain_of_a_key_that_is_not_there_exits_2_and_names_the_near_one(say: Say) -> None:
    said = say("explain", "train.lerning_rate", "--json")
    assert said.code == 2
    assert "train.learning_rate" in said.json["hint"]


def test_twenty_mistakes_are_twenty_problems(say: Say, project: Path) -> None:
    wrong = "\n".join(f"mistake_{number} = {number}" for number in range(16))
    text = (project / "project.toml").read_text()
    text += 'batch = 0\nseed = "x"\nschedule = "zigzag"\nlr = 1\n' + wrong
    (project / "project.toml").write_text(text)
    said = say("train", project, "--json")
    assert said.code == 2
    assert len(said.json["problems"]) == 20
    assert all(problem["where"].startswith("project.toml: train.") for problem in said.json["problems"])
    assert "20 problems." in said.err
    assert not (project / "runs").exists()


def test_new_makes_a_project_that_plan_reads(say: Say, project: Path, tmp_path: Path) -> None:
    images = project / "images"
    said = say("new", tmp_path / "mine", "--base", "demo", "--images", images, "--trigger", TRIGGER, "--json")
    assert (said.code, said.json) == (0, {"project": str(tmp_path / "mine"), "file": "project.toml"})
    planned = say("plan", tmp_path / "mine", "--json")
    assert planned.code == 0, planned.err
    again = say(
        "new", tmp_path / "mine", "--base", "demo", "--images", images, "--trigger", TRIGGER, "--json"
    )
    assert again.code == 2


def test_plan_prints_its_numbers_and_takes_the_keys_of_the_project(say: Say, project: Path) -> None:
    said = say("plan", project, "--set", "train.steps=40", "--set", "train.batch=2", "--json")
    assert said.code == 0
    assert {"steps", "epochs", "seconds", "memory_gb", "disk_bytes", "problems"} <= set(said.json)
    assert said.json["steps"] == 40
    assert said.json["epochs"] == pytest.approx(80 / 3)
    assert said.json["problems"] == []


def test_plan_gives_scripts_every_picture_that_a_note_is_about(say: Say, project: Path) -> None:
    for number in range(1, 8):
        (project / "images" / f"left-{number}.doc").write_text("x")
    said = say("plan", project, "--json")
    (finding,) = said.json["findings"]
    assert finding["files"] == [f"left-{number}.doc" for number in range(1, 8)]
    assert "left-5.doc and 2 more" in finding["error"] and "left-6" not in said.err


def test_plan_and_train_say_every_missing_caption_and_exit_1(say: Say, project: Path) -> None:
    (project / "images" / "1.txt").unlink()
    (project / "images" / "2.txt").write_bytes(b"\xe4\xf6")
    planned, trained = say("plan", project, "--json"), say("train", project, "--json")
    assert planned.code == trained.code == 1
    assert len(planned.json["problems"]) == len(trained.json["problems"]) == 2
    assert not (project / "runs").exists()


def test_wording_that_must_not_be_trained_is_refused_before_a_run_exists(say: Say, project: Path) -> None:
    (project / "images" / "1.txt").write_text(f"{TRIGGER} nude child")
    said = say("train", project, "--json")
    assert said.code == 1
    assert not (project / "runs").exists()


def test_captions_check_reports_findings_and_exits_1_for_a_blocker(say: Say, project: Path) -> None:
    for number in range(3):
        (project / "images" / f"{number}.txt").write_text(
            f"{TRIGGER} cup, wooden table {number}, window light"
        )
    assert say("captions", project, "check", "--json").json == {
        "project": str(project), "captions": 3, "findings": [], "problems": [],
    }  # fmt: skip
    pictures = project / "images"
    (pictures / "0.txt").unlink()
    (pictures / "1.txt").write_text(" \n")
    (pictures / "2.txt").write_text("a [trigger] cup")
    (pictures / "2.2.txt").write_bytes(b"\xe4")
    (pictures / "2.3.txt").write_text("a cup \N{EN DASH} nothing else, grey wall")
    said = say("captions", project, "check", "--json")
    assert said.code == 1
    found = {(finding["check"], finding["severity"]) for finding in said.json["findings"]}
    assert found == {
        ("missing", "blocker"), ("empty", "blocker"), ("placeholder", "blocker"), ("encoding", "blocker"),
        ("trigger-missing", "warning"),
    }  # fmt: skip
    keys = (
        "check",
        "severity",
        "pictures",
        "value",
        "threshold",
        "confidence",
        "method",
        "remedy",
        "ignored",
    )
    assert set(said.json["findings"][0]) >= set(keys)


def test_escapes_in_names_never_reach_the_terminal(say: Say, project: Path) -> None:
    (project / "images" / "evil\x1b]0;owned\x07.png").write_bytes(b"")
    said = say("plan", project)
    assert "owned" in said.out + said.err
    assert "\x1b" not in said.out + said.err


def test_cache_says_why_and_prunes(say: Say, project: Path) -> None:
    why = say("cache", project, "why", project / "images" / "0.png", "--json")
    assert why.code == 0
    assert why.json["lines"]
    assert say("cache", project, "prune", "--json").json == {"project": str(project), "files": 0, "bytes": 0}
    assert say("cache", project, "why", "--json").code == 2


# ---- runs and how they stand


def test_runs_tells_each_state_from_what_the_run_left(say: Say, project: Path) -> None:
    a_run(project, name="waits")
    with_checkpoint(a_run(project, begun(), ("step", {"step": 20}), ("done", {}), name="done"))
    a_run(project, begun(), ("stopped", {"step": 4}), name="stopped")
    a_run(project, begun(), ("failed", {"error": "No cat.", "where": "x", "hint": "Call it."}), name="failed")
    a_run(project, begun(), name="died")
    a_run(project, begun(host="another-machine"), name="elsewhere")
    said = say("runs", project, "--json")
    runs = {run["run"].rsplit("-", 1)[-1]: run for run in said.json["runs"]}
    states = {name: run["state"] for name, run in runs.items()}
    assert states.pop("waits") == "queued"
    assert states == {name: name for name in ("done", "stopped", "failed", "died", "elsewhere")}
    assert {"run", "state", "step", "steps", "loss", "checkpoint"} <= set(runs["done"])
    assert runs["done"]["checkpoint"] == runs["done"]["run"] + "/checkpoints/step-000020"
    assert runs["died"]["checkpoint"] is None
    assert runs["done"]["run"].startswith("runs/")
    assert runs["waits"]["steps"] == runs["stopped"]["steps"] == 20, "known before the first step"


def test_runs_says_the_mean_of_the_last_fifty_steps_as_the_room_does(say: Say, project: Path) -> None:
    run = a_run(project, begun(), ("step", {"step": 60}), ("done", {}), name="done")
    run.curve.write_bytes(
        b"".join(Point(step, 9.0 if step <= 10 else 0.25, 0, 0).pack() for step in range(1, 61))
    )
    run.status.write_text('{"format": 1, "step": 60, "loss": 0.7}')
    assert "60/20   loss 0.2500, mean of 50" in say("runs", project).out
    (told,) = say("runs", project, "--json").json["runs"]
    assert (told["loss"], told["mean_loss"]) == (0.7, 0.25)


def test_follow_tells_a_recorded_run_and_its_exit_code_says_how_it_ended(say: Say, project: Path) -> None:
    steps = [("step", {"step": n, "steps": 3, "loss": 0.5, "seconds": 0.1}) for n in (1, 2, 3)]
    done = a_run(
        project, begun(), ("phase", {"name": "training"}), *steps,
        ("saved", {"step": 3, "path": "checkpoints/step-000003"}),
        ("sampled", {"step": 3, "files": ["previews/1.png", "previews/2.png"]}),
        ("evaluated", {"step": 3, "subject": 0.25, "holdout": 0.5, "pictures": {}}),
        ("warning", {"text": "Odd \x1b[31mname.", "files": ["a\x07.png"]}), ("from-the-future", {"x": 1}), ("done", {}),
    )  # fmt: skip
    said = say("follow", done.path)
    assert said.code == 0
    for words in (
        "training",
        "step 3/3",
        "loss 0.5000",
        "step-000003",
        "drew 2",
        "loss 0.2500 on pictures it trains, 0.5000 on held-out ones (never trained)",
        "~ Odd",
        "done",
    ):
        assert words in said.out
    assert "\x1b" not in said.out and "\x07" not in said.out
    failed = a_run(project, begun(), ("failed", {"error": "No cat.", "where": "x", "hint": "Call it."}))
    said = say("follow", failed.path)
    assert said.code == 1
    assert "No cat." in said.out and "Call it." in said.out
    assert say("follow", a_run(project, begun()).path).code == 1
    assert say("follow", a_run(project, begun(), ("stopped", {"step": 1})).path).code == 0


def test_follow_with_json_prints_the_events_as_lines(say: Say, project: Path) -> None:
    job = a_run(project, begun(), ("step", {"step": 1}), ("done", {}))
    said = say("follow", job.path, "--json")
    assert [json.loads(line)["kind"] for line in said.out.splitlines()] == ["started", "step", "done"]


def test_follow_of_a_run_that_nobody_started_says_so(say: Say, project: Path) -> None:
    said = say("follow", a_run(project).path, "--json")
    assert said.code == 1
    assert "safelight resume" in said.json["hint"]


@pytest.mark.parametrize("verb", ["follow", "stop", "resume", "review", "export"])
def test_a_project_without_runs_and_a_folder_without_a_project_exit_2(
    say: Say, project: Path, tmp_path: Path, verb: str
) -> None:
    assert say(verb, project, "--json").code == 2
    assert say(verb, tmp_path / "nowhere", "--json").code == 2


@pytest.mark.parametrize("verb", ["review", "export"])
def test_a_run_without_checkpoint_is_refused_before_a_job_exists(say: Say, project: Path, verb: str) -> None:
    job = a_run(project, begun(), ("done", {}))
    assert say(verb, job.path, "--json").code == 1
    assert not job.jobs.exists()
    with_checkpoint(job)
    said = say(verb, job.path, "--checkpoint", "7", "--json")
    assert said.code == 2
    assert "20" in said.json["hint"]


# ---- with workers


def test_train_prints_run_and_pid_and_a_second_terminal_follows(
    say: Say, project: Path, stand_in: list[int]
) -> None:
    said = say("train", project, "--name", "first", "--json")
    assert said.code == 0
    assert said.json["pid"] == stand_in[0]
    assert said.json["run"].startswith("runs/") and said.json["run"].endswith("-first")
    assert said.json["project"] == str(project)
    assert say("follow", project).code == 0
    (run,) = say("runs", project, "--json").json["runs"]
    assert (run["state"], run["step"], run["steps"]) == ("done", 20, 20)
    assert say("resume", project, "--json").code == 1


def test_train_follow_exits_1_when_the_run_fails(
    say: Say, project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "train")
    said = say("train", project, "--follow", "--json")
    assert said.code == 1
    assert said.json["state"] == "failed"
    assert "told to fail" in said.err


def test_stop_is_heard_and_resume_verifies_and_goes_on(
    say: Say, project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "0.05")
    said = say("train", project, "--set", "train.steps=1000", "--json")
    assert say("resume", project, "--json").code == 1
    stopped = say("stop", project, "--json")
    assert stopped.code == 0
    assert stopped.json["run"] == said.json["run"]
    assert stopped.json["state"] in ("heard", "stopped")
    assert say("follow", project).code == 0
    assert say("stop", project, "--json").json["state"] == "stopped"
    resumed = say("resume", project, "--verify", "--json")
    assert (resumed.code, resumed.json["verified"], resumed.json["difference"]) == (0, "bit-equal", 0.0)
    assert resumed.json["pid"] == stand_in[1]
    assert say("stop", project, "--hard", "--json").json["state"] in ("stopped", "died")
    monkeypatch.setenv("STAND_IN_VERDICT", "differs")
    assert say("resume", project, "--verify", "--json").code == 1


def test_a_run_goes_on_with_as_many_processes_as_are_said_and_a_step_can_be_divided_among(
    say: Say, project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "0.05")
    said = say(
        "train", project, "--processes", "2", "--set", "train.batch=2", "--set", "train.steps=1000", "--json"
    )
    assert "a step takes 4 pictures (2 x 1 x 2)" in said.err
    assert say("stop", project).code == 0 and say("follow", project).code == 0
    refused = say("resume", project, "--processes", "5", "--json")
    assert refused.code == 2 and "A step has 4 pictures" in refused.json["error"]
    assert say("resume", project, "--processes", "4").code == 0
    facts = project / said.json["run"] / "facts.json"
    assert eventually(
        lambda: [each.get("processes") for each in json.loads(facts.read_text())["attempts"]] == [2, 4]
    )


def test_what_other_sums_of_processes_make_of_a_proof_is_said() -> None:
    event = {"verdict": "differs", "difference": 1e-07, "processes": [2, 1]}
    assert "differs from the checkpoint's by 1e-07. 2 processes saved it, this is 1:" in verified_words(event)


def test_the_proof_stands_before_the_word_that_it_goes_on(
    say: Say, project: Path, stand_in: list[int]
) -> None:
    started = say("train", project)
    assert "checks the pictures once more" in started.out
    say("follow", project)
    job = a_run(project, begun(), ("stopped", {}), name="again")
    said = say("resume", job.path, "--verify").out
    assert 0 <= said.index("bit-equal") < said.index("Goes on in the background")
    say("follow", job.path)
    other = a_run(project, begun(), ("stopped", {}), name="other")
    assert "checked next" in say("resume", other.path).out


def test_a_run_whose_picture_is_gone_is_refused_before_a_worker_starts(
    say: Say, project: Path, stand_in: list[int]
) -> None:
    job = a_run(project, begun(), ("stopped", {}))
    place = Placement(resolution=64, bucket=(64, 64), scaled=(64, 64), crop_left_top=(0, 0))
    items = [
        Item(
            picture=f"{number}.png", path=project / "images" / f"{number}.png", sha256="0" * 64, role="subject",
            set="images", weight=1.0, repeats=1, original=(64, 64), placements=(place,), captions=("a",), planned=1,
        )
        for number in range(3)
    ]  # fmt: skip
    write_items(job.items, items)
    (project / "images" / "1.png").unlink()
    said = say("resume", project, "--json")
    assert said.code == 1 and "1.png cannot be read any more" in said.json["error"]
    assert stand_in == []


def test_stop_acts_on_what_is_at_work_the_run_first_and_then_its_jobs(
    say: Say, project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_PAUSE", "60")
    run = a_run(project, begun(), ("done", {}), name="first")
    spec = SampleJob(project=str(project), run=str(run.path), spec=resolve(open_project(project)))

    def draws() -> None:
        job = new_job_dir(run.path, "sample")
        write_job(job, spec)
        worker.start(job)

    draws()
    monkeypatch.setenv("STAND_IN_STEP", "0.05")
    started = say("train", project, "--set", "train.steps=1000", "--name", "second", "--json").json["run"]
    assert say("stop", project, "--json").json["run"] == started, "the run comes first"
    assert say("follow", project / started).code == 0
    for number, where in enumerate((project, run.path), 1):
        said = say("stop", where, "--json")
        assert said.json["run"].endswith(f"first/jobs/sample-{number}"), (
            "then the job on the run that is over"
        )
        assert f"sample-{number}" in said.err
        # How soon the first one ends is its own affair: the second `stop` finds another one.
        say("follow", run.path / "jobs" / f"sample-{number}")
        draws()


def test_a_run_of_another_machine_is_resumed_only_when_told_to_take_over(
    say: Say, project: Path, stand_in: list[int]
) -> None:
    a_run(project, begun(host="another-machine"))
    said = say("resume", project, "--json")
    assert said.code == 1
    assert "--take-over" in said.json["hint"]
    assert say("resume", project, "--take-over", "--json").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_leaving_ends_the_watching_and_never_the_run(
    say: Say, project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "0.05")
    say("train", project, "--set", "train.steps=1000")
    watcher = subprocess.Popen(
        [SAFELIGHT, "follow", project],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As from a shell at a terminal: what runs in the background ignores SIGINT, and its children with it.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    assert watcher.stdout is not None
    watcher.stdout.readline()
    watcher.send_signal(number)
    _, err = watcher.communicate(timeout=20)
    assert watcher.returncode == 1
    assert "goes on" in err and "safelight follow" in err
    (run,) = say("runs", project, "--json").json["runs"]
    assert run["state"] == "live"


def trained(say: Say, project: Path) -> str:
    said = say("train", project, "--follow", "--json")
    assert said.code == 0, said.err
    return str(said.json["run"])


def test_sample_review_and_export_print_what_they_made(say: Say, project: Path, stand_in: list[int]) -> None:
    run = trained(say, project)
    sampled = say(
        "sample",
        project,
        "--prompt",
        f"{TRIGGER} cup",
        "--steps",
        "4",
        "--size",
        "64x64",
        "--seed",
        "3",
        "--json",
    )
    assert sampled.code == 0, sampled.err
    assert sampled.json["pictures"] == [f"{run}/jobs/sample-1/pictures/001.png"]
    assert sampled.json["adapter"] == run and "base alone" not in sampled.err
    spec = (project / run / "jobs" / "sample-1" / "spec.toml").read_text()
    assert "size = [64, 64]" in spec and "seeds = [3]" in spec
    reviewed = say("review", project, "--json")
    assert (reviewed.code, reviewed.json["run"], reviewed.json["case"]) == (0, run, "unknown")
    assert {"recommended", "tests", "sheets"} <= set(reviewed.json)
    exported = say("export", project, "--format", "all", "--json")
    assert exported.code == 0
    assert [file["format"] for file in exported.json["files"]] == ["kohya", "diffusers", "comfyui"]
    assert {"path", "keys", "unmatched", "difference"} <= set(exported.json["files"][0])


def test_sample_without_a_run_is_a_job_of_the_project(say: Say, project: Path, stand_in: list[int]) -> None:
    said = say("sample", project, "--prompt", "a cup", "--json")
    assert said.json["pictures"] == ["jobs/sample-1/pictures/001.png"] and said.json["adapter"] is None
    told = say("sample", project, "--prompt", "a cup")
    assert "Drawn with the base alone: this project has no run yet." in told.err


def test_grid_prints_its_sheets_and_writes_its_axes(say: Say, project: Path, stand_in: list[int]) -> None:
    bases = say(
        "grid", project, "--axis", "base=demo,owner/name", "--prompt", "a cup", "--steps", "4", "--json"
    )
    assert bases.code == 0, bases.err
    assert bases.json["run"] is None and bases.json["sheets"] == ["jobs/grid-1/grid/grid.png"]
    spec = (project / "jobs" / "grid-1" / "spec.toml").read_text()
    assert 'values = ["demo", "owner/name"]' in spec and 'said = ["prompts", "steps"]' in spec
    run = trained(say, project)
    said = say(
        "grid",
        project,
        "--axis",
        "weight=0.5,1",
        "--axis",
        "prompt=a cup, red|a dog",
        "--seed",
        "3",
        "--json",
    )
    assert said.code == 0, said.err
    assert set(said.json) == {"project", "run", "sheets", "pictures", "seconds_per_picture", "memory_gb"}
    assert said.json["run"] == run and said.json["sheets"] == [f"{run}/jobs/grid-1/grid/grid.png"]
    told = say("grid", project, "--axis", "base=demo,owner/name", "--prompt", "a cup")
    assert "Drawn without the run's adapter" in told.err and "Sheet:" in told.out and "0.5 s each" in told.out


def test_grid_names_all_that_is_wrong_and_starts_nothing(say: Say, project: Path) -> None:
    said = say(
        "grid", project, "--axis", "wieght=1,2", "--axis", "sampler=euler,heun", "--guidance", "900", "--json"
    )
    assert said.code == 2
    assert [one["where"] for one in said.json["problems"]] == [
        "--guidance", "--axis wieght=1,2", "--axis sampler=heun"
    ]  # fmt: skip
    assert not (project / "jobs").exists()


@pytest.mark.parametrize(
    "option",
    [
        ("--guidance", "900"),
        ("--steps", "0"),
        ("--size", "big"),
        ("--adapter", "none.safetensors:0.5"),
        ("--seed", "-1"),
    ],
)
def test_sample_checks_its_options_as_the_project_would(
    say: Say, project: Path, option: tuple[str, str]
) -> None:
    said = say("sample", project, "--prompt", "a cup", *option, "--json")
    assert said.code == 2
    assert said.json["where"].startswith(option[0])
    assert not (project / "jobs").exists()


def test_a_job_that_fails_is_an_error_with_its_reason(
    say: Say, project: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(say, project)
    monkeypatch.setenv("STAND_IN_FAILS", "export")
    said = say("export", project, "--json")
    assert said.code == 1
    assert "told to fail" in said.json["error"]


def test_from_continues_from_a_runs_checkpoint_and_refuses_pickles(
    say: Say, project: Path, tmp_path: Path, stand_in: list[int]
) -> None:
    run = trained(say, project)
    said = say("train", project, "--from", project / run, "--name", "second", "--follow", "--json")
    second = project / said.json["run"]
    assert f'start_from = "{second / "start.safetensors"}"' in (second / "spec.toml").read_text()
    adapter = project / run / "checkpoints" / "step-000020" / "adapter.safetensors"
    assert (second / "start.safetensors").read_bytes() == adapter.read_bytes()
    (tmp_path / "old.ckpt").write_bytes(b"x")
    refused = say("train", project, "--from", tmp_path / "old.ckpt", "--json")
    assert refused.code == 2
    assert "pickle" in refused.json["error"]


def demo(say: Say, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Said:
    monkeypatch.setattr("tui.verbs.demo.write_project", lambda folder: project)
    return say("demo", *options)


def test_demo_runs_the_whole_chain_and_says_what_was_made(
    say: Say, project: Path, tmp_path: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = demo(say, tmp_path, project, monkeypatch, "--no-tui", "--json")
    assert said.code == 0, said.err
    assert set(said.json) == {"project", "run", "exports", "sheets", "proof", "seconds"}
    assert said.json["project"] == str(project)
    assert said.json["proof"] == {"pairs": 24, "positive": 24, "p": 6e-8}
    assert said.json["sheets"] == [said.json["run"] + "/review/sweep.png"]
    assert len(said.json["exports"]) == 2
    assert len(stand_in) == 4
    assert "Audited its 3 pictures:" in said.err and "3 usable pictures of the subject" in said.err
    assert (project / "cache" / "audit.sqlite").is_file()
    assert "24 of 24" in said.err and "safelight sample" in said.err
    assert "review/sweep.png   the base in the first column" in said.err


def test_a_demo_whose_training_fails_says_why_and_exits_1(
    say: Say, project: Path, tmp_path: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "train")
    said = demo(say, tmp_path, project, monkeypatch, "--json")
    assert said.code == 1
    assert "told to fail" in said.json["error"]


def test_leaving_the_demo_names_the_jobs_that_go_on(
    say: Say, project: Path, tmp_path: Path, stand_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_STEP", "1")
    paused = time.sleep

    def interrupt(seconds: float) -> None:
        # The watcher's own pause, and not the stand-in's start.
        if seconds > 0.1:
            os.kill(os.getpid(), signal.SIGHUP)
        paused(seconds)

    monkeypatch.setattr("tui.follow_lines.time.sleep", interrupt)
    said = demo(say, tmp_path, project, monkeypatch, "--json")
    assert said.code == 1
    assert "go on without this terminal" in said.json["error"]
    for kind in ("-demo", "review-1", "export-1", "proof-1"):
        assert kind in said.json["error"]
    assert "safelight follow" in said.json["hint"]


def test_the_demo_leaves_a_project_alone_and_says_so_once(say: Say, project: Path) -> None:
    said = say("demo", project, "--json")
    assert said.code == 2 and said.json["error"] == "There is a project here already."
    assert said.err.count("project here") == 1 and "safelight train" in said.json["hint"]


def test_the_demo_takes_the_next_free_name(tmp_path: Path) -> None:
    from tui.verbs.demo import free_name

    assert free_name(tmp_path / "safelight-demo") == tmp_path / "safelight-demo"
    (tmp_path / "safelight-demo").mkdir()
    (tmp_path / "safelight-demo-2").mkdir()
    assert free_name(tmp_path / "safelight-demo") == tmp_path / "safelight-demo-3"


# ---- measuring


def test_plan_measures_and_shows_it_until_something_changes(
    say: Say, project: Path, stand_in: list[int]
) -> None:
    assert say("plan", project, "--json").json["measured"] is None
    said = say(
        "plan", project, "--measure", "--measure-steps", "5", "--set", "train.evaluate_every=0", "--json"
    )
    assert said.code == 0, said.err
    assert said.json["measured"] == {
        "seconds_low": pytest.approx(21 * 0.4),
        "seconds_high": pytest.approx(21 * 0.6),
        "steps": 5,
        "seconds_per_step": 0.5,
        "device_memory_gb": 79.2,
    }
    assert (said.json["seconds"], said.json["memory_gb"]) == (10.5, 14.8)
    assert (project / "jobs" / "measure-1" / "spec.toml").is_file() and not (project / "runs").exists()
    later = say("plan", project, "--set", "train.evaluate_every=0")
    assert "measured here, 5 steps" in later.out and "14.8 GB  of 79 GB, measured" in later.out
    other = say("plan", project, "--set", "train.evaluate_every=0", "--set", "adapter.rank=4")
    assert "measured here" not in other.out and "GB" not in other.out


def test_what_stands_in_the_way_is_not_measured(say: Say, project: Path, stand_in: list[int]) -> None:
    (project / "images" / "0.txt").write_text("[trigger]")
    said = say("plan", project, "--measure", "--json")
    assert said.code == 1 and said.json["problems"]
    assert not (project / "jobs").exists()


def test_quantising_without_its_library_is_said_before_a_start(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = extras.importlib.util.find_spec
    monkeypatch.setattr(
        extras.importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else real(name)
    )
    said = say("plan", project, "--set", "train.quantize=nf4", "--json")
    (problem,) = said.json["problems"]
    assert said.code == 1 and "bitsandbytes" in problem["error"] and "safelight[train,bnb]" in problem["hint"]
    assert any("Quantisation harms SDXL" in note for note in said.json["notes"])


def test_captions_check_tells_people_what_and_what_next(say: Say, project: Path) -> None:
    pictures = project / "images"
    (pictures / "0.txt").write_text("a cup, wooden table, window light")
    (pictures / "1.txt").write_text(f"{TRIGGER} cup, grey wall, lamp,")
    (pictures / "2.txt").write_text(f"{TRIGGER} cup, sofa, dusk, " + "word " * 80)
    (pictures / "old.txt").write_text("nobody's")
    said = say("captions", project, "check")
    assert said.code == 0
    for line in (
        f"    0.txt does not hold the trigger {TRIGGER}.",
        f"In the room of captions: put the trigger {TRIGGER} first.",
        "~ cut off",
        "    Captions without a picture: old.txt.",
        "    1.png: 1 caption has a comma at the end.",
        "3 captions of 3 pictures, 0 blockers.",
    ):
        assert line in said.out
    assert "·" not in said.out
    text = (project / "project.toml").read_text()
    (project / "project.toml").write_text(f'{text}[captions.ignored]\n"orphan" = "kept for later"\n')
    said = say("captions", project, "check")
    assert "· without a picture" in said.out and "ignored: kept for later" in said.out
