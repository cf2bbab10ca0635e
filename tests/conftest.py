"""For all tests: what Safelight remembers of this machine goes into a folder of the test run, and no hub is asked."""

import os
from tempfile import mkdtemp

os.environ["SAFELIGHT_STATE"] = mkdtemp(prefix="safelight-state-")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")
