"""What is said of an adapter file that does not fit: what it is instead, how much of it is left over, and examples."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.families.family import Family
from projects import recognition
from projects.adapters import TEXT_ENCODERS, kinds_of, made_for
from projects.families import FAMILIES as FACTS
from projects.problems import Refused, refuse

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Inputs and outputs of a layer as the file and as the base has it."""

    name: str
    """As the file calls it."""
    takes: int
    gives: int
    base_takes: int
    base_gives: int


def unmatched(path: Path, family: Family, shapes: Shapes, names: Sequence[str], *, is_lora: bool) -> Refused:
    """Of a file with `names` left over, or without any layer."""
    if kinds := kinds_of(names):
        kind, those = next(iter(kinds.items()))
        return refuse(
            f"This is a {kind} adapter: {len(those)} of {len(shapes)} tensors are of that kind{_examples(those)}.",
            where=path,
            hint="Plain LoRA is read, of linear layers and convolutions.",
        )
    if not is_lora:
        return refuse(
            f"This is {_instead(shapes)}{_examples(shapes)}.",
            where=path,
            hint="LoRA files are read, in kohya, diffusers, peft and ComfyUI layout.",
        )
    if other := _of_another_family(path, family, shapes):
        return other
    encoders = [name for name in names if TEXT_ENCODERS.match(name)]
    if len(encoders) == len(names):
        return refuse(
            f"{len(encoders)} of {len(shapes)} tensors are for a text encoder{_examples(encoders)}. They are not applied"
            " here, and without them it would not act as it was trained.",
            where=path,
            hint="Use an adapter that was trained without its text encoders.",
        )
    return refuse(
        f"{len(names)} of {len(shapes)} tensors have no place in the {family.denoiser} of"
        f" {FACTS[family.name].called}{_examples(names)}.",
        where=path,
        hint="It was made for another architecture, or is no plain LoRA.",
    )


def wrong_sizes(
    path: Path, family: Family, shapes: Shapes, wrong: Sequence[Sizes], *, layers: int
) -> Refused:
    """Of a file whose names fit and whose layers do not."""
    if other := _of_another_family(path, family, shapes):
        return other
    first = wrong[0]
    return refuse(
        f"{len(wrong)} of {layers} layers are of other sizes than the base's: {_shown(first.name)} takes {first.takes} and"
        f" gives {first.gives}, the base's takes {first.base_takes} and gives {first.base_gives}.",
        where=path,
        hint="It was trained on a base of another architecture.",
    )


def refuse_some(names: Sequence[str], what: str, path: Path) -> None:
    """Raise Refused where there are `names`, with their number and examples."""
    if names:
        raise refuse(f"{len(names)} {what}{_examples(names)}.", where=path)


def listed(numbers: Iterable[float]) -> str:
    """The four smallest, for a sentence."""
    return ", ".join(f"{number:g}" for number in sorted(numbers)[:4])


def _instead(shapes: Shapes) -> str:
    base, other = recognition.family_of(shapes), recognition.no_base(shapes)
    if other and not other[0].startswith("an adapter"):
        return other[0]
    return f"{FACTS[base].called}, no adapter" if base in FACTS else "no adapter that is read"


def _of_another_family(path: Path, family: Family, shapes: Shapes) -> Refused | None:
    name, called = made_for(shapes)
    if name in ("", family.name, family.denoiser):
        return None
    own = FACTS[family.name].called.removesuffix(" base").removeprefix("an ").removeprefix("a ")
    return refuse(
        f"This is {called}; the base is {own}.", where=path, hint="Use it with a base of its family."
    )


def _examples(names: Iterable[str]) -> str:
    """Three of different layers."""
    layers: dict[str, str] = {}
    for name in names:
        layers.setdefault(re.sub(r"([._]lora[._]|\.alpha$).*", "", name), name)
    few = [_shown(name) for name in list(layers.values())[:3]]
    return f", e.g. {', '.join(few)}" if few else ""


def _shown(name: str) -> str:
    return name if len(name) <= 100 else name[:99] + "…"
