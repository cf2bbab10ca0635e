"""From the folders of a project to findings: headers first, then pixels, then models. It can be left at any time."""

import importlib.util
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from engine.dataset.audit import failures
from engine.dataset.audit.crew import Answer, Crew, Order
from engine.dataset.audit.shapes import EXTRAS, STAGES, Audited, Collection, Stage
from engine.dataset.audit.shelf import CHECKS, MEASURES
from engine.dataset.audit.store import Store, Taken, Values
from engine.dataset.buckets import placement
from engine.dataset.findings import Finding
from engine.dataset.folders import find_pictures
from engine.dataset.items import Placement
from projects.bases import BaseFacts
from projects.problems import Problem, Refused, listed, refuse
from projects.spec import RunSpec

SAY_SECONDS: Final = 1.0
"""How often findings are judged anew while pictures are measured, at most."""
SAY_SHARE: Final = 0.2
"""Share of the time that may go into judging: with ten thousand pictures it takes longer."""
FIRST_SECONDS: Final = 0.2
"""When the first headers are judged: there is something to see at once."""
KEEP_EVERY: Final = 64
"""Answers after which they are written into the store."""
STEP_OF_UNKNOWN_BASE: Final = 64


@dataclass(frozen=True, kw_only=True)
class Report:
    """How an audit stands."""

    collection: Collection
    findings: Sequence[Finding]
    problems: Sequence[Problem]
    """What stands in the way of a training and is no picture's fault: a folder that is not there."""
    stage: str
    """What is being done; "" when it is over."""
    done: int
    total: int
    changed: Sequence[str]
    """Names of the pictures of which more is known than in the report before."""


def audit(
    project: Path,
    spec: RunSpec,
    facts: BaseFacts,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    processes: int = 0,
) -> Iterator[Report]:
    """Reports from the first, which knows the names and what is in the store, to the last, whose collection is complete.

    Stopped, the last one is not complete; what was measured is kept. Raises Refused where cache/ cannot be written.
    """
    found = find_pictures(project, spec.data)
    try:
        with closing(Store(project / "cache" / "audit.sqlite")) as store:
            state = _State(spec, facts, store, found.problems)
            state.begin(
                [
                    Audited(
                        name=one.name,
                        path=one.path,
                        role=one.dataset.role,
                        set=one.dataset.path,
                        repeats=one.dataset.repeats,
                    )
                    for one in found.pictures
                ]
            )
            yield from _audited(state, processes, should_stop)
    except (OSError, sqlite3.Error) as error:
        raise refuse(
            f"The audit cannot keep what it measures: {error}.",
            where=project / "cache" / "audit.sqlite",
            hint="Make the folder writable, and room on the disk; the file may be deleted.",
        ) from error


def _audited(state: "_State", processes: int, should_stop: Callable[[], bool]) -> Iterator[Report]:
    lacking = bool(state.lacking())
    yield state.report("looking for what is known" if lacking else "")
    if lacking:
        with Crew(processes) as crew:
            for stage in STAGES:
                yield from _measured(state, stage, crew, should_stop)
                if should_stop():
                    break
        yield state.report("")
        if not should_stop():
            state.forget()
    state.remember()


