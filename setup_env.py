"""Makes .venv and installs Safelight into it: `make demo` and `make test` call this once.

Runs on Python 3.6 and newer, so that one that is too old gets a sentence and not a syntax error. An installed torch
that satisfies pyproject.toml is used through the system's packages; then the constraints leave torch out.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
STAMP = VENV / "installed"
OTHER_NAMES = ("python3.13", "python3.12", "python3.11", "python3.14")


def main():
    os.chdir(str(ROOT))
    if sys.version_info < (3, 11):
        return try_another_python()
    if not runs(sys.executable, "import venv, ensurepip"):
        wanted = "python{}.{}-venv".format(*sys.version_info)
        say(
            f"This Python has no venv module. On Debian and Ubuntu: apt install {wanted}, then run make again."
        )
        return 1
    base = getattr(sys, "_base_executable", None) or sys.executable
    torch = installed_torch(base)
    if PYTHON.exists() and runs(str(PYTHON), "import pip"):
        torch = torch if sees_system_packages() else ""
    else:
        make_venv(base, torch)
    return install(torch)


def try_another_python():
    """An old `python3` often stands beside a newer one: hand over to it, or say what is missing."""
    for name in OTHER_NAMES:
        if runs(name, "import sys; sys.exit(sys.version_info < (3, 11))"):
            return subprocess.call([name, str(ROOT / "setup_env.py")])
    version = sys.version.split()[0]
    say(f"Safelight needs Python 3.11 or newer; {sys.executable} is {version}.")
    say("Install one and run: make PYTHON=/path/to/python3.12")
    return 1


def installed_torch(base):
    """Version of the base Python's torch when it can be imported and is 2.8 or newer, else an empty text."""
    command = [base, "-c", "import torch; print(torch.__version__)"]
    try:
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version = found.stdout.decode().strip()
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if found.returncode or not numbers or tuple(int(part) for part in numbers.groups()) < (2, 8):
        return ""
    return version


def make_venv(base, torch):
    """Create .venv; the system's packages are seen only where their torch is wanted."""
    say(
        "Making .venv with Python "
        + sys.version.split()[0]
        + (f", using the installed torch {torch}" if torch else "")
    )
    flags = ["--system-site-packages"] if torch else []
    subprocess.check_call([base, "-m", "venv", "--clear", *flags, str(VENV)])


def sees_system_packages():
    return "include-system-site-packages = true" in (VENV / "pyvenv.cfg").read_text()


def install(torch):
    """pip with the tested set; its whole output goes to a log, its milestones are shown. Returns the exit code."""
    tested = (ROOT / "constraints.txt").read_text().splitlines()
    constraints = VENV / "constraints.txt"
    constraints.write_text(
        "\n".join(line for line in tested if not (torch and line.startswith("torch=="))) + "\n"
    )
    say("Installing Safelight and what it needs (the log is .venv/install.log)")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["-c", str(constraints), "-e", ".[train,optimizers,dev]"]
    if run_logged(command):
        say("\n".join(LOG.read_text(errors="replace").splitlines()[-15:]))
        say("The installation failed; the lines above say why. Mend that and run make again.")
        return 1
    STAMP.write_text((torch or "its own torch") + "\n")
    return 0


def run_logged(command):
    """Run `command`, log every line, show the large downloads and the last step. Returns the exit code."""
    large = re.compile(r"Downloading (?:\S*/)?([A-Za-z0-9_.]+)-\d\S* \(([\d.]+ [MG]B)\)")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with LOG.open("wb") as log:
        for line in process.stdout:
            log.write(line)
            log.flush()
            text = line.decode("utf-8", "replace").strip()
            found = large.match(text)
            if found and (found.group(2).endswith("GB") or float(found.group(2).split()[0]) >= 10):
                say("  {}, {}".format(*found.groups()))
            elif text.startswith("Installing collected packages"):
                say("  unpacking {} packages".format(text.count(",") + 1))
    return process.wait()


def runs(python, code):
    """True when this interpreter exists and runs `code` without an error."""
    try:
        return subprocess.call([python, "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def say(sentence):
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
