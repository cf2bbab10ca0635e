"""A picture of an audit by the names that filters know. Nothing is put together before a filter asks for it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tui.audited import Row, Seen

Ask = Callable[[Seen, Row], Any]


class FilteredRow(Mapping[str, object]):
    """What is not known is not there."""

    def __init__(self, seen: Seen, name: str) -> None:
        """name: of a row of `seen`."""
        self._seen, self._row = seen, seen.rows[name]

    def __getitem__(self, field: str) -> object:
        value = _FIELDS[field](self._seen, self._row)
        if value is None:
            raise KeyError(field)
        return value

    def __iter__(self) -> Iterator[str]:
        return (field for field in _FIELDS if field in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _of(tell: Callable[[Any], object]) -> Ask:
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


_FIELDS: Final[Mapping[str, Ask]] = {
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
