"""What only a soak runs: HDFS, whose servers are a download of 220 MB."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("AMAAS_SOAK") == "1" else ["test_hdfs.py"]
