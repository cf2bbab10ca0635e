"""Tokens counted in a process of its own: vocabularies take 20 MB each, which the interface has not to give away.

`Counting` is the client; `python -P -m engine.dataset.captioning.counting PROJECT BASE` is what it starts. Each line
either way is one JSON object. The process ends with the one that started it.
"""

import json
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from engine.dataset.captioning.trigger_word import TriggerWord, judged, suggestions
from engine.dataset.tokens import Count, Counts, Encoder, Piece, Place, encoders_of
from projects.machine import stand_back
from projects.problems import Refused
from projects.spec import Base

_AT_ONCE: Final = 200
"""Texts of one request: 30 ms for two encoders, so that whoever types in between does not wait longer."""
_LOOK_SECONDS: Final = 0.1
_KEPT: Final = 50_000
"""Texts whose counts are kept; the oldest go first."""


class Counting:
    """The encoders of one base, asked from any thread; whoever asks waits. Where the process cannot be had, nothing is
    counted, as where the vocabulary is not there."""

    def __init__(self, project: Path, base: Base, *, should_stop: Callable[[], bool] = lambda: False) -> None:
        """should_stop: asked while somebody waits; true ends the process, and nothing is told any more."""
        self._should_stop = should_stop
        self._command = (
            sys.executable, "-P", "-m", "engine.dataset.captioning.counting", str(project.resolve()),
            json.dumps(asdict(base)),
        )  # fmt: skip
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[str, Counts] = {}
        self._places: tuple[Place, ...] | None = None
        self._closed = False

    @property
    def places(self) -> tuple[Place, ...]:
        """The encoders and their limits; () where the base's family is not known. The first time takes 0.3 s."""
        if self._places is None:
            told = self._ask({"what": "places"})
            self._places = tuple(
                Place(**{**each, "folder": Path(each["folder"]) if each["folder"] else None})
                for each in told or ()
            )
        return self._places

    def known(self, text: str) -> Counts | None:
        """How the encoders read a text that was counted already, at once; else None."""
        return self._known.get(text)

    def counts(self, texts: Sequence[str]) -> list[Counts]:
        """How the encoders read each of them, in their order; None an encoder that is not there."""
        nothing: Counts = (None,) * len(self.places)
        wanted = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            told = self._ask({"what": "counts", "texts": part})
            for text, counts in zip(part, told or (), strict=False):
                self._known[text] = tuple(None if each is None else Count(*each) for each in counts)
        found = [self._known.get(text, nothing) for text in texts]
        while len(self._known) > _KEPT:
            with suppress(KeyError, RuntimeError, StopIteration):
                self._known.pop(next(iter(self._known)))
        return found

    def pieces(self, text: str) -> list[list[Piece] | None]:
        """What each encoder is given of a text; None an encoder that is not there."""
        told = self._ask({"what": "pieces", "text": text})
        return [
            None if each is None else [Piece(*one) for one in each]
            for each in told or [None] * len(self.places)
        ]

    def trigger(self, word: str) -> tuple[list[TriggerWord], list[str]]:
        """What each encoder that is there makes of a trigger, and invented ones instead."""
        told = self._ask({"what": "trigger", "word": word})
        if not told:
            return [], []
        words = [
            TriggerWord(
                **{
                    **each,
                    "pieces": tuple(Piece(*one) for one in each["pieces"]),
                    "parts": tuple(each["parts"]),
                }
            )
            for each in told["words"]
        ]
        return words, told["suggestions"]

    def close(self) -> None:
        """End the process. Whoever still asks is told nothing."""
        self._closed = True
        process = self._process
        if process is None:
            return
        assert process.stdin
        with suppress(OSError, ValueError):
            process.stdin.close()
        # It keeps nothing, and may still be starting: whoever leaves the room does not wait for that.
        process.kill()
        process.wait()

    def _ask(self, asked: dict[str, Any]) -> Any:
        """The answer; None where the process is not to be had. One that died is started anew at the next question."""
        with self._asking:
            if self._closed:
                return None
            try:
                if self._process is None or self._process.poll() is not None:
                    self._process = subprocess.Popen(
                        self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )  # fmt: skip
                    stand_back(self._process.pid)
                assert self._process.stdin and self._process.stdout
                self._process.stdin.write(json.dumps(asked).encode("ascii") + b"\n")
                self._process.stdin.flush()
                answered = False
                while not answered:
                    if self._should_stop():
                        self._process.kill()
                        return None
                    answered = bool(select.select([self._process.stdout], [], [], _LOOK_SECONDS)[0])
                return json.loads(self._process.stdout.readline())
            except (OSError, ValueError):
                return None


def main(arguments: Sequence[str]) -> int:
    """Answer until the input is closed."""
    base = json.loads(arguments[1])
    try:
        encoders: Sequence[Encoder | Place] = encoders_of(Base(**base), Path(arguments[0]))
    except (Refused, OSError):
        # What is wrong with the base is said where it is chosen; here it means that nothing is counted.
        encoders = ()
    for line in sys.stdin.buffer:
        answer = _answer(json.loads(line), encoders)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


def _answer(asked: dict[str, Any], encoders: Sequence[Encoder | Place]) -> Any:
    loaded = [each for each in encoders if isinstance(each, Encoder)]
    match asked["what"]:
        case "places":
            places = (each.place if isinstance(each, Encoder) else each for each in encoders)
            return [
                {**asdict(place), "folder": str(place.folder) if place.folder else None} for place in places
            ]
        case "counts":
            return [
                [_count(each.count(text)) if isinstance(each, Encoder) else None for each in encoders]
                for text in asked["texts"]
            ]
        case "pieces":
            return [
                [_piece(one) for one in each.pieces(asked["text"])] if isinstance(each, Encoder) else None
                for each in encoders
            ]
        case _:
            told = [judged(asked["word"], each) for each in loaded]
            words = [{**asdict(each), "pieces": [_piece(one) for one in each.pieces]} for each in told]
            return {"words": words, "suggestions": suggestions(asked["word"], loaded) if loaded else []}


def _count(count: Count) -> tuple[int, int | None]:
    return count.tokens, count.cut


def _piece(piece: Piece) -> tuple[str, int, int, int, bool]:
    return piece.token, piece.number, piece.start, piece.end, piece.read


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
