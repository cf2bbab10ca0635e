"""`python -m engine.demo cases`: which cases, in which order."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from projects.problems import Refused, refuse

if TYPE_CHECKING:
    from engine.demo.cases import Case


@dataclass(frozen=True, kw_only=True)
class Part:
    """One half of the proof."""

    subject: str
    first_seed: int
    good: int
    """How many good cases are made unless seeds are named."""
    bad: int
    """And of each of the others."""


PARTS = {
    "calibrate": Part(subject="toadstool", first_seed=0, good=5, bad=3),
    "judge": Part(subject="pylon", first_seed=100, good=10, bad=3),
}
"""Thresholds are chosen on the first, and the review is judged on the second, which shares neither subject nor seeds."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `cases`."""
    parser.description = (
        "Make trainings that are known to be good, leaking, echo, broken or muddled, review each, and note what was "
        "said in WORK/cases.jsonl. What is done is skipped and what was killed goes on, so that it may be stopped any time."
    )
    parser.add_argument(
        "--work", type=Path, default=argparse.SUPPRESS, help="folder of projects and cases.jsonl"
    )
    parser.add_argument(
        "--part", choices=PARTS, default=None, help="which half of the proof; left out: calibrate"
    )
    parser.add_argument("--subject", default="", help="another subject than the part's")
    parser.add_argument("--kinds", default="", metavar="good,leaking,...", help="left out: all five")
    parser.add_argument(
        "--seeds", default="", metavar="0-9", help="the same for every kind; left out: the part's"
    )
    parser.add_argument(
        "--round", type=int, default=1, help="a number from 1; another one reviews everything again"
    )
    parser.add_argument("--depth", choices=["coarse", "refined"], default="coarse", help="of the reviews")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="assignments",
        help="as project.toml would say it, for every case",
    )  # fmt: skip
    parser.add_argument(
        "--table", action="store_true", help="print what was judged so far; all of it where nothing is chosen"
    )


def run_cases(options: argparse.Namespace) -> int:
    """Work on the cases that `options` name, or print their tables; returns the exit status."""
    from engine.demo.case_lines import read_lines
    from engine.demo.case_runs import Sitting, Stopped, work_on
    from engine.demo.confusion import tables

    cases = list(chosen(options))
    if options.table:
        lines = read_lines(options.work)
        if options.part or options.subject or options.kinds or options.seeds:
            names = {(case.subject, case.kind, case.seed) for case in cases}
            lines = [line for line in lines if (line["subject"], line["kind"], line["seed"]) in names]
        print(tables(lines))
        return 0
    if options.round < 1:
        raise refuse(
            "There is no such round.", where=f"--round {options.round}", hint="Say 1 or more.", usage=True
        )
    sitting = Sitting(
        work=options.work,
        round=options.round,
        depth=options.depth,
        assignments=tuple(options.assignments),
    )
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        failed = work_on(cases, sitting, say=lambda text: print(text, flush=True))
    except (Stopped, KeyboardInterrupt):
        print("Stopped. The same command goes on.", file=sys.stderr)
        return 130
    for place, refused in failed.items():
        print(f"Not judged: {place}: {refused}", file=sys.stderr)
    return 1 if failed else 0


def chosen(options: argparse.Namespace) -> Iterator[Case]:
    """The cases, seed by seed through all kinds, so that a table is balanced however far it got.

    Raises Refused (usage) for a subject, kind or seed that there is not.
    """
    from engine.demo.cases import CLASS_WORDS, KINDS, Case

    part = PARTS[options.part or "calibrate"]
    subject = options.subject or part.subject
    if subject not in CLASS_WORDS:
        raise _unknown("--subject", subject, CLASS_WORDS)
    named = options.kinds.split(",") if options.kinds else list(KINDS)
    for kind in named:
        if kind not in KINDS:
            raise _unknown("--kinds", kind, KINDS)
    seeds = seeds_of(options.seeds)
    first = part.first_seed
    for seed in seeds or range(first, first + max(part.good, part.bad)):
        for kind in KINDS:
            enough = part.good if kind == "good" else part.bad
            if kind in named and (seeds or seed < first + enough):
                yield Case(subject=subject, kind=kind, seed=seed)


def seeds_of(text: str) -> list[int]:
    """ "0-2,7" as [0, 1, 2, 7]. Raises Refused (usage) for anything else."""
    seeds: list[int] = []
    for piece in text.split(",") if text else ():
        ends = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", piece.strip())
        if ends is None:
            raise refuse(
                f'"{piece}" names no seeds.', where="--seeds", hint="Write 0-9, or 3, or 0-2,7.", usage=True
            )
        seeds += range(int(ends[1]), int(ends[2] or ends[1]) + 1)
    return list(dict.fromkeys(seeds))


def _unknown(option: str, said: str, known: Collection[str]) -> Refused:
    return refuse(f'There is no "{said}".', where=option, hint=f"Known: {', '.join(known)}.", usage=True)
