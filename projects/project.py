"""A project folder: open it, create it, resolve what it says, and find its jobs."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from projects import atomic, bases, presets
from projects.checking import Checker
from projects.job import JobDir
from projects.problems import Problem, Refused, refuse
from projects.spec import KINDS, JobSpec, RunSpec
from projects.table import (
    assign,
    dump_table,
    is_newer,
    lines_of,
    parse_table,
    plain_table,
    read_assignments,
    refuse_newer,
    set_values,
)
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


def save_values(project: Project, assignments: Sequence[str]) -> Project:
    """Set `KEY=VALUE`s in project.toml as it is on disk now; comments, order and other people's edits stay.

    Raises Refused for a wrong key or value, a file of a newer Safelight, and where the file cannot be written.
    """
    text = set_values(open_project(project.path).text, assignments)
    _write(project.file, text)
    return Project(project.path, text)


def resolve(project: Project, assignments: Sequence[str] = ()) -> RunSpec:
    """What a run of this project is given: defaults < preset < project.toml < assignments, alpha and native size filled.

    train.steps stays None where nobody said it: that takes the number of pictures (`plan.resolve_steps`).
    Raises Refused with all problems of the file, the assignments, the preset's name and the base.
    """
    table = read_toml(project.text, "project.toml")
    refuse_newer(table, "project.toml")
    read = read_assignments(assignments)
    assign(table, read)
    where = lines_of(project.text, "project.toml", {one.path: one.text for one in read})
    facts, problems = _facts(table, project.path, where)
    name = _text_at(table, "train", "preset") or facts.preset
    layers = []
    if name in presets.NAMES:
        layers.append(presets.preset(name))
    elif name:
        try:
            presets.preset(name)
        except Refused as refused:
            problems += [
                dataclasses.replace(one, where=where(("train", "preset"))) for one in refused.problems
            ]
    try:
        spec = parse_table(table, RunSpec, where=where, layers=layers)
    except Refused as refused:
        raise Refused([*refused.problems, *problems], usage=True) from None
    if problems:
        raise Refused(problems, usage=True)
    return _filled(spec, facts, name)


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
            "This project has no runs yet.", where=path, hint="Start one with `safelight train`.", usage=True
        )
    raise refuse(
        "There is neither a run nor a project here.", where=path, hint="Name a run or a project.", usage=True
    )


def _facts(
    table: dict[str, Any], folder: Path, where: Callable[[Key], str]
) -> tuple[bases.BaseFacts, list[Problem]]:
    """What the base says of itself, or why it cannot be used."""
    source, said = _text_at(table, "base", "source"), _text_at(table, "base", "family")
    try:
        facts = bases.describe(source, folder, revision=_text_at(table, "base", "revision"))
    except Refused as refused:
        return bases.UNKNOWN, [
            dataclasses.replace(one, where=where(("base", "source"))) for one in refused.problems
        ]
    if said and facts.family and said != facts.family:
        error = f'The project says family "{said}", the base itself is "{facts.family}".'
        hint = "Leave base.family out, or name another base."
        return facts, [Problem(error=error, where=where(("base", "family")), hint=hint)]
    if said in bases.FAMILY_PRESETS and not facts.preset:
        facts = dataclasses.replace(facts, preset=bases.FAMILY_PRESETS[said])
    return facts, []


def _filled(spec: RunSpec, facts: bases.BaseFacts, preset: str) -> RunSpec:
    alpha = spec.adapter.alpha if spec.adapter.alpha is not None else float(spec.adapter.rank)
    size = spec.sample.size or ((facts.native_size, facts.native_size) if facts.native_size else None)
    return dataclasses.replace(
        spec,
        base=dataclasses.replace(spec.base, family="sdxl" if facts.family == "sdxl" else spec.base.family),
        adapter=dataclasses.replace(spec.adapter, alpha=alpha),
        train=dataclasses.replace(spec.train, preset=preset),
        sample=dataclasses.replace(spec.sample, size=size),
    )


def _text_at(table: dict[str, Any], section: str, name: str) -> str:
    inside = table.get(section)
    value = inside.get(name) if isinstance(inside, dict) else None
    return value if isinstance(value, str) else ""


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