class _State:
    """What is known so far. Used by one thread."""

    def __init__(self, spec: RunSpec, facts: BaseFacts, store: Store, problems: Sequence[Problem]) -> None:
        self.store = store
        self._spec = spec
        self._facts = facts
        self._problems = problems
        self._absent = frozenset(module for module in EXTRAS if importlib.util.find_spec(module) is None)
        self.measures = {
            name: measure for name, measure in MEASURES.items() if self._absent.isdisjoint(measure.needs)
        }
        self._pictures: dict[Path, Audited] = {}
        self._failed: dict[Path, dict[str, str]] = {}
        self._tries: dict[Path, int] = {}
        self.finished: set[Stage] = set()
        """Stages that nothing is left of."""
        self._changed: set[str] = set()
        self._found: list[Finding] = []
        self.judging = 0.0
        """Seconds that the last report took."""

    def begin(self, pictures: Sequence[Audited]) -> None:
        """Take what the store knows of them."""
        contents = self.store.contents(one.path for one in pictures)
        versions = {name: measure.version for name, measure in self.measures.items()}
        apart = [name for name, measure in self.measures.items() if measure.apart]
        wanted = {**versions, **failures.versions(self.measures.values())}
        values = self.store.values(contents.values(), wanted, apart)
        for one in pictures:
            content = contents.get(one.path, "")
            known = failures.known(values.get(content, {}))
            told = (
                {**known.values, "opened": failures.unreadable(known.ended)} if known.ended else known.values
            )
            self._failed[one.path], self._tries[one.path] = known.failed, known.tries
            self._pictures[one.path] = self._placed(replace(one, sha256=content, values=told))
        self.finished = {stage for stage in STAGES if not self.lacking(stage)}

    def lacking(self, stage: Stage | None = None) -> list[Order]:
        """What is still to be measured, at one stage or at all."""
        orders = []
        spared = self._spared()
        for one in self._pictures.values():
            if one.value("opened", "check") is not None:
                continue
            wanted = [
                name
                for name, measure in self.measures.items()
                if (stage is None or measure.stage == stage)
                and name not in one.values
                and name not in self._failed.get(one.path, {})
                and (name, one.path) not in spared
            ]
            if wanted:
                orders.append(Order(path=one.path, background=self._spec.data.background, measures=wanted))
        return orders

    def _spared(self) -> set[tuple[str, Path]]:
        """(measure, picture) that `Measure.most` leaves out."""
        folders: dict[Path, list[Audited]] = defaultdict(list)
        for one in self._pictures.values():
            if one.sha256:
                folders[one.path.parent].append(one)
        spared: set[tuple[str, Path]] = set()
        for measure in self.measures.values():
            for members in folders.values() if measure.most else ():
                ordered = sorted(members, key=lambda one: one.sha256)
                spared.update((measure.name, one.path) for one in ordered[measure.most :])
        return spared

    def take(self, answer: Answer) -> Taken | None:
        """Put an answer where it belongs; gives what is to be kept of it."""
        path, one = answer.order.path, self._pictures[answer.order.path]
        self._changed.add(one.name)
        if answer.error and one.value("opened", "size"):  # It opens: what fails is one of these measures.
            self._failed.setdefault(path, {}).update(dict.fromkeys(answer.order.measures, answer.error))
            return None
        if answer.error:
            self._pictures[path] = replace(
                one, values={**one.values, "opened": failures.unreadable(answer.error)}
            )
            return failures.ended(path, answer.error, one.sha256, self._tries[path])
        self._failed.setdefault(path, {}).update(answer.failed)
        values: Mapping[str, Values] = answer.values
        if one.sha256 not in (
            "",
            answer.sha256,
        ):  # It changed meanwhile: nothing measured before is about it.
            one = replace(one, values={}, placements=())
            self._failed[path] = dict(answer.failed)
        held = {name: {} if MEASURES[name].apart else value for name, value in values.items()}
        self._pictures[path] = self._placed(replace(one, sha256=answer.sha256, values={**one.values, **held}))
        if not answer.sha256 or self._pictures[path].value("opened", "check") == "decoder":
            return None  # Rights, disks and decoders come and go: the next audit tries again.
        kept = {name: (MEASURES[name].version, value) for name, value in values.items()}
        lasting = {name: error for name, error in answer.failed.items() if name not in answer.passing}
        kept.update(failures.of_measures(lasting, MEASURES))
        return Taken(path=path, content=answer.sha256, stat=answer.stat, values=kept)

    def report(self, stage: str, *, done: int = 0, total: int = 0) -> Report:
        """How it stands, judged."""
        began, said = time.monotonic(), self._spec.audit
        collection = Collection(
            pictures=tuple(self._pictures.values()), floors=self._facts.floors, native_size=self._facts.native_size,
            resolution=self._spec.train.resolution, background=self._spec.data.background,
            declared={"distance": said.distance, "light": said.light, "wardrobe": said.wardrobe},
            absent=self._absent, measured=frozenset(self.finished), store=self.store,
        )  # fmt: skip
        changed, self._changed = sorted(self._changed), set()
        self._found = [*judged(collection), *self._unmeasured()]
        findings = [finding.told(said.ignored) for finding in self._found]
        self.judging = time.monotonic() - began
        return Report(
            collection=collection, findings=findings, problems=self._problems, stage=stage, done=done, total=total,
            changed=changed,
        )  # fmt: skip

    def _unmeasured(self) -> Iterator[Finding]:
        """What a picture made a measure fail at: not measured is not passed."""
        failed: dict[str, dict[str, str]] = defaultdict(dict)
        for path, reasons in self._failed.items():
            for name, reason in reasons.items():
                failed[name][self._pictures[path].name] = reason
        for name, pictures in failed.items():
            check = next(each for each in CHECKS if name in {one.name for one in each.measures})
            yield Finding(
                check=check.name, severity="note", pictures=tuple(pictures), confidence="not-run", method=check.method,
                value=f"Could not be looked at for {check.title}: {listed([*pictures])} ({next(iter(pictures.values()))}).",
                number=float(len(pictures)),
                remedy="Save them anew as PNG or JPEG, or look at them yourself.",
            )  # fmt: skip

    def remember(self) -> None:
        """Keep what the last report found, for those who do not measure: whatever the project ignores at another time."""
        self.store.remember(finding.table() for finding in self._found)

    def forget(self) -> None:
        """Let the store forget pictures that are gone, where they are many."""
        names = [*MEASURES, *failures.versions(MEASURES.values())]
        self.store.prune([one.sha256 for one in self._pictures.values()], names)

    def _placed(self, one: Audited) -> Audited:
        size = one.value("opened", "size")
        if not size or one.placements:
            return one
        return replace(one, placements=self._placements(one.name, size))

    def _placements(self, name: str, size: Sequence[int]) -> tuple[Placement, ...]:
        focal = self._spec.data.crop.get(name, (0.5, 0.5))
        step = self._facts.bucket_step or STEP_OF_UNKNOWN_BASE
        try:
            return tuple(
                placement((size[0], size[1]), side, step, focal) for side in self._spec.train.resolution
            )
        except Refused:  # A resolution below the step: the plan says so.
            return ()


