"""All pairs of many pictures whose 256 bits are nearly the same, in any of eight positions, in flat memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from engine.dataset.audit.look import Array

BITS = 16
"""Waves a side."""
VERSION = "2"
KINDS = ("near", "burst")
"""What pairs are looked for as."""
SURE = 45
"""Bits that differ at most in what needs no second look."""
CORRELATED = 0.9
"""Correlation of the shades of what is farther apart and still the same."""
TURNED = 0.97
"""The same for pictures that are flipped or turned by quarters: a thing drawn from its other side before another wall comes
to .96. 51 photographs, mirrored, three fifths of their size and of quality 50, come to .977 at least."""
_BLOCK = 512
_EVERY = BITS * BITS

Pair = tuple[int, int, int]
"""Two indices and the bits that differ."""


class _Forest:
    """The first pairs that join what was not joined: enough for groups, and never more than there are pictures."""

    def __init__(self, count: int, pairs: Iterable[Pair]) -> None:
        """pairs: those that are known to join."""
        self._tree = np.arange(count)
        self.pairs: list[Pair] = []
        for pair in pairs:
            self._joined(*pair)

    def join(
        self,
        rows: Array,
        columns: Array,
        agreement: Array,
        mask: Array,
        alike: Callable[[int, int, int], bool],
    ) -> None:
        """rows, columns: (R,), (C,) indices of a block whose agreement and mask are (R, C).

        alike: of two indices and the bits that differ, whether they are to be joined.
        """
        # On the diagonal every picture meets itself, which is of its own tree.
        mask = mask & (self._tree[rows][:, None] != self._tree[columns][None, :])
        at = np.nonzero(mask)
        for i, j, agreeing in zip(rows[at[0]], columns[at[1]], agreement[at], strict=True):
            one, other = self._tree[i], self._tree[j]
            differing = int(_EVERY - agreeing) // 2
            if one != other and alike(int(i), int(j), differing):
                self._joined(int(i), int(j), differing)

    def _joined(self, first: int, second: int, differing: int) -> None:
        self._tree[self._tree == self._tree[second]] = self._tree[first]
        self.pairs.append((first, second, differing))


class Alike:
    """Whether pictures whose hashes are near are the same: what stands at the same place before another wall is not."""

    def __init__(self, shades: Sequence[str]) -> None:
        levels = np.frombuffer(bytes.fromhex("".join(shades)), np.uint8).reshape(len(shades), BITS, BITS)
        centred = levels.astype(np.float32) - levels.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
        self._shades = centred / (np.linalg.norm(centred, axis=(1, 2), keepdims=True) + 1e-6)

    def straight(self, first: int, second: int, differing: int) -> bool:
        """As they stand."""
        return differing <= SURE or float((self._shades[first] * self._shades[second]).sum()) >= CORRELATED

    def anyhow(self, first: int, second: int, differing: int) -> bool:
        """In any of eight positions."""
        if differing <= SURE:
            return True
        if self.straight(first, second, differing):
            return True
        one, other = self._shades[first], self._shades[second]
        turned = (
            form for each in (other, other.T) for form in (each, each[::-1], each[:, ::-1], each[::-1, ::-1])
        )
        return any(float((one * form).sum()) >= TURNED for form in turned)


def near_pairs(
    bits: Sequence[str],
    times: Array,
    alike: Alike,
    *,
    near: int,
    burst: int,
    together: int,
    seconds: float,
    fresh: int | None = None,
    known: Mapping[str, Sequence[Pair]] = MappingProxyType({}),
) -> dict[str, list[Pair]]:
    """near: pairs of at most `near` differing bits, flipped and turned by quarters as it may be, that are alike.

    burst: pairs that stand alike and differ in at most `burst` bits, or in at most `together` where their times (seconds,
    nan: unknown) are at most `seconds` apart: then their shades are not asked. Of each the pairs that join groups, not all.

    fresh: so many at the beginning are compared, with each other and all that follow; None: every one. known: what joins
    those that follow among each other, as it was found before.
    """
    found = {kind: _Forest(len(bits), known.get(kind, ())) for kind in KINDS}
    for rows, columns, straight, best in _agreements(bits, len(bits) if fresh is None else fresh):
        most = best.max()
        if most >= _EVERY - 2 * near:
            found["near"].join(rows, columns, best, best >= _EVERY - 2 * near, alike.anyhow)
        if most >= _EVERY - 2 * together and straight.max() >= _EVERY - 2 * together:
            mask = straight >= _EVERY - 2 * together
            close = np.abs(times[rows][:, None] - times[columns][None, :]) <= seconds
            found["burst"].join(rows, columns, straight, mask & close, lambda *_: True)
            found["burst"].join(rows, columns, straight, straight >= _EVERY - 2 * burst, alike.straight)
    return {kind: forest.pairs for kind, forest in found.items()}


def _agreements(bits: Sequence[str], fresh: int) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Blocks of all pairs with one of the first `fresh`: row indices, column indices, agreeing less differing bits as they
    are, and at best.

    The blocks are made in the same memory every time: 1 MB that is asked for anew costs more than what is put there.
    """
    if not fresh:
        return
    packed = np.frombuffer(bytes.fromhex("".join(bits)), np.uint8).reshape(len(bits), -1)
    signs = np.unpackbits(packed, axis=1).reshape(-1, BITS, BITS).astype(np.float32) * 2 - 1
    straight, turned = _by_parity(signs), _by_parity(signs.transpose(0, 2, 1))
    memory = np.empty((7, _BLOCK * _BLOCK), np.float32)
    for top in range(0, fresh, _BLOCK):
        rows = np.arange(top, min(top + _BLOCK, fresh))
        for left in range(top, len(bits), _BLOCK):
            columns = np.arange(left, min(left + _BLOCK, len(bits)))
            a, b, c, d, as_is, best, other = memory[:, : len(rows) * len(columns)].reshape(7, len(rows), -1)
            for others in (straight, turned):
                for each, theirs, out in zip(straight, others, (a, b, c, d), strict=True):
                    np.matmul(each[rows[0] : rows[-1] + 1], theirs[columns[0] : columns[-1] + 1].T, out=out)
                if others is straight:
                    np.add(np.add(a, b, out=as_is), np.add(c, d, out=best), out=as_is)
                    _flipped(a, b, c, d, best)
                else:
                    _flipped(a, b, c, d, other)
            yield rows, columns, as_is, np.maximum(best, other, out=best)


def _by_parity(signs: Array) -> list[Array]:
    """Waves by whether a flip left to right, top to bottom, both or none of them changes their sign."""
    return [
        np.ascontiguousarray(signs[:, row::2, column::2].reshape(len(signs), -1))
        for row in (0, 1)
        for column in (0, 1)
    ]


def _flipped(a: Array, b: Array, c: Array, d: Array, out: Array) -> None:
    """The best of a+b+c+d, a-b+c-d, a+b-c-d and a-b-c+d, a sum for each flip, into `out`. Spoils the others."""
    np.add(a, c, out=out)
    np.subtract(a, c, out=a)
    np.abs(np.add(b, d, out=c), out=c)
    np.abs(np.subtract(b, d, out=d), out=d)
    np.maximum(np.add(out, c, out=out), np.add(a, d, out=a), out=out)
