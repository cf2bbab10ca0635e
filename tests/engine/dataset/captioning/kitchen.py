"""A project with pictures and captions, for tests of the book."""

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from engine.dataset.captioning.book import Book
from projects.project import open_project, resolve

PROJECT = """format = 1
name = "kitchen"
trigger = "k1tch"
class_word = "kitchen"
[base]
source = "demo"
[data]
images = "images"
"""


def project(folder: Path, captions: Mapping[str, bytes | None]) -> Path:
    """captions: by picture's stem; None: a picture without one."""
    images = folder / "images"
    images.mkdir(parents=True)
    (folder / "project.toml").write_text(PROJECT, "utf-8")
    for stem, data in captions.items():
        Image.new("RGB", (64, 64), "grey").save(images / f"{stem}.png")
        if data is not None:
            (images / f"{stem}.txt").write_bytes(data)
    return folder


def book(folder: Path) -> Book:
    """The captions of the project in `folder`, read."""
    opened = Book(folder, resolve(open_project(folder)).data)
    opened.load()
    return opened


def contents(folder: Path) -> dict[str, bytes]:
    """Every caption file and its bytes."""
    return {path.name: path.read_bytes() for path in sorted((folder / "images").glob("*.txt"))}
