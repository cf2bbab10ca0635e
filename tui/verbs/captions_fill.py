"""safelight captions DIR fill: drafts by a model, made in the background."""

from pathlib import Path
from typing import Any, get_args

import click

from projects.events import fold_file
from projects.project import open_project, resolve
from projects.spec import FillMethod
from tui.filling import captions, left_alone, prepare, start
from tui.follow_lines import follow, shown
from tui.jobs import in_project
from tui.output import Output, json_option
from tui.verbs.train import refuse_read_only


@click.command("fill")
@click.option("--model", required=True, metavar="HUB_ID|FOLDER", help="The model that looks at the pictures.")
@click.option("--revision", metavar="NAME", help="Branch, tag or commit of a hub id.")
@click.option(
    "--method",
    type=click.Choice([each for each in get_args(FillMethod) if each]),
    help="Left out: as its files say.",
)
@click.option("--prompt", help="What the model is asked. A WD Tagger reads none.")
@click.option("--threshold", "general_threshold", type=float, help="Score above which a tag is taken: 0.35.")
@click.option("--character-threshold", type=float, help="The same for names of characters: 0.85.")
@click.option("--order", type=click.Choice(["score", "name"]), help="Order of tags.")
@click.option("--underscores", is_flag=True, default=None, help="Keep the underscores of tags.")
@click.option("--escape", is_flag=True, default=None, help="Backslashes before the parentheses of tags.")
@click.option("--blacklist", multiple=True, metavar="WORDS", help="Never in a draft. May be repeated.")
@click.option(
    "--template", help='Left out: "{trigger}, {draft}", with --over "{trigger}, {caption}, {draft}".'
)
@click.option("--pictures", "meant", default="", metavar="FILTER", help="Left out: all that have no caption.")
@click.option("--over", is_flag=True, default=None, help="Also where a person wrote; their words are kept.")
@click.option(
    "--again", is_flag=True, default=None, help="Also where an earlier draft stands that nobody looked at."
)
@click.option("--batch", type=int, help="Pictures at once.")
@click.option("--device", type=click.Choice(["auto", "cpu"]), help="Where the model computes.")
@click.option(
    "--precision", type=click.Choice(["fp32", "bf16", "fp16"]), help="Numbers of the model on a GPU."
)
@click.option("--max-new-tokens", type=int, help="Length at which a description is cut.")
@click.option("--temperature", type=float, help="0: the likeliest words. Above: drawn from the seed.")
@click.option(
    "--top-p", type=float, help="Where words are drawn: from the likeliest that make up this share."
)
@click.option("--seed", type=int)
@click.option("--follow", "following", is_flag=True, help="Stay and follow by line.")
@json_option
@click.pass_obj
def fill(folder: Path, /, meant: str, following: bool, out: Output, **said: Any) -> int:
    """Draft captions with a model: BLIP-2, WD Tagger, or any that answers a prompt about a picture.

    It works in the background; one undo takes all of it back. What people wrote is left alone.
    """
    project = open_project(folder)
    refuse_read_only(project)
    given = {name: value for name, value in said.items() if value not in (None, ())}
    prepared = prepare(project.path, resolve(project), given, meant=meant)
    choice = prepared.choice
    for line in left_alone(prepared):
        out.say(f"· {line}")
    result: dict[str, object] = {
        "project": str(project.path), "job": None, "pid": None, "captions": len(choice.wanted),
        "written": choice.written, "drafts": choice.drafts,
    }  # fmt: skip
    if not choice.wanted:
        out.say("There is nothing to draft.")
        out.result(result)
        return 0
    if prepared.facts.path is None:
        out.say(f"{prepared.facts.name} is not on this machine: it is downloaded first, and its size said.")
    job, pid = start(prepared)
    path = shown(job.path)
    out.say(
        f"Started {path}: {captions(len(choice.wanted))} by {prepared.facts.name}, process {pid}, in the background."
    )
    result |= {"job": in_project(job.path, project.path), "pid": pid}
    if not following:
        out.say(f"Follow it: safelight follow {path}   Stop it: safelight stop {path}")
        out.result(result)
        return 0
    ended = follow(job, out)
    told = fold_file(job.events).result
    if drafted := told.get("drafted"):
        out.say(
            f"{captions(int(str(drafted)))} drafted. Drafts stay marked until a person has looked at them."
        )
    out.result(
        {**result, "state": ended, **{name: told.get(name) for name in ("drafted", "op", "kept", "failed")}}
    )
    return 1 if ended in ("failed", "died") or told.get("failed") else 0
