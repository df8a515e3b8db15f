"""Commands for the Python that runs, as one would type them."""

from __future__ import annotations

import sys


def command() -> str:
    """This Python's own path, in quotes where it has a space."""
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable


def pip_install(package: str, *options: str) -> str:
    """The command that installs a package into this Python, and into no other.

    Args:
        package: its name, which may be followed by extras and versions.
        options: of pip, such as "--upgrade".
    """
    quoted = package if package.replace("-", "").isalnum() else f'"{package}"'
    return " ".join([command(), "-m pip install", *options, quoted])
