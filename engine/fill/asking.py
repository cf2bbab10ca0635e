"""Pictures to a model and its answers back: what fails is a warning, and what does not fit into memory is made smaller."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from engine.dataset.captioning.drafting import Wanted
from engine.dataset.pictures import open_picture
from engine.dataset.slots import draw
from engine.desk import Desk
from engine.fill.method import Opened, OutOfMemory
from projects.problems import Refused, refuse
from projects.spec import FillJob

FAILURES = 3
"""So many pictures in a row that the model fails on, and none before on which it did not: then it is the model."""


class Asker:
    """A model, the pictures, and what has gone wrong so far."""

    def __init__(self, desk: Desk, job: FillJob, opened: Opened, pictures: Mapping[str, Path]) -> None:
        self.failed: list[str] = []
        """Names of the pictures without a draft."""
        self._desk, self._job, self._opened, self._pictures = desk, job, opened, pictures
        self._at_once = min(job.batch, opened.most)
        self._answered = False

    def answers(self, group: Sequence[Wanted]) -> dict[str, str]:
        """Caption file -> draft, of those for which there is one.

        Raises Refused when not even one picture fits into memory, and when the model fails on all.
        """
        seen = [(one, picture) for one in group if (picture := self._open(one)) is not None]
        found: dict[str, str] = {}
        while seen:
            some = seen[: self._at_once]
            try:
                told = self._ask(some)
            except OutOfMemory:
                self._smaller(len(some))
                continue
            seen = seen[len(some) :]
            found |= told
        return found

    def _open(self, wanted: Wanted) -> Image.Image | None:
        path = self._pictures.get(wanted.picture)
        if path is None:
            self._fail(wanted, "it is no longer among the pictures of the project.")
            return None
        try:
            return open_picture(path, self._job.spec.data.background)
        except Refused as refused:
            self._fail(wanted, refused.problems[0].error)
            return None

    def _ask(self, some: Sequence[tuple[Wanted, Image.Image]]) -> dict[str, str]:
        """The answers for some pictures at once, or one by one where that fails. Raises OutOfMemory."""
        first = some[0][0]
        try:
            told = self._opened.ask(
                [picture for _, picture in some], draw(self._job.seed, "draft", first.picture)
            )
        except (OutOfMemory, Refused):
            raise
        except (
            Exception
        ) as error:  # a model and its preparation raise what they like at a picture they cannot take
            if len(some) > 1:
                return {file: text for one in some for file, text in self._ask([one]).items()}
            self._fail(first, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
            if not self._answered and len(self.failed) >= FAILURES:
                hint = "out.log and the warnings say more. Try another model, or --method."
                error_words = f"The model fails on every picture: {type(error).__name__}."
                raise refuse(error_words, where=self._job.model, hint=hint) from error
            return {}
        self._answered = True
        for (wanted, _), text in zip(some, told, strict=True):
            if not text:
                self._fail(wanted, "the model says nothing about it.")
        return {wanted.file: text for (wanted, _), text in zip(some, told, strict=True) if text}

    def _smaller(self, tried: int) -> None:
        if tried == 1:
            hint = "Say --precision bf16, name a smaller model, or draft on the processor: --device cpu."
            raise refuse("Not even one picture fits into the device's memory.", where="--batch", hint=hint)
        self._at_once = tried // 2
        self._desk.warn(f"{tried} pictures at once do not fit into memory: {self._at_once} from here on.")

    def _fail(self, wanted: Wanted, reason: str) -> None:
        self.failed.append(wanted.picture)
        self._desk.warn(f"No draft for {wanted.picture}: {reason}", files=[wanted.picture])
