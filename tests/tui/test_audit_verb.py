"""`safelight audit`: what people read, what scripts get, and when it is over."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from engine.dataset.findings import Finding
from tests.tui.conftest import ROOT, Say
from tui.audit_words import check_row
from tui.audited import CheckRow
from tui.verbs.audit import lines

KEYS = {"project", "pictures", "usable", "seconds", "findings", "coverage", "problems"}
FINDING = {"check", "severity", "pictures", "value", "threshold", "confidence", "method", "remedy", "ignored"}


def cut_short(project: Path) -> None:
    file = project / "images" / "0.png"
    file.write_bytes(file.read_bytes()[:-20])


def the(findings: list[dict[str, object]], check: str) -> list[dict[str, object]]:
    return [finding for finding in findings if finding["check"] == check]


def test_a_project_without_blockers_is_told_and_exits_0(say: Say, project: Path) -> None:
    said = say("audit", project, "--json")
    assert said.code == 0
    assert set(said.json) >= KEYS
    assert said.json["project"] == str(project)
    assert said.json["pictures"] == 3
    assert "3 pictures in" in said.err


def test_a_blocker_exits_1_with_picture_value_and_remedy(say: Say, project: Path) -> None:
    cut_short(project)
    said = say("audit", project)
    assert said.code == 1
    assert "! cut short or damaged   1" in said.out
    assert "0.png is truncated or damaged" in said.out
    assert "Copy it again" in said.out
    again = say("audit", project, "--json").json
    (finding,) = the(again["findings"], "truncated")
    assert set(finding) >= FINDING
    assert finding["severity"] == "blocker"
    assert finding["pictures"] == ["0.png"]
    assert again["usable"] <= 2


@pytest.mark.parametrize("key", ["truncated", "truncated: 0.png"])
def test_an_ignored_blocker_is_a_note_with_its_reason_and_exits_0(say: Say, project: Path, key: str) -> None:
    cut_short(project)
    with (project / "project.toml").open("a") as file:
        file.write(f'[audit.ignored]\n"{key}" = "it is meant to be"\n')
    said = say("audit", project)
    assert said.code == 0
    assert "· cut short or damaged   1" in said.out
    assert "ignored: it is meant to be" in said.out


def test_a_folder_that_is_not_there_is_a_problem_and_a_wrong_key_wrong_use(say: Say, project: Path) -> None:
    said = say("audit", project, "--set", "data.images=nowhere", "--json")
    assert said.code == 1
    assert "nowhere" in said.json["problems"][0]["where"]
    wrong = say("audit", project, "--set", "data.imagse=there", "--json")
    assert wrong.code == 2
    assert set(wrong.json) == {"error", "where", "hint"}


def test_an_audit_whose_process_dies_is_never_taken_for_a_clean_one(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.auditing.COMMAND", (sys.executable, "-c", "raise SystemExit('no such luck')"))
    said = say("audit", project, "--json")
    assert said.code == 1
    assert "no such luck" in said.json["error"]


def test_many_findings_of_one_check_are_counted_and_share_one_remedy() -> None:
    findings = [
        Finding(
            check="blur", severity="warning", pictures=(f"{number}.jpg",), value=f"{number}.jpg is soft.",
            confidence="measured", method="variance", remedy="Leave it out.",
        )
        for number in range(9)
    ]  # fmt: skip
    said = list(lines(findings, [], {"coverage": ["9 usable of 9", "light 3"], "checks": {"blur": "soft"}}))
    assert said[0] == "9 usable of 9   light 3"
    assert said[1] == "~ soft   9"
    assert [line.strip() for line in said].count("Leave it out.") == 1
    assert said[-1] == "    and 4 more: --json has all"


def test_a_check_that_could_not_look_is_told_as_that_with_what_it_needs() -> None:
    absent = Finding(
        check="text-overlay", severity="note", pictures=(), value="Not looked for: text overlays.",
        confidence="not-run", method="reading", remedy="Install the extra: pip install 'safelight[ocr]'.",
    )  # fmt: skip
    said = list(lines([absent], [], {"coverage": [], "checks": {"text-overlay": "text overlays"}}))
    assert said[0] == "· not run: text overlays"
    assert said[-1].strip() == absent.remedy
    row = CheckRow(
        name="text-overlay", title="text overlays", severity="note", pictures=(), findings=(absent,)
    )
    wide, narrow = ("".join(text for text, _ in check_row(row, width)) for width in (78, 27))
    assert wide == "· not run: text overlays (Install the extra: pip install 'safelight[ocr]')"
    assert narrow == "· not run: text overlays"


def test_an_interrupt_keeps_what_was_measured_and_says_so(project: Path) -> None:
    Image.effect_noise((900, 700), 90).save(project / "images" / "n.jpg")
    for number in range(400):
        (project / "images" / f"n{number}.jpg").write_bytes((project / "images" / "n.jpg").read_bytes())
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "audit", str(project), "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    store = project / "cache" / "audit.sqlite"
    while not store.exists() and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert '"complete": false' in out
    assert "Stopped" in err
    assert process.returncode == 1
