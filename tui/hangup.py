"""The terminal goes away: what must not be lost is written, and the process ends, whatever the screen library does then."""

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

_PATIENCE: Final = 2.0
POLL_SECONDS: Final = 1.0


def on_hangup(flush: Callable[[], object], leave: Callable[[], object]) -> None:
    """From now on SIGHUP and SIGTERM flush and leave; a leave that hangs, as it does without a terminal, is ended."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        flush()
        ending = threading.Timer(_PATIENCE, os._exit, (1,))
        ending.daemon = True
        ending.start()
        leave()

    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, gone)


def end_when_hung_up(flush: Callable[[], object]) -> None:
    """To be called every second: ends the process where the terminal is gone and nobody was told, e.g. under nohup.

    The screen library would spin on the dead terminal for ever, and cannot leave it either.
    """
    if hung_up():
        flush()
        os._exit(1)


def hung_up() -> bool:
    """Whether the terminal that this process reads keys from is gone. False where there never was one."""
    stream = sys.__stdin__
    if stream is None or stream.closed:
        return False
    poll = select.poll()
    try:
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
