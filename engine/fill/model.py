"""From what `model` says to a model that can be asked: on this machine, else downloaded, then loaded by its method."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.desk import Desk, StopAsked
from engine.families import hub
from engine.fill.method import Load, Opened
from projects.captioners import (
    ModelFacts,
    check_configs,
    describe,
    missing_packages,
    of_folder,
    problems_of,
    wanted,
)
from projects.problems import Refused
from projects.spec import FillJob

METHODS: Final[Mapping[str, str]] = {
    "blip2": "engine.fill.blip2",
    "wd-tagger": "engine.fill.wd_tagger",
    "image-text-to-text": "engine.fill.image_text",
}
"""Method -> module with `load`, imported when a model of it is opened: a tagger needs no torch."""


def find(desk: Desk, job: FillJob) -> ModelFacts:
    """Where the model is and how it is asked; downloaded where it is a hub id that is not here, its size said first.

    Raises Refused, and StopAsked in the middle of a download (what came stays).
    """
    facts = describe(job)
    if facts.path is None:
        desk.phase("downloading the model", quiet=3600)
        folder = hub.download(
            job.model, job.revision, choose=wanted, check=lambda at: _check(at, job),
            on_progress=_counted(desk, job.model), where=("--model", "--revision"),
        )  # fmt: skip
        facts = of_folder(folder, job.model, job.method)
    _require(facts, job)
    return facts


def load(facts: ModelFacts, job: FillJob) -> Opened:
    """The model, ready to be asked. Raises Refused."""
    assert facts.path is not None
    loader: Load = importlib.import_module(METHODS[facts.method]).load
    return loader(facts.path, facts.kind, job)


def _check(folder: Path, job: FillJob) -> None:
    """Refuse a model by its small files, before its gigabytes come."""
    _require(check_configs(folder, job.model, job.method), job)


def _require(facts: ModelFacts, job: FillJob) -> None:
    """Raise Refused for what only shows when the method is known."""
    said, missing = problems_of(job, facts.method), missing_packages(facts.method)
    if said or missing:
        raise Refused([*said, *missing], usage=bool(said))


def _counted(desk: Desk, model: str) -> hub.Progress:
    """Tells how far the download is, in megabytes, and ends it when a stop is asked."""

    def on_progress(done: int, total: int) -> None:
        if desk.stop_asked:
            raise StopAsked
        desk.progress(f"downloading {model}, megabytes", -(-done // 1_000_000), -(-total // 1_000_000))

    return on_progress
