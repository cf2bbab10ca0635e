"""safelight demo: audit, train, review, export and proof on the little base model that comes along."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from engine.dataset.findings import Finding
from projects import worker
from projects.events import State, fold_file
from projects.job import JobDir
from projects.problems import Problem, Refused, refuse
from projects.project import new_job_dir, new_run_dir, open_project, write_job
from projects.spec import ExportJob, JobSpec, ProofJob, ReviewJob, TrainJob
from tui.auditing import AuditProcess, name_of
from tui.follow_lines import ENDED, Left, shown
from tui.jobs import finish, in_project, not_done, results
from tui.output import Output, json_option
from tui.readiness import examine
from tui.verbs import open as workbench
from tui.verbs.audit import lines
from tui.verbs.review import read_review

_PROOF_LIMIT = 0.001
_ON_SHEETS = {
    "sweep": "the base in the first column, then the adapter, stronger to the right",
    "isolation": "pairs without the trigger: left the base, right the adapter",
    "before-after": "pairs with the trigger: left the base, right the adapter",
    "echo": "the trigger alone and training captions: what it may know by heart",
}
"""What stands where on a sheet, by the name of its file."""


@dataclass(frozen=True)
class Chain:
    """The demo's jobs, each waiting for the one before."""

    project: Path
    trigger: str
    class_word: str
    train: JobDir
    review: JobDir
    export: JobDir
    proof: JobDir

    @property
    def jobs(self) -> tuple[JobDir, ...]:
        """In the order in which they work."""
        return (self.train, self.review, self.export, self.proof)


@click.command("demo")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--no-tui", is_flag=True, help="Follow by line on a terminal too.")
@json_option
def command(folder: Path | None, no_tui: bool, out: Output) -> None:
    """Make a little project in DIR, audit it, train it, draw the review's sheets, export the files, and prove it worked.

    DIR is ./safelight-demo, or the next free name. It takes some minutes on a CPU and downloads nothing.
    """
    began = time.time()
    project = write_project(folder or free_name(Path("safelight-demo")))
    out.say(
        f"Made the project {shown(project)}: 30 pictures of a subject that the base model has never seen."
    )
    for line in audited(project):
        out.say(line)
    chain = write_chain(project)
    try:
        start_chain(chain)
        out.say("Four jobs are started: training, review, export, proof. They go on if you leave (Ctrl-C).")
        if not no_tui and not out.json and sys.stdin.isatty() and sys.stdout.isatty():
            workbench.run(project, room="train")
            states = ended(chain)
        else:
            states = [finish(job, out) for job in chain.jobs]
    except (Left, KeyboardInterrupt):
        raise left(chain) from None
    # How long somebody looked at the result before leaving the workbench is not the demo's time.
    seconds = max(state.time for state in states) - began
    out.say(closing_words(chain, states, seconds))
    out.result(
        {
            "project": str(project),
            "run": in_project(chain.train.path, project),
            "exports": exports(states[2]),
            "sheets": read_review(chain.train)["sheets"],
            "proof": proof(states[3]),
            "seconds": round(seconds, 1),
        }
    )


def free_name(wanted: Path) -> Path:
    """`wanted`, or with -2, -3 ... where it is taken."""
    number, path = 1, wanted
    while path.exists():
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")
    return path


