"""What verbs that draw may be told of prompts, seeds and settings: the keys of [sample], as options."""

import dataclasses
from collections.abc import Callable
from functools import wraps
from typing import Any, get_args

import click

from projects.problems import refuse
from projects.spec import RunSpec, Sample, Sampler
from projects.table import parse_table, plain_table

Command = Callable[..., Any]


def sample_options(*, prompts: str = "") -> Callable[[Command], Command]:
    """The options, of which the command gets as `said` what was said; `checkpoint` as it is.

    prompts: where --prompt may be left out, what is drawn then; "" where it may not.
    """
    told_of_prompts = f"May be repeated. {prompts}".rstrip()
    options = (
        click.option("--prompt", "prompts", multiple=True, required=not prompts, help=told_of_prompts),
        click.option("--seed", "seeds", multiple=True, type=int, help="May be repeated: each prompt is drawn with each."),
        click.option("--weight", type=float, help="Weight of the run's adapter."),
        click.option("--checkpoint", type=click.IntRange(0), metavar="STEP", help="Left out: the newest."),
        click.option("--negative", help="Negative prompt."),
        click.option("--guidance", type=float, help="Classifier-free guidance."),
        click.option("--steps", type=int, help="Denoising steps."),
        click.option("--sampler", type=click.Choice(get_args(Sampler), case_sensitive=False)),
        click.option("--size", metavar="WIDTHxHEIGHT", help="In pixels. Left out: the base's native size."),
    )  # fmt: skip
    keys = [field.name for field in dataclasses.fields(Sample)]

    def decorated(command: Command) -> Command:
        @wraps(command)
        def told(*positional: Any, size: str | None, **given: Any) -> Any:
            said = {key: given.pop(key) for key in keys if key in given}
            said |= {key: list(said[key]) or None for key in ("prompts", "seeds")}
            said["size"] = size_of(size) if size else None
            kept = {key: value for key, value in said.items() if value is not None}
            return command(*positional, said=kept, **given)

        for option in reversed(options):
            told = option(told)
        return told

    return decorated


def with_sample(spec: RunSpec, said: dict[str, Any]) -> RunSpec:
    """`spec` with the options in [sample], checked as the project's own values are."""
    plain = plain_table(spec)["sample"]
    table = {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()} | said
    names = {"prompts": "--prompt", "seeds": "--seed"}
    sample = parse_table(table, Sample, where=lambda path: names.get(str(path[0]), f"--{path[0]}"))
    return dataclasses.replace(spec, sample=sample)


def size_of(text: str) -> list[int]:
    """`WIDTHxHEIGHT` as numbers. Raises Refused (usage)."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise refuse(f"{text} is not a size.", where="--size", hint="Write it as 1024x1024.", usage=True)
    return [int(width), int(height)]
