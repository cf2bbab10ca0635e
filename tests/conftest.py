"""For all tests: what Safelight remembers of this machine goes into a folder of the test run."""

import os
from tempfile import mkdtemp

os.environ["SAFELIGHT_STATE"] = mkdtemp(prefix="safelight-state-")
os.environ.setdefault("TQDM_DISABLE", "1")
