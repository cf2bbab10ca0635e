"""The arrows between the packages, as they are when the code runs. What the source says is checked by import-linter."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

HEAVY = ("torch", "diffusers", "transformers", "peft", "accelerate", "numpy")


def loaded_by(code: str) -> set[str]:
    """Top-level names of all modules after `code` ran in a fresh interpreter."""
    script = f"import sys\n{code}\nprint('\\n'.join({{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


def test_help_loads_nothing_heavy_and_no_full_screen() -> None:
    loaded = loaded_by("from tui.cli import run\nrun(['--help'])")
    assert "click" in loaded
    assert not loaded & {*HEAVY, "textual", "textual_image", "rich", "tomlkit", "PIL", "psutil", "engine"}


def test_no_verb_loads_torch_or_the_full_screen() -> None:
    loaded = loaded_by(
        "import importlib\nfrom tui.cli import VERBS\nfor v in VERBS: importlib.import_module('tui.verbs.' + v)"
    )
    assert not loaded & {*HEAVY, "textual", "textual_image"}


def test_the_words_both_sides_share_load_nothing_heavy() -> None:
    names = [path.stem for path in Path("projects").glob("*.py") if path.stem != "__init__"]
    loaded = loaded_by(f"import importlib\nfor n in {names}: importlib.import_module('projects.' + n)")
    assert not loaded & {*HEAVY, "textual", "PIL", "click", "engine", "tui"}


def test_engine_dataset_stands_on_its_own() -> None:
    graph = grimp.build_graph("engine", "projects", "tui")
    shelf = {"engine.dataset"} | graph.find_descendants("engine.dataset")
    taken = {target for module in shelf for target in graph.find_modules_directly_imported_by(module)}
    assert {name for name in taken - shelf if name.startswith("engine.")} == set()


@pytest.mark.parametrize("package", ["projects", "tui"])
def test_nothing_but_the_engine_mentions_torch(package: str) -> None:
    guilty = [
        path for path in Path(package).rglob("*.py") if "import torch" in path.read_text(encoding="utf-8")
    ]
    assert guilty == []