def _measured(state: _State, stage: Stage, crew: Crew, should_stop: Callable[[], bool]) -> Iterator[Report]:
    orders = state.lacking(stage)
    words = {
        "header": "reading headers",
        "pixels": "looking at pixels",
        "models": "looking for faces",
        "text": "reading text",
    }
    kept: list[Taken] = []
    began = time.monotonic()
    due = began + (FIRST_SECONDS if stage == STAGES[0] else SAY_SECONDS)
    done = 0
    try:
        for done, answer in enumerate(crew.work(orders, should_stop), 1):
            if (taken := state.take(answer)) is not None:
                kept.append(taken)
            late = (asked := time.monotonic()) > due
            # What is said is kept first: whoever kills this loses a second's work.
            if late or len(kept) >= KEEP_EVERY:
                state.store.keep(kept)
                kept = []
            if late:
                yield state.report(words[stage], done=done, total=len(orders))
                said = time.monotonic()
                due = said + max(SAY_SECONDS, (said - asked) / SAY_SHARE)
            if should_stop():
                break
    finally:  # Whoever reads the reports may leave at any of them.
        state.store.keep(kept)
    if not should_stop():
        state.finished.add(stage)
    # Where judging takes longer than what is judged, as of one changed picture among ten thousand, the end says it as soon.
    if orders and (state.judging < FIRST_SECONDS or time.monotonic() - began > state.judging / SAY_SHARE):
        yield state.report(words[stage], done=done, total=len(orders))


def judged(collection: Collection) -> Iterator[Finding]:
    """What every check has to say. One that fails says that, and never looks like one that found nothing."""
    for check in CHECKS:
        if (missing := check.missing(collection)) is not None:
            yield missing
            continue
        if check.whole and not collection.knows(*check.measures):
            continue
        try:
            yield from check.judge(collection)
        except Exception as error:
            yield Finding(
                check=check.name, severity="note", pictures=(), confidence="not-run", method=check.method,
                value=f"Could not be judged: {check.title} ({type(error).__name__}: {error}).",
                remedy="This is a fault of Safelight: tell its developers.",
            )  # fmt: skip
