"""When a run that may end early has settled: `train.stop_when = "settled"`. Never by the loss alone.

Two things must both have come to an end. The evaluation loss of held-out pictures, on its fixed grid, has had no new best
for PATIENCE evaluations: what is learned from then on is the training pictures. And the likeness of the previews to the
subject has not grown meanwhile: a loss may stand still while a face is still coming.
"""

from typing import Final

from projects.events import State

PATIENCE: Final = 3
"""Evaluations in a row."""
GAINED: Final = 0.005
"""Share of the best loss before, by which a later one has to be lower to be a gain."""
LIKER: Final = 0.03
"""Likeness (0 the base, 1 the training pictures) by which a later preview has to be above all before to be a gain."""


def settled(state: State) -> str:
    """Why the run may end now, in a sentence; "" where it may not, or where nobody can tell yet."""
    held_out = sorted(
        (step, loss) for step, (_, loss) in state.evaluated.items() if loss is not None and step > 0
    )
    if len(held_out) <= PATIENCE:
        return ""
    earlier, late = held_out[:-PATIENCE], held_out[-PATIENCE:]
    best = min(loss for _, loss in earlier)
    if min(loss for _, loss in late) < best * (1 - GAINED):
        return ""
    since = earlier[-1][0]
    before = [like for step, like in state.likeness.items() if step <= since]
    after = [like for step, like in state.likeness.items() if step > since]
    if not before or not after or max(after) > max(before) + LIKER:
        return ""
    return (
        f"Settled: in {PATIENCE} evaluations since step {since:,} held-out pictures gained nothing (loss {best:.4f} then, "
        f"{late[-1][1]:.4f} now), and the previews came no nearer to the subject ({max(before):.2f}, {max(after):.2f})."
    )