def write_project(folder: Path) -> Path:
    """Let the engine draw the demo's project into `folder`. Returns its absolute path."""
    folder = folder.expanduser().resolve()
    if (folder / "project.toml").exists():
        hint = f"Train it: safelight train {shown(folder)}   Or name another folder for the demo."
        raise refuse("There is a project here already.", where=folder, hint=hint, usage=True)
    command = [sys.executable, "-P", "-m", "engine.demo", "project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["It said nothing."]
        hint = "Name another folder, or install what is missing: safelight doctor tells."
        raise refuse(f"The demo's project could not be made. {said[-1]}", where=folder, hint=hint)
    return folder


def audited(project: Path) -> list[str]:
    """Look at the project's pictures as `safelight audit` does: what it says. It stops nothing."""
    told: Mapping[str, Any] = {}
    findings: Sequence[Finding] = ()
    pictures: set[str] = set()
    with AuditProcess(project) as auditing:
        for report in auditing.reports(name_of):
            pictures.update(report.pictures)
            told, findings = report.told, report.findings
    problems = [Problem(**table) for table in told["problems"]]
    return [f"Audited its {len(pictures)} pictures:", *lines(findings, problems, told)]


def write_chain(project: Path) -> Chain:
    """Check the project and write the four jobs. Raises Refused with all problems."""
    found = examine(open_project(project))
    if found.problems:
        raise Refused(list(found.problems))
    spec, place = found.spec, str(project)
    train = new_run_dir(project, "demo")
    write_job(train, TrainJob(project=place, spec=spec))
    run = str(train.path)
    review = _write(train, ReviewJob(project=place, run=run, after=run, spec=spec))
    export = _write(train, ExportJob(project=place, run=run, after=str(review.path), spec=spec))
    proof_job = _write(train, ProofJob(project=place, run=run, after=str(export.path), spec=spec))
    return Chain(project, spec.trigger, spec.class_word, train, review, export, proof_job)


def start_chain(chain: Chain) -> None:
    """Start all workers: each waits for the job before, whoever watches. Raises KeyboardInterrupt after the last of them.

    Whoever leaves meanwhile leaves a whole chain behind, never one that ends in the middle.
    """
    left_at: list[int] = []
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
    before = {number: signal.signal(number, lambda sent, _frame: left_at.append(sent)) for number in numbers}
    try:
        for job in chain.jobs:
            worker.start(job)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if left_at:
        raise KeyboardInterrupt


def _write(run: JobDir, spec: JobSpec) -> JobDir:
    job = new_job_dir(run.path, spec.kind)
    write_job(job, spec)
    return job


def ended(chain: Chain) -> list[State]:
    """What the jobs' events say. Raises KeyboardInterrupt while one is not over, and Refused where one is not done."""
    states = [(job, worker.state_of(job), fold_file(job.events)) for job in chain.jobs]
    for job, name, state in states:
        if name not in ENDED:
            raise KeyboardInterrupt
        if name != "done":
            raise not_done(job, name, state)
    return [state for _, _, state in states]


def left(chain: Chain) -> Refused:
    """What is still running, and how to come back."""
    running = [job for job in chain.jobs if worker.state_of(job) not in ENDED]
    names = ", ".join(in_project(job.path, chain.project) for job in running)
    lines = [f"See how they stand: safelight runs {shown(chain.project)}"]
    lines += [f"Come back: safelight follow {shown(job.path)}" for job in running]
    lines += [f"Stop: safelight stop {shown(job.path)}" for job in running[:1]]
    words = f"No longer following; these jobs go on without this terminal: {names}."
    return Refused(Problem(error=words, where=shown(chain.project), hint="\n  ".join(lines)))


def exports(state: State) -> list[str]:
    """Paths of the exported files, relative to the project."""
    return [str(file.get("path")) for file in results(state, "files")]


def proof(state: State) -> dict[str, object]:
    """Pairs, positives and p of the sign test."""
    return {name: state.result.get(name) for name in ("pairs", "positive", "p")}


def sheet_line(sheet: Path) -> str:
    """A sheet's path, and what stands where on it."""
    words = _ON_SHEETS.get(sheet.stem)
    return f"    {shown(sheet)}" + (f"   {words}" if words else "")


def closing_words(chain: Chain, states: Sequence[State], seconds: float) -> str:
    """What was made, where, and what to do next."""
    found, place = proof(states[3]), shown(chain.project)
    p = found["p"]
    proven = isinstance(p, float) and p <= _PROOF_LIMIT
    verdict = (
        "the adapter draws its subject"
        if proven
        else "that does not prove that the adapter learned its subject"
    )
    prompt = f"{chain.trigger} {chain.class_word}, teal wall, softbox"
    review = read_review(chain.train)
    sheets = [sheet_line(chain.project / sheet) for sheet in review["sheets"]]
    judged = [f"  Review: {review['case']}. {review['words']}"] if review.get("words") else []
    files = [f"    {shown(chain.project / path)}" for path in exports(states[2])]
    return "\n".join(
        [
            f"\nDone in {seconds:.0f} s.",
            *judged,
            "  Sheets:",
            *sheets,
            "  Files for other tools:",
            *files,
            f"  Proof: {found['positive']} of {found['pairs']} pairs of the same seed show the subject more with the "
            f"trigger {chain.trigger} than without it (by chance alone: p = {p if p is None else f'{p:.1g}'}): {verdict}.",
            "\nNext:",
            f'  safelight sample {place} --prompt "{prompt}"',
            "  safelight new my-project --base HUB-ID-OR-FILE --images FOLDER --trigger INVENTED-WORD",
        ]
    )
