"""safelight resume: go on with a run exactly where its last checkpoint stands."""

import time
from collections.abc import Sequence
from pathlib import Path

import click

from engine.dataset.items import read_items, verify_there
from projects import chain, events, worker
from projects.events import Event, fold_file
from projects.job import JobDir
from projects.plan import require_processes
from projects.problems import Refused, refuse
from projects.project import find_run, read_job
from projects.spec import JobSpec
from tui.follow_lines import ENDED, follow, shown, verified_words
from tui.jobs import in_project, not_done
from tui.output import Output, json_option


@click.command("resume")
@click.argument("run", default=".", type=click.Path(path_type=Path))
@click.option(
    "--verify", is_flag=True, help="First compute the checkpoint's probe again and compare, bit for bit."
)
@click.option(
    "--take-over", is_flag=True, help="Although the run was last seen on another machine or before a restart."
)
@click.option(
    "--processes",
    type=int,
    metavar="N",
    help="So many processes train together from here on, instead of train.processes. A step's pictures stay the same.",
)
@click.option("--follow", "following", is_flag=True, help="Stay and follow by line.")
@json_option
def command(
    run: Path, verify: bool, take_over: bool, processes: int | None, following: bool, out: Output
) -> int:
    """Go on with RUN from its newest checkpoint, as if it had never been interrupted.

    RUN may be another job. Jobs that waited for it, and ended because it did not get done, go on too.
    """
    job = find_run(run)
    spec = read_job(job)
    project = Path(spec.project)
    if processes is not None:
        require_divisible(spec, processes)
    refuse_unless_resumable(job, take_over=take_over)
    _, offset = events.read(job.events, 0)
    resumed = chain.resume(job, take_over=take_over, verify=verify, processes=processes)
    path = shown(job.path)
    if not verify:
        told(resumed, path, out)
        if spec.kind == "train":
            out.say("Its pictures and its base are checked next; following shows it.")
    result: dict[str, object] = {
        "project": str(project),
        "run": in_project(job.path, project),
        "pid": resumed.pid,
        "along": [in_project(each.path, project) for each in resumed.along],
    }
    code = 0
    if verify:
        found = verification(job, offset, out)
        out.say(verified_words(found))
        told(resumed, path, out)
        result |= {"verified": found.get("verdict"), "difference": found.get("difference")}
        code = 0 if found.get("verdict") == "bit-equal" else 1
    if following:
        result["state"] = ended = follow(job, out)
        code = max(code, 1 if ended in ("failed", "died") else 0)
    out.result(result)
    return code


def require_divisible(spec: JobSpec, processes: int) -> None:
    """Raise Refused when the job cannot go on with so many processes."""
    if spec.kind != "train":
        raise refuse("Only a training has several processes.", where="--processes", usage=True)
    require_processes(spec.spec, processes)


def told(resumed: chain.Resumed, path: str, out: Output) -> None:
    """What goes on, and how to see it."""
    out.say(f"Goes on in the background (process {resumed.pid}). Follow it: safelight follow {path}")
    if resumed.along:
        out.say(along_words(resumed.along))


def along_words(along: Sequence[JobDir]) -> str:
    """Which jobs behind the resumed one go on as well."""
    return f"{', '.join(each.path.name for each in along)} {'wait' if len(along) > 1 else 'waits'} behind it again."


def refuse_unless_resumable(job: JobDir, *, take_over: bool) -> None:
    """Raise Refused for a run that works, is done, may work elsewhere, or whose pictures are not all there."""
    state, path = worker.state_of(job), shown(job.path)
    if state == "done":
        raise refuse(
            "This run is done.",
            where=path,
            hint=f"Go on from it with a new one: safelight train DIR --from {path}",
        )
    if state in ("live", "stalled"):
        raise refuse("This run has a worker already.", where=path, hint=f"Follow it: safelight follow {path}")
    if state == "elsewhere" and not take_over:
        hint = "If you are sure that no worker of it lives there any more: --take-over."
        raise refuse(
            "This run was last seen on another machine, or before a restart of this one.",
            where=path,
            hint=hint,
        )
    # The worker looks closer, but only after it has loaded its code; what is gone can be said before it is started.
    gone = verify_there(read_items(job.items)) if job.items.exists() else []
    if gone:
        raise Refused(gone)


def verification(job: JobDir, offset: int, out: Output) -> Event:
    """Wait for what the new attempt says of the checkpoint. Raises Refused when it ends before that."""
    waiting = ""
    while True:
        state = worker.state_of(job)
        new, offset = events.read(job.events, offset)
        for event in new:
            if event.get("kind") == "verified":
                return event
            if event.get("kind") == "phase" and event.get("name") != waiting:
                waiting = str(event.get("name"))
                out.say(f"  {waiting}")
        if state in ENDED:
            raise not_done(job, state, fold_file(job.events))
        time.sleep(0.1)
