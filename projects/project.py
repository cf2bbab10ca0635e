"""A project folder: open it, create it, resolve what it says, and find its jobs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from projects import atomic, bases
from projects.checking import Checker
from projects.families import FAMILIES
from projects.firsttext import first_text
from projects.job import JobDir
from projects.problems import Problem, Refused, refuse
from projects.replay import refuse_in_replay
from projects.resolving import resolve_text
from projects.setting import set_values
from projects.spec import KINDS, JobSpec, Rating, RunSpec
from projects.table import dump_table, is_newer, lines_of, plain_table, refuse_newer
from projects.toml import Key, read_toml


@dataclass(frozen=True)
class Project:
    """A folder with project.toml, as it was read."""

    path: Path
    """Absolute path of the folder."""
    text: str
    """project.toml as it stands on disk."""
    read_only: bool = False
    """True for a file of a newer Safelight: shown, never written or trained."""

    @property
    def file(self) -> Path:
        """project.toml."""
        return self.path / "project.toml"


def open_project(path: Path) -> Project:
    """The project in a folder (or of a project.toml). Mistakes inside it are found by `resolve`, so that they can be shown.

    Raises Refused where there is no project.toml, or one that cannot be read as text.
    """
    folder = (path.parent if path.name == "project.toml" else path).expanduser().resolve()
    text = _read(
        folder / "project.toml",
        "There is no project here.",
        "Make one with `safelight new`, or name another folder.",
    )
    try:
        newer = is_newer(read_toml(text, "project.toml"))
    except Refused:
        newer = False
    return Project(folder, text, newer)


def create_project(
    path: Path,
    base: str,
    images: str | Path,
    trigger: str,
    rating: Rating = "general",
    class_word: str = "",
    *,
    family: str = "",
    regularization: str | Path = "",
    holdout: str | Path = "",
) -> Project:
    """Write a commented project.toml into `path` (made when it is missing), named after the folder.

    `family`: what nothing here can tell of a hub id that is not on this machine yet; left out, the project is written
    and has to say it before a run. Relative folders and base files are looked for from here first, then from the
    project; what lies inside the project is written relative to it. Raises Refused with all problems: a project is there
    already, no or two words as trigger, a folder or base that is not there, a place that cannot be written.
    """
    path = path.expanduser().resolve()
    if (path / "project.toml").exists():
        hint = "Open it with `safelight open`, or name another folder."
        raise refuse("There is a project here already.", where=path / "project.toml", hint=hint, usage=True)
    problems = []
    if not trigger.strip():
        hint = "Give one invented word, for example aur3lia_portrait."
        problems.append(Problem(error="There is no trigger.", where="--trigger", hint=hint))
    said = {"name": path.name, "trigger": trigger, "rating": rating, "base.source": _base(base, path)}
    if class_word:
        said["class_word"] = class_word
    for option, folder in (("images", images), ("regularization", regularization), ("holdout", holdout)):
        if str(folder):
            said[f"data.{option}"] = _placed(str(folder), path)
            if not (path / said[f"data.{option}"]).is_dir():
                error, hint = f"There is no folder {folder}.", "Make it first, or check the path."
                problems.append(Problem(error=error, where=f"--{option}", hint=hint))
    if family:
        said["base.family"] = family
    unsaid = not family and bases.to_be_fetched(said["base.source"], path)
    # All else is checked as if a family were said; none is written.
    assumed = [f"base.family={next(iter(FAMILIES))}"] if unsaid else []
    preset = ""
    try:
        preset = resolve_text(first_text(said, ""), path, assumed, where=_option).train.preset
    except Refused as refused:
        nowhere = not bases.is_somewhere(said["base.source"], path)
        problems += [_of_base(base) if nowhere and one.where == "--base" else one for one in refused.problems]
    if problems:
        raise Refused(problems, usage=True)
    text = first_text(said, "", family_open=True) if unsaid else first_text(said, preset)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "Name another folder, or make its parent writable."
        raise refuse(f"The folder cannot be made: {error.strerror}.", where=path, hint=hint) from None
    _write(path / "project.toml", text)
    return Project(path, text)


def save_values(project: Project, assignments: Sequence[str], *, without: Sequence[str] = ()) -> Project:
    """Set `KEY=VALUE`s in project.toml as it is on disk now; comments, order and other people's edits stay.

    Keys of `without` are taken out.
    Raises Refused for a wrong key or value, a file of a newer Safelight, and where the file cannot be written.
    """
    text = set_values(open_project(project.path).text, assignments, without=without)
    _write(project.file, text)
    return Project(project.path, text)


def resolve(project: Project, assignments: Sequence[str] = ()) -> RunSpec:
    """What a run of this project is given: defaults < preset < project.toml < assignments (`resolve_text`)."""
    return resolve_text(project.text, project.path, assignments)


def write_job(job: JobDir, spec: JobSpec) -> None:
    """Write spec.toml: the run's table, resolved, with `[job]` as its first section. Written once, never replaced."""
    if job.spec.exists():
        raise refuse("This job has its spec.toml already.", where=job.spec, hint="Start a new job instead.")
    table = plain_table(spec)
    run = table.pop("spec")
    values = {name: value for name, value in run.items() if not isinstance(value, dict)}
    sections = {name: value for name, value in run.items() if isinstance(value, dict)}
    _write(job.spec, dump_table({**values, "job": table, **sections}))


