"""What a verb says and to whom: people's words, and with `--json` one object for scripts."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar

import click

from projects.problems import Problem, Refused
from tui.called import as_called
from tui.printable import printable

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Output:
    """Where a verb's words go. With `--json`, stdout belongs to the one object and words go to stderr."""

    json: bool

    def say(self, words: str = "") -> None:
        """One or more lines for people, whatever they contain made harmless."""
        _tell(words, sys.stderr if self.json else sys.stdout)

    def aside(self, words: str) -> None:
        """A remark for people that is no answer: always on stderr."""
        _tell(words, sys.stderr)

    def result(self, value: Mapping[str, object]) -> None:
        """The verb's object, printed only with `--json`. Keys are those of the command line's documentation."""
        if self.json:
            write_json(value)


def json_option(command: Command) -> Command:
    """`--json` as a parameter `out: Output`."""
    option = click.option(
        "--json", "out", is_flag=True, callback=lambda _context, _parameter, value: Output(value),
        help="One JSON object on stdout, people's words on stderr.",
    )  # fmt: skip
    return option(command)


def write_json(value: Mapping[str, object]) -> None:
    """One line of JSON on stdout, ASCII only: no terminal and no locale can spoil it."""
    click.echo(json.dumps(value, ensure_ascii=True, allow_nan=False))


def report(refused: Refused, *, as_json: bool) -> int:
    """Tell people, and scripts with `--json`, what stands in the way. Returns the exit code, 2 for wrong use, else 1."""
    for problem in refused.problems:
        _tell(words_of(problem), sys.stderr)
    if len(refused.problems) > 1:
        _tell(f"{len(refused.problems)} problems.", sys.stderr)
    if as_json:
        written = [problem.table() for problem in refused.problems]
        write_json(written[0] if len(written) == 1 else {"problems": written})
    return 2 if refused.usage else 1


def words_of(problem: Problem) -> str:
    """A problem as lines: where and what, and the next step on a line of its own."""
    words = ": ".join(part for part in (problem.where, problem.error) if part)
    return f"{words}\n  {problem.hint}" if problem.hint else words


def _tell(words: str, stream: TextIO) -> None:
    # The stream is named, as click would else put one of its own around it and send UTF-8 where nobody reads that.
    click.echo(printable(as_called(words), lines=True), file=stream)


def quiet_stdout() -> None:
    """After a reader like `head` went away: nothing may be written to stdout any more, not even at exit."""
    sys.stdout = open("/dev/null", "w")  # noqa: SIM115
