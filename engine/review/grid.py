"""A grid: the same prompts and seeds along up to three axes, on sheets with their axes named, and grid.json beside them.

Single pictures are named by what made them and stand in one folder for all grids of a run or project: a grid that was
stopped goes on, and one with a value more draws only that.
"""

import gc
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

from PIL import Image

from engine.checkpoint import find_checkpoint
from engine.dataset.items import read_items
from engine.desk import Desk
from engine.picture_file import SAMPLER_NAMES, encode_png, write_png
from engine.preparation import sample_of
from engine.review.cells import Cell, Crossed, Ground, crossed
from engine.review.floors import Floor, floors_of, open_ground, sources_of, values_of
from engine.review.sheets import Row, Sheet, compose
from engine.review.store import Measured
from projects import atomic
from projects.grid import uses_own
from projects.job import JobDir
from projects.problems import refuse
from projects.rights import allow
from projects.spec import GridJob, Sample

FORMAT: Final = 1
MOST: Final = 1000
"""Pictures of one grid: nobody looks at more, and a large base draws them for hours."""
NOTE: Final = "The same prompts and seeds throughout: what differs comes from the axes."


def run(desk: Desk, job: GridJob) -> Literal["done", "stopped"]:
    """Draw what is missing of the grid and lay it out. Raises Refused before anything large is loaded, and StopAsked."""
    project, store = Path(job.project), desk.job.path.parents[1] / "grid"
    sample, checkpoint = _sample(job)
    opened = {source: open_ground(desk, job, sample, source) for source in sources_of(job)}
    grounds = {source: ground for source, (ground, _) in opened.items()}
    _allow(job, sample, list(grounds.values()))
    plan = crossed(job.axes, sample, grounds, source=job.spec.base.source, checkpoint=checkpoint)
    _refuse_too_many(len(plan.cells))
    floors = floors_of(job, plan, {source: family for source, (_, family) in opened.items()}, store)
    measured = Measured(store)
    for source, floor in floors.items():
        shots = [cell.shot for cell in plan.cells.values() if cell.ground.source == source]
        floor.draw(desk, shots, measured)
        gc.collect()  # One base leaves before the next comes.
    desk.phase("laying out the sheets")
    rows = {
        places: _row(cell, floors[cell.ground.source], project, measured)
        for places, cell in plan.cells.items()
    }
    desk.job.grid.mkdir(exist_ok=True)
    sheets = _write_sheets(desk.job.grid, plan, floors, rows, job)
    record = _record(job, plan, [str(sheet.relative_to(project)) for sheet in sheets], list(rows.values()))
    atomic.write_text(desk.job.grid / "grid.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    desk.result(
        sheets=record["sheets"], pictures=list(dict.fromkeys(row["path"] for row in rows.values())),
        seconds_per_picture=record["seconds_per_picture"], memory_gb=record["memory_gb"],
    )  # fmt: skip
    return "done"


def _sample(job: GridJob) -> tuple[Sample, int | None]:
    """[sample] with prompts, and the step of the run's checkpoint; None where its adapter is not used."""
    sample, checkpoint = job.spec.sample, None
    if job.run:
        sample = sample_of(job.spec, read_items(JobDir(Path(job.run)).items))
        if uses_own(job.axes, True):
            checkpoint = find_checkpoint(JobDir(Path(job.run)), job.checkpoint)[0]
    if not sample.prompts and not values_of(job.axes, "prompt"):
        raise refuse(
            "There is no prompt.", where="sample.prompts", hint='Say one: --prompt "..."', usage=True
        )
    return sample, checkpoint


def _allow(job: GridJob, sample: Sample, grounds: Sequence[Ground]) -> None:
    prompts = values_of(job.axes, "prompt") or sample.prompts
    negatives = values_of(job.axes, "negative") or [ground.sample.negative for ground in grounds]
    allow(Path(job.project), job.spec, "sample", [*prompts, *negatives, job.spec.trigger])


def _refuse_too_many(pictures: int) -> None:
    if pictures > MOST:
        hint = "Take fewer values, prompts or seeds."
        raise refuse(
            f"This grid has {pictures:,} pictures; {MOST:,} is the most.",
            where="--axis",
            hint=hint,
            usage=True,
        )


def _row(cell: Cell, floor: Floor, project: Path, measured: Measured) -> dict[str, Any]:
    """One picture in grid.json."""
    cost, shot = measured.get(floor.key(cell.shot)) or {}, cell.shot
    return {
        "id": floor.pictures.id_of(shot), "path": str(floor.pictures.file(shot).relative_to(project)),
        "at": dict(cell.at), "base": cell.ground.base.name,
        "adapters": [
            {"name": floor.adapters[one.key].name, "weight": one.weight, "checkpoint": one.checkpoint}
            for one in cell.acting
        ],
        "prompt": shot.prompt, "negative": shot.negative, "seed": shot.seed, "guidance": shot.guidance,
        "steps": shot.steps, "sampler": shot.sampler, "size": list(shot.size),
        "seconds": cost.get("seconds"), "memory_gb": cost.get("memory_gb"),
    }  # fmt: skip


