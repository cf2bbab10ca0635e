"""Jobs that a verb starts and waits for: the directory, the worker, and what it left behind."""

from dataclasses import dataclass, replace
from pathlib import Path

from projects import worker
from projects.events import State, fold_file
from projects.job import JobDir
from projects.problems import Refused, refuse
from projects.project import new_job_dir, newest_run, read_job, write_job
from projects.spec import JobSpec, TrainJob
from tui.follow_lines import follow, shown
from tui.output import Output


@dataclass(frozen=True)
class Run:
    """A training as later jobs see it."""

    job: JobDir
    spec: TrainJob

    @property
    def project(self) -> Path:
        """Absolute path of the project."""
        return Path(self.spec.project)


def open_run(job: JobDir) -> Run:
    """The run in a job directory. Raises Refused (usage) for a job of another kind.

    Its project is the one it lies in: somebody may have moved or copied that since spec.toml was written.
    """
    spec = read_job(job)
    if not isinstance(spec, TrainJob):
        raise refuse(
            f"This is a {spec.kind} job, not a run.",
            where=job.path,
            hint="Name a run of the project.",
            usage=True,
        )
    place = job.path.absolute()
    if place.parent.name == "runs":
        spec = replace(spec, project=str(place.parent.parent))
    return Run(job, spec)


def start_job(owner: Path, spec: JobSpec) -> JobDir:
    """Write the directory of a job of `owner` (a run or a project) and start its worker."""
    job = new_job_dir(owner, spec.kind)
    write_job(job, spec)
    worker.start(job)
    return job


def finish(job: JobDir, out: Output) -> State:
    """Follow the job to its end and give what its events say. Raises Refused when it did not get done."""
    ended = follow(job, out)
    state = fold_file(job.events)
    if ended == "done":
        return state
    raise not_done(job, ended, state)


def not_done(job: JobDir, ended: str, state: State) -> Refused:
    """Why a job that has ended is not done."""
    path = shown(job.path)
    if ended == "failed" and state.problems:
        return Refused(state.problems)
    if ended == "stopped" and (front := state.result.get("ended_by")):
        return refuse(
            f"The job was stopped, because {Path(str(front)).name}, which it waits for, was stopped.",
            where=path,
            hint=f"Both go on with: safelight resume {shown(Path(str(front)))}",
        )
    if ended == "stopped":
        return refuse(
            "The job was stopped before it was finished.", where=path, hint=f"Go on: safelight resume {path}"
        )
    return refuse(
        "The worker died without a last word.",
        where=path,
        hint=f"See {path}/out.log. Go on: safelight resume {path}",
    )


def in_project(path: Path | str, project: Path) -> str:
    """A path as it is written in JSON: relative to the project where it lies inside."""
    whole = project / path
    return whole.relative_to(project).as_posix() if whole.is_relative_to(project) else whole.as_posix()


def newest_checkpoint(job: JobDir) -> Path | None:
    """Folder of the run's newest checkpoint."""
    found = sorted(job.checkpoints.glob("step-*/manifest.json"))
    return found[-1].parent if found else None


def newest_or_none(path: Path) -> JobDir | None:
    """The run meant by RUN|DIR: a run's own folder, a project's newest run, None for a project without runs."""
    folder = path.expanduser().resolve()
    return JobDir(folder) if (folder / "spec.toml").is_file() else newest_run(folder)


def refuse_without_checkpoint(job: JobDir, step: int | None) -> None:
    """Raise Refused before a worker is started for a checkpoint (None: the newest) that is not there."""
    path = shown(job.path)
    if newest_checkpoint(job) is None:
        raise refuse(
            "This run has saved no checkpoint yet.", where=path, hint=f"Follow it: safelight follow {path}"
        )
    if step is not None and not (job.checkpoint(step) / "manifest.json").is_file():
        there = ", ".join(
            str(int(found.parent.name[5:])) for found in sorted(job.checkpoints.glob("step-*/manifest.json"))
        )
        raise refuse(
            f"There is no checkpoint of step {step}.", where=path, hint=f"There are: {there}.", usage=True
        )


def results(state: State, name: str) -> list[dict[str, object]]:
    """A list of tables of the job's last word."""
    told = state.result.get(name)
    return [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
