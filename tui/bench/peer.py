"""Another tool looks at a folder of pictures: run by path, with the Python of an environment that holds that tool.

    python peer.py cleanvision|imagededup FOLDER

Nothing of Safelight is imported. Says one line of JSON: {version, found}.
"""

import contextlib
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import os
import sys
from types import ModuleType
from typing import Any


def cleanvision(folder: str) -> int:
    """All its default checks; gives how many findings."""
    lab: Any = importlib.import_module("cleanvision").Imagelab(data_path=folder)
    lab.find_issues()
    return int(lab.issue_summary["num_images"].sum())


def imagededup(folder: str) -> int:
    """Perceptual hashes and pairs of them; gives how many pictures have a duplicate."""
    # Two of its packages load torch for its neural method only; they are passed over, their modules are its own.
    home = importlib.util.find_spec("imagededup")
    assert home and home.submodule_search_locations
    for name in ("methods", "utils"):
        package = ModuleType(f"imagededup.{name}")
        package.__path__ = [os.path.join(home.submodule_search_locations[0], name)]
        package.__spec__ = importlib.machinery.ModuleSpec(package.__name__, None, is_package=True)
        sys.modules[package.__name__] = package
    hashing: Any = importlib.import_module("imagededup.methods.hashing")
    return sum(
        bool(others) for others in hashing.PHash(verbose=False).find_duplicates(image_dir=folder).values()
    )


if __name__ == "__main__":
    tool, pictures = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        count = {"cleanvision": cleanvision, "imagededup": imagededup}[tool](pictures)
    print(json.dumps({"version": importlib.metadata.version(tool), "found": count}))
