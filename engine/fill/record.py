"""The two files of a fill job: which captions it drafts, written once, and each draft as it comes, so that a job that was
killed goes on with the rest."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from engine.dataset.captioning.drafting import Wanted
from projects import atomic
from projects.job import JobDir
from projects.problems import Refused, refuse

FORMAT = 1


def wanted_of(job: JobDir, choose: Callable[[], Sequence[Wanted]]) -> tuple[Wanted, ...]:
    """What the job drafts: chosen by its first attempt, read by later ones. Raises Refused for a damaged file."""
    if not job.to_draft.exists():
        chosen = tuple(choose())
        table = {"format": FORMAT, "captions": [asdict(one) for one in chosen]}
        try:
            atomic.write_text(job.to_draft, json.dumps(table) + "\n")
        except OSError as error:
            raise _cannot(job.to_draft, error) from error
        return chosen
    try:
        table = json.loads(job.to_draft.read_bytes())
        return tuple(Wanted(**one) for one in table["captions"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Start drafting anew; what this job drafted is in drafts.jsonl."
        raise refuse("This file is damaged.", where=job.to_draft, hint=hint) from error


def drafts_of(job: JobDir) -> dict[str, str]:
    """Caption file -> what the model said, of every draft so far. A torn line is no draft."""
    try:
        lines = job.drafts.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and isinstance(one.get("file"), str) and isinstance(one.get("draft"), str):
            found[one["file"]] = one["draft"]
    return found


def keep(job: JobDir, wanted: Wanted, draft: str, seconds: float) -> None:
    """Append one draft, synced: it took the model `seconds`. Raises Refused when it cannot be written."""
    line = {"file": wanted.file, "picture": wanted.picture, "draft": draft, "seconds": round(seconds, 3)}
    try:
        atomic.append_line(job.drafts, json.dumps(line).encode("ascii"), synced=True)
    except OSError as error:
        raise _cannot(job.drafts, error) from error


def _cannot(path: Path, error: OSError) -> Refused:
    return refuse(
        f"This cannot be written: {error.strerror}.",
        where=path,
        hint="Make room or give permission, then resume.",
    )
