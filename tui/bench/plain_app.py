"""The smallest full-screen program there can be: what a first paint costs before anything of ours is in it."""

import sys

from textual.app import App, ComposeResult
from textual.widgets import Static


class PlainApp(App[None]):
    """One line of text, the program's argument."""

    def compose(self) -> ComposeResult:
        yield Static(sys.argv[1])


if __name__ == "__main__":
    PlainApp().run()
