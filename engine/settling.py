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
ARRIVED: Final = 0.15
"""Likeness below which nothing has been learned that could have settled."""
PREVIEWS: Final = 2
"""Previews that have to lie in the window: one may be an accident."""


def settled(state: State) -> str:
    """Why the run may end now, in a sentence; "" where it may not, or where nobody can tell yet."""
    held_out = sorted((step, loss) for step, (_, loss) in state.evaluated.items() if loss is not None)
    if len(held_out) <= PATIENCE + 1:
        return ""
    (_, first), earlier, late = held_out[0], held_out[1:-PATIENCE], held_out[-PATIENCE:]
    since, best = min(earlier, key=lambda each: each[1])
    if best >= first * (1 - GAINED) or min(loss for _, loss in late) < best * (1 - GAINED):
        return ""
    window = earlier[-1][0]
    before = [like for step, like in state.likeness.items() if step <= window]
    after = [like for step, like in state.likeness.items() if step > window]
    if not before or len(after) < PREVIEWS or max(before) < ARRIVED or max(after) > max(before) + LIKER:
        return ""
    loss = f"held-out pictures were best at step {since:,} (loss {best:.4f}, now {late[-1][1]:.4f})"
    like = f"the previews came no nearer to the subject ({max(before):.2f}, then {max(after):.2f})"
    return f"Settled: {loss}, nothing was gained in {PATIENCE} evaluations, and {like}."
