"""For all tests: what Safelight remembers of this machine goes into a folder of the test run."""

import os
from tempfile import mkdtemp

from projects.worker import SHARE_CORES

os.environ["SAFELIGHT_STATE"] = mkdtemp(prefix="safelight-state-")
os.environ.setdefault("TQDM_DISABLE", "1")
# As a worker does it, and before torch loads libgomp: tests must not take minutes because something else is at work.
for name, value in SHARE_CORES.items():
    os.environ.setdefault(name, value)
