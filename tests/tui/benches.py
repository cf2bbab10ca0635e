"""The workbench for tests: on recorded runs, with a frozen clock, and helpers that wait for its threads."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from tests.tui.recorded import NOW
from tui.app import Options, Workbench

Bench = Workbench


@asynccontextmanager
async def opened(
    project: Path | None, *, room: str = "", size: tuple[int, int] = (120, 36), options: Options | None = None
) -> AsyncIterator[tuple[Workbench, "Pilot[tuple[Path, ...]]"]]:
    """The workbench on a project, in a room, on a terminal of `size`."""
    bench = Workbench(project, room=room, options=options or Options(), clock=lambda: NOW)
    async with bench.run_test(size=size) as pilot:
        yield bench, pilot


async def typed(pilot: "Pilot[tuple[Path, ...]]", *keys: str) -> None:
    """Press keys one after the other as a person who types ahead, then wait once until all is done.

    `pilot.press` waits twice after every single key: half a minute for the keys of one file of tests.
    """
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        pilot.app.post_message(events.Key(name, key if len(key) == 1 else None))
        if (
            name == "escape"
        ):  # A terminal tells it from the start of other keys by nothing but the time until the next.
            await pilot.pause()
    await pilot.pause()


async def until(
    pilot: "Pilot[tuple[Path, ...]]", holds: Callable[[], object], *, seconds: float = 10.0
) -> None:
    """Wait until `holds`, as the threads and timers go."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.02)
    await pilot.pause()
