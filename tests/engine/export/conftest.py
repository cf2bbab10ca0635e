"""Adapters of several scales on the tiny base, made once for all export tests."""

from pathlib import Path

import pytest

from engine.families.family import Base, Family
from engine.families.opening import open_base
from projects import spec
from tests.engine.export.made import Trained, make_trained
from tests.engine.tiny import tiny_base


@pytest.fixture(scope="session")
def opened() -> tuple[Family, Base]:
    return open_base(spec.Base(source=str(tiny_base())), Path("/"))


@pytest.fixture(scope="session", params=[(8, 4.0), (32, 8.0), (4, 3.0)], ids=["r8a4", "r32a8", "r4a3"])
def trained(request: pytest.FixtureRequest, opened: tuple[Family, Base]) -> Trained:
    """Half the strength, a quarter, and a scale that is no power of two."""
    return make_trained(opened, *request.param)


@pytest.fixture(scope="session")
def one(opened: tuple[Family, Base]) -> Trained:
    """One of them, where the numbers do not matter."""
    return make_trained(opened, 8, 4.0)
