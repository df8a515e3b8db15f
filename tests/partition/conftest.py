"""What only a soak runs: HDFS, whose servers are a download of 220 MB, and a text of 2 GB."""

from __future__ import annotations

import os

SOAKED = ["test_hdfs.py", "test_long_text.py"]
collect_ignore = [] if os.environ.get("AMAAS_SOAK") == "1" else SOAKED