def read_job(job: JobDir) -> JobSpec:
    """What `write_job` wrote. Raises Refused with every problem when the file was damaged or edited wrongly."""
    file = f"{job.path.name}/spec.toml"
    text = _read(job.spec, "This is not a job: it has no spec.toml.", "Name the folder of a run or a job.")
    table = read_toml(text, file)
    refuse_newer(table, file)
    checker = Checker(lines_of(text, file))
    inside = table.pop("job", {})
    kind = inside.get("kind") if isinstance(inside, dict) else None
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        hint = f"Known here: {', '.join(KINDS)}."
        raise refuse(
            "The kind of this job is not known.", where=checker.where(("job", "kind")), hint=hint, usage=True
        )
    values = checker.table(inside, cls, ("job",), skip=("spec",))
    run = checker.build(RunSpec, checker.table(table, RunSpec))
    made = checker.build(cls, values, ("job",), given={"spec": run})
    if checker.problems:
        raise Refused(checker.problems, usage=True)
    found: JobSpec = made
    return found


def new_run_dir(project: Path, name: str) -> JobDir:
    """Make runs/YYYY-MM-DD-HHMM-NAME, with -2, -3 ... where that exists. NAME: letters, digits, - _ and dots inside."""
    if not re.fullmatch(r"[\w-][\w.-]{0,63}", name):
        raise refuse(
            f'"{name}" cannot be the name of a run.',
            where="--name",
            hint="Use up to 64 letters, digits, - and _.",
            usage=True,
        )
    stem = f"{datetime.now():%Y-%m-%d-%H%M}-{name}"
    return _new_folder(project / "runs", lambda number: stem if number == 1 else f"{stem}-{number}")


def new_job_dir(owner: Path, kind: str) -> JobDir:
    """Make jobs/KIND-1, KIND-2 ... in a run or a project."""
    return _new_folder(owner / "jobs", lambda number: f"{kind}-{number}")


def runs(project: Path) -> list[JobDir]:
    """The runs of a project, oldest first: by the time in their names, within one minute by when they were written."""
    found = [JobDir(folder) for folder in (project / "runs").glob("*") if (folder / "spec.toml").is_file()]
    return sorted(found, key=lambda job: (job.path.name[:15], job.spec.stat().st_mtime_ns, job.path.name))


def newest_run(project: Path) -> JobDir | None:
    """The last of `runs`."""
    found = runs(project)
    return found[-1] if found else None


def find_run(path: Path) -> JobDir:
    """The run that a person means: its own folder, or a project for its newest. Raises Refused (usage) if there is none."""
    path = path.expanduser().resolve()
    if (path / "spec.toml").is_file():
        return JobDir(path)
    newest = newest_run(path)
    if newest:
        return newest
    if (path / "project.toml").is_file():
        raise refuse(
            "This project has no runs yet.", where=path, hint=f"Start one: safelight train {path}", usage=True
        )
    raise refuse(
        "There is neither a run nor a project here.", where=path, hint="Name a run or a project.", usage=True
    )


def _of_base(named: str) -> Problem:
    error = f'There is no base "{named}": no folder or file from here or in the new project, and no hub id (owner/name).'
    hint = 'Name a folder in diffusers layout, a .safetensors file, a hub id or "demo".'
    return Problem(error=error, where="--base", hint=hint)


def _option(path: Key) -> str:
    """The option of `safelight new` that says a key."""
    return "--base" if path == ("base", "source") else f"--{str(path[-1]).replace('_', '-')}"


def _base(named: str, project: Path) -> str:
    """A base as project.toml names it. "demo" is always the embedded one: a folder of that name is ./demo."""
    return named if named == bases.DEMO else _placed(named, project)


def _placed(named: str, project: Path) -> str:
    """A folder or file named from here, as project.toml names it; what is neither here nor inside stays as it is."""
    here = Path(named).expanduser().absolute()
    if not here.exists():
        return named
    return str(here.relative_to(project)) if here.is_relative_to(project) else str(here)


def _read(file: Path, missing: str, hint: str) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise refuse(missing, where=file, hint=hint, usage=True) from None
    except UnicodeDecodeError as error:
        what = f"The file is not UTF-8 text (byte {error.start} is {error.object[error.start]:#04x})."
        raise refuse(what, where=file, hint="Save it as UTF-8.", usage=True) from None
    except OSError as error:
        raise refuse(
            f"The file cannot be read: {error.strerror}.", where=file, hint="Check its permissions."
        ) from None


def _write(file: Path, text: str) -> None:
    try:
        atomic.write_text(file, text)
    except OSError as error:
        hint = "Nothing was changed. Free some space, or make the folder writable (chmod u+w)."
        raise refuse(f"The file cannot be written: {error.strerror}.", where=file, hint=hint) from None


def _new_folder(parent: Path, name: Callable[[int], str]) -> JobDir:
    refuse_in_replay(parent)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            try:
                (parent / name(number)).mkdir()
                return JobDir(parent / name(number))
            except FileExistsError:
                number += 1
    except OSError as error:
        hint = "Free some space, or make the folder writable (chmod u+w)."
        raise refuse(f"The folder cannot be made: {error.strerror}.", where=parent, hint=hint) from None
