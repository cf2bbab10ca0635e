"""What the dataclasses of `spec.py` say about each field: type, bounds, default, and the text under it."""

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union

from projects import spec
from projects.spec import Bounds, OneOrMany


@dataclass(frozen=True)
class Shape:
    """A type hint taken apart."""

    kind: Literal["bool", "int", "float", "str", "choice", "list", "dict", "table", "either"]
    bounds: Bounds | None = None
    choices: tuple[str, ...] = ()
    """For "choice"."""
    parts: tuple["Shape", ...] = ()
    """For "list" of a fixed length one a place, for "list" of any length and "dict" the one of every value, for
    "either" the alternatives."""
    fixed: bool = False
    """True for a list of exactly len(parts) values."""
    single: bool = False
    """True for a list that may be written as its only value."""
    cls: Any = None
    """For "table" the dataclass."""


@dataclass(frozen=True)
class Field:
    """One field of a dataclass."""

    name: str
    shape: Shape
    default: Any
    """`dataclasses.MISSING` where the field must be given; None where it may be left out without a value."""
    text: str
    """The docstring under the field, on one line."""


@cache
def fields_of(cls: Any) -> Mapping[str, Field]:
    """The fields of a dataclass of `spec.py`, in order."""
    hints = typing.get_type_hints(cls, include_extras=True)
    texts = _texts()[cls.__name__]
    found = {}
    for field in dataclasses.fields(cls):
        factory: Any = field.default_factory
        default = field.default if factory is dataclasses.MISSING else factory()
        found[field.name] = Field(field.name, shape_of(hints[field.name]), default, texts.get(field.name, ""))
    return types.MappingProxyType(found)


def shape_of(hint: Any, bounds: Bounds | None = None) -> Shape:
    """Take a type hint apart; bounds around a list belong to each of its values."""
    single = False
    if typing.get_origin(hint) is Annotated:
        hint, *marks = typing.get_args(hint)
        bounds = next((mark for mark in marks if isinstance(mark, Bounds)), bounds)
        single = any(isinstance(mark, OneOrMany) for mark in marks)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        parts = tuple(shape_of(part, bounds) for part in arguments if part is not type(None))
        return parts[0] if len(parts) == 1 else Shape("either", parts=parts)
    if origin is Literal:
        return Shape("choice", choices=arguments)
    if origin is tuple:
        many = len(arguments) == 2 and arguments[1] is Ellipsis
        parts = tuple(shape_of(part, bounds) for part in (arguments[:1] if many else arguments))
        return Shape("list", bounds=bounds, parts=parts, fixed=not many, single=single)
    if origin is dict:
        return Shape("dict", parts=(shape_of(arguments[1], bounds),))
    if dataclasses.is_dataclass(hint):
        return Shape("table", cls=hint)
    kinds: dict[Any, Any] = {bool: "bool", int: "int", float: "float", str: "str"}
    return Shape(kinds[hint], bounds=bounds)


WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "table": "a table",
}


def type_words(shape: Shape) -> str:
    """The type as a person says it."""
    if shape.kind == "choice":
        return "one of " + ", ".join(f'"{choice}"' for choice in shape.choices)
    if shape.kind == "either":
        return ", or ".join(type_words(part) for part in shape.parts)
    if shape.kind == "list":
        many = {"int": "whole numbers", "float": "numbers", "str": "texts", "table": "tables"}
        each = many.get(shape.parts[0].kind, f"values, each {type_words(shape.parts[0])}")
        words = f"a list of {len(shape.parts)} {each}" if shape.fixed else f"a list of {each}"
        return f"{type_words(shape.parts[0])} or {words}" if shape.single else words
    if shape.kind == "dict":
        return f"a table of names, each {type_words(shape.parts[0])}"
    return WORDS[shape.kind]


def class_text(cls: Any) -> str:
    """What the dataclass says of itself, on one line."""
    return " ".join((cls.__doc__ or "").split())


@cache
def leaves(cls: Any = spec.RunSpec, prefix: str = "") -> Mapping[str, Field]:
    """Key path -> field, sections and lists of tables entered ("data.sets.role"), in order of the dataclasses."""
    found: dict[str, Field] = {}
    for name, field in fields_of(cls).items():
        inner = field.shape.parts[0] if field.shape.kind == "list" and not field.shape.fixed else field.shape
        if inner.kind == "table":
            found.update(leaves(inner.cls, f"{prefix}{name}."))
        else:
            found[prefix + name] = field
    return types.MappingProxyType(found)


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    """Class -> field -> docstring under it: Python drops these, so they are read from the source."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(spec)).body:
        if isinstance(node, ast.ClassDef):
            pairs = zip(node.body, node.body[1:], strict=False)
            found[node.name] = dict(filter(None, (_text_under(field, text) for field, text in pairs)))
    return found


def _text_under(field: ast.stmt, text: ast.stmt) -> tuple[str, str] | None:
    """Name and docstring where `text` is the string under the field `field`."""
    if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
        return None
    if not isinstance(text, ast.Expr) or not isinstance(text.value, ast.Constant):
        return None
    return field.target.id, " ".join(str(text.value.value).split())
