"""The machine and the versions that a benchmark ran with, as a sentence for its table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("amaas-kit", "tensorflow", "keras", "numpy", "torch", "jax", "bentoml")


def describe(packages: Sequence[str] = PACKAGES) -> str:
    """Processor, cores, system, Python, date, and the versions of what is installed."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return (
        f"Measured on {date.today().isoformat()}: {_processor()}, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}; {', '.join(versions)}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
