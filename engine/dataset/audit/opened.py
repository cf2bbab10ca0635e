"""Whether a picture opens as a run opens it: decoded to its last pixel, turned, in sRGB."""

from collections.abc import Iterator

from engine.dataset.audit.header import HEADER
from engine.dataset.audit.look import Look
from engine.dataset.audit.shapes import Check, Collection, Measure, Values
from engine.dataset.findings import Finding
from engine.dataset.pictures import EXTENSIONS


def _take(look: Look) -> Values:
    return {"size": list(look.size)}


OPENED = Measure(name="opened", version="1", stage="pixels", take=_take)
"""size: upright, of the whole picture. Of one that is refused: check, error and hint instead."""

_WORDS = {
    "unreadable": ("unreadable", "opened as a run opens it"),
    "truncated": ("cut short or damaged", "decoded to the last pixel, and the file's own end looked for"),
    "oversized-file": ("too large to open", "more than 178,956,970 pixels"),
    "animated": ("moving or several pages", "frames in the file"),
    "decoder": ("no decoder here", "by the brand in the file's first bytes"),
}


def _refused(name: str) -> Check:
    title, method = _WORDS[name]

    def judge(collection: Collection) -> Iterator[Finding]:
        for one in collection.refused(name):
            yield Finding(
                check=name, severity="blocker", pictures=(one.name,),
                value=f"{one.name} {one.value('opened', 'error')}", confidence="exact", method=method,
                remedy=one.value("opened", "hint"),
            )  # fmt: skip

    return Check(
        name=name, title=title, measures=(OPENED,), judge=judge, method=method,
        known="Exact: it is what stops a run, asked by the same code.",
    )  # fmt: skip


def _extension(collection: Collection) -> Iterator[Finding]:
    for one in collection.pictures:
        kind, promised = one.value("header", "kind"), EXTENSIONS.get(one.path.suffix.lower())
        if kind and promised and kind != promised:
            yield Finding(
                check="extension", severity="warning", pictures=(one.name,),
                value=f"{one.name} is a {kind} file whatever its name says.", confidence="exact",
                method="the file's first bytes against its extension",
                remedy="It trains as it is; other tools may refuse it. Rename it and its caption together.",
            )  # fmt: skip


def _mode(collection: Collection) -> Iterator[Finding]:
    for one in collection.pictures:
        mode = one.value("header", "mode")
        if one.value("opened", "check") == "mode":
            severity, value, remedy = "blocker", one.value("opened", "error"), one.value("opened", "hint")
        elif mode == "CMYK" and not one.value("header", "profile"):
            severity, value = (
                "warning",
                "is CMYK without a colour profile: its colours are only roughly right.",
            )
            remedy = "Export it from its source as sRGB."
        elif one.value("header", "alpha"):
            severity, value = "note", "has transparent parts, which are laid on data.background."
            remedy = "Choose the colour in data.background, or lay it on one yourself."
        elif mode in ("L", "1", "I;16", "LA"):
            severity, value = "warning", "has no colour: grey pictures in a set of colour ones teach grey."
            remedy = "Leave it out, unless the look is black and white."
        else:
            continue
        yield Finding(
            check="mode", severity=severity, pictures=(one.name,),  # type: ignore[arg-type]
            value=f"{one.name} {value}", confidence="exact", method="the file's own colour mode", remedy=remedy,
        )  # fmt: skip


def _profile(collection: Collection) -> Iterator[Finding]:
    with_profile = [one.name for one in collection.pictures if one.value("header", "profile")]
    if with_profile:
        yield Finding(
            check="profile", severity="note", pictures=tuple(with_profile),
            value=f"{len(with_profile)} pictures have a colour profile and are converted to sRGB.",
            number=float(len(with_profile)), confidence="exact", method="an ICC profile in the file",
            remedy="Nothing to do here; trainers that ignore profiles see other colours.",
        )  # fmt: skip


def _orientation(collection: Collection) -> Iterator[Finding]:
    turned = [one.name for one in collection.pictures if (one.value("header", "orientation") or 1) != 1]
    for name in turned:
        yield Finding(
            check="orientation", severity="warning", pictures=(name,),
            value=f"{name} lies on its side in the file and is turned by a note in it, as phones do.",
            confidence="exact", method="EXIF orientation other than 1",
            remedy="Safelight turns it, and so trains it upright: see it with w. Trainers that do not would train it "
            "sideways.",
        )  # fmt: skip


def _check(name: str, title: str, judge: object, method: str) -> Check:
    return Check(
        name=name, title=title, measures=(HEADER,), judge=judge,  # type: ignore[arg-type]
        method=method, known="Exact: the file says it.",
    )  # fmt: skip


REFUSED = tuple(map(_refused, _WORDS))
EXTENSION = _check("extension", "misnamed", _extension, "the file's first bytes against its extension")
MODE = _check("mode", "colour mode", _mode, "the file's own colour mode")
PROFILE = _check("profile", "colour profile", _profile, "an ICC profile in the file")
ORIENTATION = _check("orientation", "turned by a note", _orientation, "EXIF orientation")