def _write_sheets(
    folder: Path,
    plan: Crossed,
    floors: Mapping[str, Floor],
    rows: Mapping[tuple[int, ...], Mapping[str, Any]],
    job: GridJob,
) -> list[Path]:
    """Columns along the first axis, rows along the second and all prompts and seeds, a sheet a value of the third."""
    named = len(job.axes)
    third = range(len(plan.lines[2].labels)) if named == 3 else (None,)
    files = []
    for number, place in enumerate(third, start=1):
        inside = [places for places in plan.cells if place is None or places[2] == place]
        sheet = _sheet(plan, rows, named, place)
        cells = [plan.cells[places] for places in inside]
        drawn: dict[str, Image.Image] = {}
        for places, cell in zip(inside, cells, strict=True):
            drawn.setdefault(rows[places]["id"], floors[cell.ground.source].pictures.read(cell.shot))
        foot = "   ".join(_costs([rows[places] for places in inside], job))
        file = folder / (f"grid-{number}.png" if named == 3 else "grid.png")
        bases = ", ".join(dict.fromkeys(row["base"] for row in rows.values()))
        facts = {"sheet": asdict(sheet), "run": Path(job.run).name, "base": bases}
        write_png(file, encode_png(compose(sheet, drawn, foot), facts))
        files.append(file)
    return files


def _sheet(
    plan: Crossed, rows: Mapping[tuple[int, ...], Mapping[str, Any]], named: int, third: int | None
) -> Sheet[str]:
    lines = plan.lines
    down = [range(len(line.labels)) for line in lines[1:]]
    if third is not None:
        down[1] = range(third, third + 1)
    said = [line.name for line in lines[:named]]
    title = f"Grid: {said[0]}" + (f" by {said[1]}" if named > 1 else "")
    if third is not None:
        title += (
            f", {lines[2].labels[third]}" if lines[2].name != "prompt" else f", {lines[2].labels[third]!r}"
        )
    body = []
    for places in product(*down):
        labels = [line.labels[place] for line, place in zip(lines[1:], places, strict=True)]
        if third is not None:
            del labels[1]
        shots = tuple(rows[column, *places]["id"] for column in range(len(lines[0].labels)))
        body.append(Row(label="   ".join(labels), shots=shots))
    return Sheet(name="grid", title=title, note=NOTE, columns=lines[0].labels, rows=tuple(body))


def _costs(rows: Sequence[Mapping[str, Any]], job: GridJob) -> list[str]:
    """What stands below a sheet, for each base: how it was drawn, as far as that is no axis, and what a picture took."""
    axes = {axis.name for axis in job.axes}
    said = []
    on: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        on.setdefault(row["at"].get("base", row["base"]), []).append(row)
    for base, own in on.items():
        first, words = own[0], [base, *_cost_words(own)]
        if "sampler" not in axes:
            words.append(SAMPLER_NAMES[first["sampler"]])
        if "steps" not in axes:
            words.append(f"{first['steps']} steps")
        if "guidance" not in axes:
            words.append(f"guidance {first['guidance']:g}")
        words.append(f"{first['size'][0]} x {first['size'][1]} px")
        if "negative" not in axes:
            words.append(f"negative: {first['negative'] or 'none'}")
        said.append(", ".join(words) + ".")
    return said


def _cost_words(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    seconds, memory = _seconds(rows), _memory(rows)
    words = [] if seconds is None else [f"{seconds:.3g} s a picture"]
    return words if memory is None else [*words, f"{memory:.3g} GB at most"]


def _seconds(rows: Sequence[Mapping[str, Any]]) -> float | None:
    known = {row["id"]: row["seconds"] for row in rows if row["seconds"] is not None}
    return round(statistics.mean(known.values()), 4) if known else None


def _memory(rows: Sequence[Mapping[str, Any]]) -> float | None:
    return max((row["memory_gb"] for row in rows if row["memory_gb"] is not None), default=None)


def _record(
    job: GridJob, plan: Crossed, sheets: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """grid.json (docs/files.md)."""
    return {
        "format": FORMAT,
        "run": str(Path(job.run).relative_to(job.project)) if job.run else None,
        "axes": [{"name": line.name, "values": list(line.labels)} for line in plan.lines],
        "sheets": list(sheets),
        "seconds_per_picture": _seconds(rows),
        "memory_gb": _memory(rows),
        "pictures": list(rows),
    }  # fmt: skip
