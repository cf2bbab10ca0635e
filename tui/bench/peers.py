"""Other tools on the same pictures, in an environment of their own that is made for the measurement and goes with it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from projects.problems import Refused, refuse
from tui.bench.figures import Figure, median_of

SCRIPT: Final = Path(__file__).with_name("peer.py")
INSTALLS: Final[Mapping[str, Sequence[str]]] = {
    "cleanvision": ("cleanvision==0.3.7", "scikit-learn>=1.5"),
    # Without what it asks for: torch and torchvision, gigabytes of which its hashes use nothing.
    "imagededup": ("--no-deps", "imagededup==0.3.3.post2", "PyWavelets>=1.6", "tqdm"),
}
"""What pip is told; the second one takes the rest of what it needs from the first."""
DOES: Final[Mapping[str, str]] = {
    "cleanvision": "all its checks (size, light, blur on thumbnails, equal hashes)",
    "imagededup": "perceptual hashes and their pairs alone, without torch",
}
INSTALL_SECONDS: Final = 600.0
LOOK_SECONDS: Final = 300.0


class Peers:
    """What other tools take for a folder, each as a process with its start."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """Makes the environment in `folder`; one that cannot be installed is said and not measured. Raises Refused."""
        self._python = folder / "bin" / "python"
        self._versions: dict[str, str] = {}
        self.tools: list[str] = []
        say(f"Installing {' and '.join(INSTALLS)} into an environment of their own.")
        self._run([sys.executable, "-m", "venv", str(folder)], "The environment could not be made")
        for tool, wanted in INSTALLS.items():
            command = [
                str(self._python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *wanted,
            ]
            try:
                self._run(command, f"{tool} is not measured, it could not be installed")
                self.tools.append(tool)
            except Refused as refused:
                say(refused.problems[0].error)

    def seconds(self, images: Path) -> dict[str, float]:
        """Each of them once over the folder, from the start of its process to its end. Raises Refused."""
        told = {}
        for tool in self.tools:
            started = time.perf_counter()
            said = self._run([str(self._python), str(SCRIPT), tool, str(images)], f"{tool} failed")
            told[tool] = time.perf_counter() - started
            self._versions[tool] = json.loads(said.splitlines()[-1])["version"]
        return told

    def figures(self, rounds: Sequence[Mapping[str, float]], pictures: int) -> list[Figure]:
        """Milliseconds a picture of each, and of all together."""
        made = []
        for tool in self.tools:
            words = f"{tool} {self._versions[tool]} on the same pictures: {DOES[tool]}"
            made.append(_figure(f"audit.{tool}", [each[tool] for each in rounds], pictures, words))
        if len(made) > 1:
            together = [sum(each.values()) for each in rounds]
            made.append(_figure("audit.peers", together, pictures, "all of them, one after the other"))
        return made

    def _run(self, command: Sequence[str], error: str) -> str:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True,
                timeout=INSTALL_SECONDS if "pip" in command else LOOK_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise refuse(f"{error}: it takes too long.", hint=_HINT) from None
        except (OSError, subprocess.CalledProcessError) as failed:
            words = str(getattr(failed, "stderr", None) or failed).strip().splitlines() or [""]
            raise refuse(f"{error}: {words[-1]}", hint=_HINT) from None
        return done.stdout


_HINT: Final = "They come from the package index: check the network, or measure without --peers."


def _figure(name: str, seconds: Sequence[float], pictures: int, words: str) -> Figure:
    rate = f"{pictures * len(seconds) / sum(seconds):.0f} pictures a second"
    return median_of(name, [1000 * each / pictures for each in seconds], "ms", method=f"{words}: {rate}")
