"""One cursor over the time of a run: the steps at which something was drawn, saved, measured or warned about."""

from collections.abc import Mapping, Sequence

from projects.events import State
from tui.follow import RunView
from tui.spans import Span, Spans, length


class Moments:
    """The cursor rests on a step, or goes with the run (`at` is None)."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.steps: Sequence[int] = ()
        self.sampled: Mapping[int, tuple[str, ...]] = {}

    def take(self, state: State) -> None:
        """The moments there are now. A cursor on a step that a resume dropped goes with the run again."""
        self.sampled = state.sampled
        warned = {remark.step for remark in state.warnings}
        self.steps = sorted({*state.sampled, *state.saved, *state.evaluated, *warned})
        if self.at is not None and self.at not in self.steps:
            self.at = None

    def earlier(self) -> None:
        """The moment before; from the end the last one but the newest."""
        before = [step for step in self.steps if self.at is None or step < self.at]
        if self.at is None and len(before) > 1:
            before = before[:-1]
        if before:
            self.at = before[-1]

    def later(self) -> None:
        """The next moment; from the last one on with the run."""
        after = [step for step in self.steps if self.at is not None and step > self.at]
        self.at = after[0] if after and after[0] != self.steps[-1] else None

    def previews(self) -> tuple[int, tuple[str, ...]]:
        """Step and files of the pictures at the cursor: the newest up to it."""
        steps = [step for step in self.sampled if self.at is None or step <= self.at]
        return (max(steps), self.sampled[max(steps)]) if steps else (0, ())

    def words(self, view: RunView, width: int) -> Spans:
        """What stands at the cursor, in `width` cells: what does not fit is left out as a whole, the least needed first."""
        step, files = self.previews()
        count = view.series.index(self.at) if self.at is not None else len(view.series)
        loss, rate = view.series.mean(count), view.series.rate(count)
        parts: list[tuple[int, Span]] = []
        if self.at is None:
            parts.append((3, (f"PREVIEWS at step {step:,}   " if files else "", "muted")))
        else:
            parts.append((0, (f"◂ step {self.at:,} ▸   ", "accent")))
            if files and step != self.at:
                parts.append((3, (f"previews of step {step:,}   ", "muted")))
        if loss is not None:
            parts += [(0, (f"loss {loss:.4f}", "text")), (2, (" mean of 50", "muted")), (0, ("   ", "text"))]
        if rate is not None:
            parts.append((1, (f"learning rate {rate:.3g}   ", "muted")))
        measured = [step for step in view.state.evaluated if self.at is None or step <= self.at]
        subject, holdout = view.state.evaluated[max(measured)] if measured else (None, None)
        for name, value in (("trained", subject), ("held out", holdout)):
            if value is not None:
                parts.append((0, (f"{name} {value:.4f}   ", "muted")))
        for dropped in range(4):
            spans = [span for rank, span in parts if not rank or rank > dropped]
            if length(spans) - 3 <= width:
                break
        # The blanks behind the last part would be cut, and the cut shown.
        return [*spans[:-1], (spans[-1][0].rstrip(), spans[-1][1])] if spans else spans
