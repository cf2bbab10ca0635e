"""Work of a screen in a thread, and what came of it on the loop; what stands in the way is said in a sentence."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from projects.problems import Refused

if TYPE_CHECKING:
    from tui.app import Workbench

T = TypeVar("T")


def in_thread(
    bench: "Workbench", work: Callable[[], T], then: Callable[[T], object],
    failed: Callable[[str], object] | None = None,
) -> None:  # fmt: skip
    """Do `work` in a thread, then `then` with what it gave on the loop; a refusal is said in the line of keys.

    failed: says it instead, for a screen that stands over the room and its line.
    """
    say = failed or bench.say

    def body() -> None:
        try:
            given = work()
        except Refused as refused:
            bench.call_from_thread(say, said(refused))
        except OSError as error:
            bench.call_from_thread(say, f"{error.strerror or error}: {error.filename or ''}")
        else:
            bench.call_from_thread(then, given)

    bench.run_worker(body, thread=True, group="starting", exit_on_error=False)


def said(refused: Refused) -> str:
    """A refusal on one line: the first problem, and how many more there are."""
    more = len(refused.problems) - 1
    return str(refused.problems[0]) + (f"   ({more} more)" if more else "")
