"""Drafts by a model, prepared and started: the same for the command line and the room."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.dataset.captioning.book import Book
from engine.dataset.captioning.drafting import Choice, choose
from projects import worker
from projects.captioners import ModelFacts, describe, missing_packages, problems_of
from projects.checking import Checker
from projects.job import JobDir
from projects.problems import Problem, Refused, refuse
from projects.project import new_job_dir, write_job
from projects.rights import allow
from projects.spec import FillJob, RunSpec
from projects.toml import Key
from tui.caption_rows import Captions, rows_of
from tui.filters import parse

Answer = TypeVar("Answer")
OPTIONS: Final[Mapping[str, str]] = {
    "general_threshold": "--threshold",
    "max_new_tokens": "--max-new-tokens",
    "pictures": "--pictures",
}
"""What says a field of the job, where it is not called as the field is."""


@dataclass(frozen=True)
class Prepared:
    """A job that may be started, and what it would do."""

    job: FillJob
    choice: Choice
    facts: ModelFacts


def prepare(project: Path, spec: RunSpec, said: Mapping[str, Any], *, meant: str = "") -> Prepared:
    """Check everything that can be known before a worker starts.

    said: fields of `FillJob` by name, without those that nobody said. meant: a filter of pictures; "" for all of them.
    Raises Refused with all problems.
    """
    book = Book(project, spec.data)
    book.load()
    problems: list[Problem] = []
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    values |= {"project": str(project), "model": placed(str(said.get("model", "")))}
    if meant:
        values["pictures"] = _found(lambda: names_of(book, spec, meant), problems) or []
    checker = Checker(_option)
    made = checker.build(
        FillJob, checker.table(values, FillJob, skip=("spec",)), ("job",), given={"spec": spec}
    )
    problems += checker.problems
    if not isinstance(made, FillJob) or checker.problems:
        raise Refused(problems, usage=True)
    facts = _found(lambda: describe(made), problems)
    method = facts.method if facts else made.method
    problems += [*problems_of(made, method), *missing_packages(method)]
    choice = _found(lambda: choose(list(book.entries.values()), book.journal.before_drafts(), made), problems)
    if facts is None or choice is None or problems:
        raise Refused(list(dict.fromkeys(problems)), usage=True)
    allow(project, spec, "draft", [made.prompt, made.template])
    return Prepared(made, choice, facts)


def start(prepared: Prepared) -> tuple[JobDir, int]:
    """Write the job's directory and start its worker. Gives it and the worker's pid."""
    job = new_job_dir(Path(prepared.job.project), "fill")
    write_job(job, prepared.job)
    return job, worker.start(job)


def placed(model: str) -> str:
    """A folder that is named from here, whole; a hub id, or what lies in the project, as it stands."""
    here = Path(model).expanduser()
    return str(here.absolute()) if model and here.is_dir() else model


def names_of(book: Book, spec: RunSpec, meant: str) -> list[str]:
    """Names of the pictures that a filter means, by what is known without an audit. Raises Refused (usage)."""
    wanted = parse(meant)
    known = Captions(rows=rows_of(book.entries), loaded=True, drafted=frozenset(book.journal.drafted))
    names = [
        name for name in known.rows if wanted.matches({**known.filtered_by(name), **_declared(name, spec)})
    ]
    if not names:
        hint = "Here it can ask for name, text, role, set, is (draft, empty), distance, light and wardrobe."
        raise refuse(f"No picture is meant by {meant}.", where="--pictures", hint=hint, usage=True)
    return names


def _declared(name: str, spec: RunSpec) -> dict[str, str]:
    audit = spec.audit
    said: dict[str, Mapping[str, str]] = {
        "distance": dict(audit.distance), "light": audit.light, "wardrobe": audit.wardrobe
    }  # fmt: skip
    return {field: table[name] for field, table in said.items() if name in table}


def left_alone(prepared: Prepared) -> list[str]:
    """What is not drafted, in words, each with what would change that."""
    choice = prepared.choice
    lines = []
    if choice.written:
        lines.append(f"{captions(choice.written)} written by people, left alone (--over drafts there too).")
    if choice.drafts:
        lines.append(f"{captions(choice.drafts)} drafted before, left alone (--again replaces them).")
    if choice.unreadable:
        lines.append(f"{captions(len(choice.unreadable))} that are no UTF-8 text, left alone.")
    return lines


def captions(count: int) -> str:
    """1 caption, 12 captions."""
    return f"{count:,} caption" + ("" if count == 1 else "s")


def _found(ask: Callable[[], Answer], problems: list[Problem]) -> Answer | None:
    """What `ask()` gives; None where it refuses, with its problems added."""
    try:
        return ask()
    except Refused as refused:
        problems += refused.problems
        return None


def _option(path: Key) -> str:
    name = str(next((part for part in path if isinstance(part, str) and part != "job"), ""))
    return OPTIONS.get(name, "--" + name.replace("_", "-"))
