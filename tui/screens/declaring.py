"""What a person says of the pictures of room 2: asked for in a line, written into project.toml, a step of its undo each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.dataset.findings import Finding
from tui.actions import ACTIONS
from tui.audited import CheckRow, Seen
from tui.declared import DISTANCES, Kind, keys_of
from tui.saving import Saving

if TYPE_CHECKING:
    from tui.app import Workbench

_NOTHING = "say nothing"


class Declaring:
    """Asks and writes. Nothing is written before enter."""

    def __init__(self, bench: "Workbench", saving: Saving) -> None:
        self._bench, self._saving = bench, saving

    def leave_out(self, seen: Seen, names: Sequence[str]) -> None:
        """Leave pictures out of training, or, where all of them are, take them back."""
        from tui.screens.modal import Ask  # nothing that a key asks for is imported before it

        out = [name for name in names if name in seen.declared.excluded]
        if len(out) == len(names):
            self._write("data.excluded", dict.fromkeys(names), f"{_counted(names)} trained again")
            return
        left = [name for name in names if name not in seen.declared.excluded]
        found = [finding for name in left for finding in seen.of.get(name, ())]
        guess = seen.checks[found[0].check].title if found else ""

        def answered(reason: str | None) -> None:
            if reason is not None:
                values = dict.fromkeys(left, reason or "no reason given")
                undo = self._bench.keymap.shown(ACTIONS["pictures.undo"])
                self._write("data.excluded", values, f"{_counted(left)} left out", f": {undo} takes it back")

        what = left[0] if len(left) == 1 else f"these {len(left):,}"
        self._bench.push_screen(
            Ask(f"Why is {what} left out?" if len(left) == 1 else f"Why are {what} left out?", guess),
            answered,
        )

    def ignore_check(self, check: CheckRow) -> None:
        """Ignore all that a check finds, or stop doing so."""
        if all(each.ignored for each in check.findings):
            self._write("audit.ignored", {key: None for each in check.findings for key in (check.name, each.key)},
                        f"{check.title}: not ignored any more")  # fmt: skip
            return
        self._reason(check.name, check.title)

    def ignore(self, findings: Sequence[Finding], titles: Mapping[str, str]) -> None:
        """Ignore one finding of a picture; which one is asked where there are several."""
        from tui.screens.modal import Choice, Pick

        if len(findings) == 1:
            self._ignore_one(findings[0], titles)
            return
        choices = [
            Choice(str(at), each.value, "ignored" if each.ignored else "") for at, each in enumerate(findings)
        ]

        def picked(at: str | None) -> None:
            if at is not None:
                self._ignore_one(findings[int(at)], titles)

        self._bench.push_screen(Pick("which finding", choices, typing=False), picked)

    def crop(self, name: str, point: tuple[float, float]) -> None:
        """Keep a point of a picture in its crop."""
        self._write("data.crop", {name: list(point)}, f"The crop of {name} keeps {point[0]:g}, {point[1]:g}")

    def distance(self, names: Sequence[str]) -> None:
        """Say how near the camera is."""
        from tui.screens.modal import Choice, Pick

        choices = [Choice(word, word) for word in (*DISTANCES, _NOTHING)]

        def picked(word: str | None) -> None:
            if word is not None:
                self._said("distance", names, "" if word == _NOTHING else word)

        self._bench.push_screen(Pick(f"distance of {_of(names)}", choices, typing=False), picked)

    def words(self, kind: Kind, names: Sequence[str], seen: Seen) -> None:
        """Say what light or wardrobe it is, in the person's own words."""
        from tui.screens.modal import Ask

        now = getattr(seen.declared, kind).get(names[0], "") if names else ""

        def answered(words: str | None) -> None:
            if words is not None:
                self._said(kind, names, words)

        self._bench.push_screen(Ask(f"{kind} of {_of(names)}, empty for none", now), answered)

    def _said(self, kind: Kind, names: Sequence[str], words: str) -> None:
        told = f"{kind} of {_of(names)}: {words or 'nothing'}"
        self._write(f"audit.{kind}", dict.fromkeys(names, words or None), told)

    def _ignore_one(self, finding: Finding, titles: Mapping[str, str]) -> None:
        title = titles.get(finding.check, finding.check)
        if finding.ignored:
            self._write(
                "audit.ignored", {finding.key: None, finding.check: None}, f"{title}: not ignored any more"
            )
            return
        self._reason(finding.key, f"{title} of {finding.pictures[0]}" if finding.pictures else title)

    def _reason(self, key: str, what: str) -> None:
        from tui.screens.modal import Ask

        def answered(reason: str | None) -> None:
            if reason is not None:
                values = {key: reason or "no reason given"}
                self._write("audit.ignored", values, f"{what}: a note from now on")

        self._bench.push_screen(Ask(f"Why is it ignored: {what}?"), answered)

    def _write(self, section: str, values: Mapping[str, Any], told: str, hint: str = "") -> None:
        if self._bench.project is not None:
            self._saving.put(self._bench.project, keys_of(section, values), told, hint)


def _counted(names: Sequence[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{len(names):,} pictures are"


def _of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,} pictures"
