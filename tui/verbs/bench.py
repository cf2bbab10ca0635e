"""safelight bench: measured here, on this machine."""

import shlex
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import click

from tui.bench import audit, cache, captions, interface, loop, machine, report, startup
from tui.bench.figures import Figure
from tui.output import Output, json_option
from tui.verbs.demo import write_project


@dataclass(frozen=True)
class Bench:
    """What one measuring is given."""

    folder: Path
    """A temporary folder of its own."""
    say: Callable[[str], None]
    peers: bool = False
    """Whether other tools are measured beside it."""


def _ui(bench: Bench) -> list[Figure]:
    return [*startup.measure(), *interface.measure(bench.folder)]


def _cache(bench: Bench) -> list[Figure]:
    return cache.measure(write_project(bench.folder / "demo"))


def _audit(bench: Bench) -> list[Figure]:
    return audit.measure(bench.folder, bench.say, peers=bench.peers)


def _captions(bench: Bench) -> list[Figure]:
    return captions.measure(bench.folder)


def _review(bench: Bench) -> list[Figure]:
    project = write_project(bench.folder / "demo")
    return loop.read_lines([sys.executable, "-P", "-m", "engine.bench.review", str(project)], bench.say)


def _loop(bench: Bench) -> list[Figure]:
    return loop.measure(write_project(bench.folder / "demo"), bench.say)


# What may be named -> what it does, the quick ones first.
MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "ui": _ui,
    "captions": _captions,
    "audit": _audit,
    "cache": _cache,
    "review": _review,
    "loop": _loop,
}


@click.command("bench")
@click.argument("what", required=False, type=click.Choice(list(MEASURES)))
@click.option("--write", "file", type=click.Path(path_type=Path), help="Add a dated section to this file.")
@click.option(
    "--peers",
    is_flag=True,
    help="With audit: cleanvision and imagededup beside it, installed for that by pip.",
)
@json_option
def command(what: str | None, file: Path | None, peers: bool, out: Output) -> None:
    """Measure this machine: ui (start and interface), captions (their room), audit (looking at pictures), cache
    (start of a run), review (what judging a run takes), loop (what training costs beside the model).

    Left out: all of them, a few minutes. Other work on the machine is in every figure.
    """
    facts, when, since = machine.facts(), datetime.now(), machine.Since()
    for fact in facts:
        out.say(fact)
    notes: list[str] = []

    def say(text: str) -> None:
        out.say(text)
        notes.append(text)

    figures: list[Figure] = []
    for name in [what] if what else list(MEASURES):
        out.say(f"Measuring: {name}")
        with tempfile.TemporaryDirectory(prefix="safelight-bench-") as folder:
            figures += MEASURES[name](Bench(Path(folder), say, peers))
    others = since.others()
    facts.append(f"other work took {others:.0%} of the processors meanwhile")
    out.say(f"\n{facts[-1].capitalize()}.")
    if others > machine.BUSY:
        out.say("~ That is in the figures. Measure again when nothing else runs.")
    out.say("\n".join(["", *report.lines_of(figures)]))
    if file:
        line = shlex.join(["safelight", *sys.argv[1:]])
        report.append(file, report.section(figures, when=when, command=line, machine=facts, notes=notes))
        out.say(f"Added to {file}.")
    out.result({"figures": [asdict(figure) for figure in figures], "machine": facts})
