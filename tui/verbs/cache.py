"""safelight cache: why a cached file is there, and removing what nothing needs."""

from pathlib import Path

import click

from engine.dataset import cachefiles
from projects.problems import refuse
from projects.project import open_project
from tui.output import Output, json_option


@click.command("cache")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(["why", "prune"]))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
def command(folder: Path, action: str, file: Path | None, out: Output) -> None:
    """why FILE: which entries a picture or caption has, and which runs read them. prune: delete what no run needs."""
    project = open_project(folder).path
    if action == "why":
        if file is None:
            raise refuse(
                "Which file?",
                hint="Name a picture or a caption file: safelight cache DIR why FILE.",
                usage=True,
            )
        lines = cachefiles.why(project, file)
        out.say("\n".join(lines))
        out.result({"project": str(project), "lines": lines})
        return
    if file is not None:
        raise refuse(
            "prune takes no file.", hint="It looks at the whole cache: safelight cache DIR prune.", usage=True
        )
    files, freed = cachefiles.prune(project)
    out.say(f"Deleted {files} files, {freed / 1e6:.1f} MB." if files else "Nothing to delete.")
    out.result({"project": str(project), "files": files, "bytes": freed})
