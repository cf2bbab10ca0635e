"""safelight look: the pictures themselves, in a browser of another machine."""

from pathlib import Path

import click

from engine.dataset.audit.last import last_findings
from engine.dataset.folders import find_pictures
from projects.machine import host
from projects.problems import refuse
from projects.project import open_project, resolve
from tui.contact_sheet import Sheet, Shown
from tui.output import Output, json_option


@click.command("look")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Left out: one that is free.")
@json_option
def command(folder: Path, port: int, out: Output) -> int:
    """Show the pictures of the project in DIR to a browser, with what the last audit found, until ^C.

    Only this machine can ask, and only with the address that is printed; nothing can be changed.
    """
    project = open_project(folder)
    spec = resolve(project)
    pictures = find_pictures(project.path, spec.data).pictures
    findings = last_findings(project.path, {one.path: one.name for one in pictures}, spec.audit.ignored)
    shown = [Shown(one.name, one.path) for one in pictures]
    try:
        sheet = Sheet(spec.name or project.path.name, shown, findings, spec.data.background, port=port)
    except OSError as error:
        hint = "Name another port, or none."
        raise refuse(
            f"It cannot be served there: {error.strerror}.", where=f"--port {port}", hint=hint
        ) from None
    with sheet:
        forward = f"ssh -L {sheet.server_port}:127.0.0.1:{sheet.server_port} {host()}"
        out.say(f"{len(shown)} pictures: {sheet.address}")
        out.say(f"From your own machine: {forward}")
        out.say("Then open the address there. ^C ends it.")
        out.result(
            {
                "project": str(project.path),
                "pictures": len(shown),
                "address": sheet.address,
                "port": sheet.server_port,
                "forward": forward,
            }
        )
        try:
            sheet.serve_forever()
        except KeyboardInterrupt:
            out.say("Closed.")
    return 0
