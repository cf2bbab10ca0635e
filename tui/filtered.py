"""A picture by the names that filters know. Nothing is put together before a filter asks for it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tui.audited import Row, Seen

Fields = Mapping[str, Callable[[Any, Any], Any]]
"""Field -> what it is, given a state and the picture's row in it."""


class Filtered(Mapping[str, object]):
    """One picture, field by field: a filter asks one or two of ten thousand pictures. What is not known is not there."""

    def __init__(self, fields: Fields, state: object, row: object) -> None:
        self._fields, self._state, self._row = fields, state, row

    def __getitem__(self, field: str) -> object:
        value = self._fields[field](self._state, self._row)
        if value is None:
            raise KeyError(field)
        return value

    def get(self, field: str, default: Any = None) -> Any:
        """As every mapping's, without the detour that costs as much as the answer."""
        value = self._fields[field](self._state, self._row) if field in self._fields else None
        return default if value is None else value

    def __iter__(self) -> Iterator[str]:
        return (field for field in self._fields if field in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _of(tell: Callable[[Any], object]) -> Callable[[Seen, Row], Any]:
    return lambda seen, row: [tell(each) for each in seen.of.get(row.name, ())]


def _is(seen: Seen, row: Row) -> list[str]:
    said, name = seen.declared, row.name
    held = {
        "left-out": name in said.excluded,
        "ignored": any(each.ignored for each in seen.of.get(name, ())),
        "moved": name in said.crop,
        "declared": any(name in each for each in (said.distance, said.light, said.wardrobe)),
    }
    return [word for word, holds in held.items() if holds]


AUDITED: Final[Fields] = {
    "name": lambda seen, row: row.name,
    "text": _of(lambda finding: finding.value),
    "role": lambda seen, row: row.role or None,
    "set": lambda seen, row: row.set or None,
    "kind": lambda seen, row: row.kind.lower() or None,
    "finding": _of(lambda finding: finding.check),
    "severity": _of(lambda finding: finding.severity),
    "is": _is,
    "distance": lambda seen, row: seen.distance(row.name)[0] or None,
    "light": lambda seen, row: seen.light(row.name)[0] or None,
    "wardrobe": lambda seen, row: seen.declared.wardrobe.get(row.name),
    "width": lambda seen, row: row.size and row.size[0],
    "height": lambda seen, row: row.size and row.size[1],
    "sharp": lambda seen, row: row.sharp,
    "faces": lambda seen, row: row.faces,
}
"""Of a picture in an audit."""
