"""How many bytes a piece of work reads, as the operating system counts them."""

from __future__ import annotations

from collections.abc import Callable

import psutil  # type: ignore[import-untyped]


def bytes_read_by(work: Callable[[], object]) -> int | None:
    """Run a function twice, and count what this process read during the second run.

    Counted is what was asked of the system, whether it came from the disk or from the memory in
    which the system keeps what it read before. During the first run Python may load modules.

    Args:
        work: the function. Nothing else should read meanwhile.

    Returns:
        Bytes; None where the system does not count them, as macOS does not.

    Taught in: notebooks/05_data_partitioning, "Only the columns that a question needs".
    """
    process = psutil.Process()
    work()
    if not hasattr(process, "io_counters"):
        return None
    before = _read(process)
    work()
    return _read(process) - before


def _read(process: psutil.Process) -> int:
    counters = process.io_counters()
    return int(getattr(counters, "read_chars", counters.read_bytes))
