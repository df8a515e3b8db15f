"""Whether a port of this machine is free."""

from __future__ import annotations

import os
import socket

HOST = "127.0.0.1"


def claim(port: int, host: str = HOST) -> int:
    """The port, when a server could listen on it at this moment; a free one for 0.

    Raises:
        OSError: it is taken, or this user may not listen there.
        OverflowError: there is no such port.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            # A port whose last connections are still closing is free; on Windows the same
            # option would take a port away from its owner.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
