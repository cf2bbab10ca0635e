"""`safelight`: the command and its one edge, where every error becomes a sentence and an exit code.

Exit codes: 0 done, 1 done and something stands against it, 2 wrong use. A verb's module is imported only when the verb
is called, so that `safelight --help` answers at once.
"""

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from projects.problems import Problem, Refused
from tui import plain
from tui.output import Output, quiet_stdout, report

# Verb -> one line of help. The module is tui.verbs.VERB, its command is called `command`.
VERBS = {
    "demo": "Train, review and export on the little base model that comes along.",
    "new": "Make a project of a folder of pictures.",
    "plan": "Steps, times seen, disk and problems, before anything runs.",
    "train": "Check everything and start a run in the background.",
    "runs": "The runs of a project and how they stand.",
    "follow": "Follow a run line by line; any number of terminals may.",
    "stop": "Ask a run to save and stop.",
    "resume": "Go on with a run exactly where its last checkpoint stands.",
    "replay": "Play a recorded run again in the workbench.",
    "sample": "Draw pictures from prompts, with a run's adapter or the base alone.",
    "review": "Sheets that show what a run learned.",
    "grid": "The same prompts and seeds along up to three axes, on sheets.",
    "export": "Files for other tools, each read back and compared.",
    "audit": "What ruins a training, found in the pictures before it does.",
    "look": "The pictures of a project in a browser, over SSH.",
    "captions": "Check the captions of a project, and change many of them as one step.",
    "trigger": "Whether a trigger is a word already, and what instead.",
    "cache": "Why a cached file is there; remove what nothing needs.",
    "open": "The workbench on a project: full screen, by keyboard.",
    "keys": "Every key of the workbench, and how to change it.",
    "explain": "What a key of project.toml means.",
    "bench": "Measure this machine: the interface, the audit, the start of a run, the training loop.",
    "doctor": "What of this machine helps or hinders, and what to do.",
}


class Verbs(click.Group):
    """The group of all verbs, known by name before their modules are imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"tui.verbs.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def safelight(context: click.Context) -> None:
    """A workbench for fine-tuning image models on a remote machine.

    Every verb takes --json. RUN is a run's folder, or a project's folder for its newest run.
    """
    if context.invoked_subcommand is None:
        if sys.stdin.isatty() and sys.stdout.isatty():
            context.invoke(importlib.import_module("tui.verbs.open").command, out=Output(json=False))
            return
        click.echo(context.get_help())
        click.echo(
            "\nIn a terminal, safelight alone opens the workbench. To begin by line: safelight demo --no-tui"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry of the console script. Ends the process with the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors=plain.ERRORS)  # type: ignore[union-attr]
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except OSError:
        # The terminal hung up, or the reader left, before the last words: there is nobody to say them to.
        quiet_stdout()
        code = 1
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; whatever goes wrong is said in a sentence here, and only here. Returns the exit code."""
    as_json = "--json" in arguments
    try:
        code = safelight.main(list(arguments), prog_name="safelight", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except Refused as refused:
        return report(refused, as_json=as_json)
    except click.UsageError as error:
        return report(_usage(error), as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return report(Refused(Problem(error="Interrupted.")), as_json=as_json)
    except BrokenPipeError:
        quiet_stdout()
        return 1
    except OSError as error:
        return report(_system(error), as_json=as_json)
    except Exception as error:
        return report(_crash(error), as_json=as_json)


def _usage(error: click.UsageError) -> Refused:
    path = error.ctx.command_path if error.ctx else "safelight"
    return Refused(Problem(error=error.format_message(), hint=f"See {path} --help."), usage=True)


_REMEDIES = {
    errno.ENOSPC: "Make room there (safelight cache DIR prune frees what nothing needs), then try again.",
    errno.EDQUOT: "Your quota there is used up: make room, then try again.",
    errno.EACCES: "Give yourself the right to read and write there, or use another folder.",
    errno.EPERM: "Give yourself the right to read and write there, or use another folder.",
    errno.EROFS: "That file system is read-only: use a folder on another one.",
    errno.ENOENT: "Look at the path: it must be there.",
}


def _system(error: OSError) -> Refused:
    """What the system refused, e.g. no space or no permission, as a sentence."""
    if not error.strerror:
        return _crash(error)
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return Refused(
        Problem(error=f"{error.strerror}.", where=where, hint=_REMEDIES.get(error.errno or 0, "")),
    )


def _crash(error: Exception) -> Refused:
    """A fault of Safelight's own: one sentence, and the traceback in a file."""
    from projects.machine import state_folder  # only a crash needs it, --help does not

    log = state_folder() / "crash.log"
    words = f"This is a fault in Safelight: {type(error).__name__}: {error}"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"\n{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {' '.join(sys.argv)}\n")
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return Refused(Problem(error=words, hint="Its traceback could not be written anywhere."))
    return Refused(Problem(error=words, hint=f"The traceback is in {log}; please report it."))


if __name__ == "__main__":
    main()
