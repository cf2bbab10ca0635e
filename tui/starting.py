"""Jobs that a screen starts: checked, written and begun in a thread.

Screens import this when somebody asks for it: it needs everything that a start needs, Pillow included.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from projects import chain, worker
from projects.job import JobDir
from projects.problems import Refused
from projects.project import Project, new_run_dir, open_project, write_job
from projects.spec import ExportJob, JobSpec, ReviewJob, TrainJob
from tui.jobs import open_run, start_job
from tui.readiness import examine
from tui.verbs.train import refuse_read_only
from tui.working import in_thread

if TYPE_CHECKING:
    from tui.app import Workbench


def train(bench: "Workbench", folder: Path, name: str = "", assignments: Sequence[str] = ()) -> None:
    """Check the project, start a run, and show it. name: end of the run's folder; "" for r and the rank.

    assignments: `KEY=VALUE` for this run alone, as `train --set` takes them.
    """

    def work() -> JobDir:
        project = open_project(folder)
        spec = _ready(project, assignments)
        job = new_run_dir(project.path, name or f"r{spec.spec.adapter.rank}")
        write_job(job, spec)
        worker.start(job)
        return job

    bench.say("Checking every picture, then starting.")
    in_thread(bench, work, bench.follow_run)


def resume(bench: "Workbench", job: JobDir) -> None:
    """Go on with a run from its newest checkpoint, or with a job, and with the jobs that waited for it."""

    def work() -> str:
        from tui.verbs.resume import along_words, refuse_unless_resumable

        refuse_unless_resumable(job, take_over=False)
        along = chain.resume(job).along
        on = "from its newest checkpoint" if job.path.parent.name == "runs" else f"with {job.path.name}"
        return f"It goes on {on}." + (f" {along_words(along)}" if along else "")

    bench.say("Starting its worker again.")
    in_thread(bench, work, bench.say)


def stop_now(bench: "Workbench", job: JobDir) -> None:
    """End a run's worker by signal."""
    bench.say("Ending its worker.")
    in_thread(
        bench, lambda: worker.hard_stop(job), lambda state: bench.say(f"Its worker was ended: {state}.")
    )


def review(
    bench: "Workbench",
    job: JobDir,
    then: Callable[[JobDir], object],
    *,
    depth: Literal["coarse", "refined"] = "coarse",
    judge: str = "",
) -> None:
    """Start drawing a run's review, or go on with one that was stopped: what is drawn already is not drawn again.

    judge: as `ReviewJob.judge`.
    """

    def made(run: tuple[str, TrainJob]) -> ReviewJob:
        return ReviewJob(project=run[0], run=str(job.path), depth=depth, judge=judge, spec=run[1].spec)

    _later(bench, job, made, then)


def export(bench: "Workbench", job: JobDir, then: Callable[[JobDir], object]) -> None:
    """Start exporting a run's adapter."""
    _later(bench, job, lambda run: ExportJob(project=run[0], run=str(job.path), spec=run[1].spec), then)


def start_demo(bench: "Workbench") -> None:
    """Make the demo's project beside where we are, audit it, start its four jobs, and show the run."""

    def work() -> tuple[Path, JobDir]:
        from tui.verbs.demo import audited, free_name, write_chain, write_project

        project = write_project(free_name(Path("safelight-demo")))
        audited(project)  # The room of pictures shows it from the store.
        chain = write_chain(project)
        # Signals are handled in the main thread alone, where `demo.start_chain` guards them; here nobody leaves midway.
        for job in chain.jobs:
            worker.start(job)
        return chain.project, chain.train

    def then(made: tuple[Path, JobDir]) -> None:
        bench.open_project(made[0], "train")
        bench.follow_run(made[1])

    in_thread(bench, work, then)


def _ready(project: Project, assignments: Sequence[str]) -> TrainJob:
    refuse_read_only(project)
    found = examine(project, assignments)
    if found.problems:
        raise Refused(list(found.problems))
    return TrainJob(project=str(project.path), spec=found.spec)


def _later(
    bench: "Workbench",
    job: JobDir,
    made: Callable[[tuple[str, TrainJob]], JobSpec],
    then: Callable[[JobDir], object],
) -> None:
    def work() -> JobDir:
        run = open_run(job)
        return start_job(job.path, made((run.spec.project, run.spec)))

    in_thread(bench, work, then)
