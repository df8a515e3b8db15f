"""AMaaS kit: learn, try out and serve an AI model by hand.

Rooms load on first use, so that importing the kit costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from amaas_kit.session import setup, tensorflow

if TYPE_CHECKING:
    from amaas_kit import data, errors, exercises, network, partition, serving, training, views

__version__ = "0.1.0"

ROOMS = ("data", "network", "partition", "training", "serving", "exercises", "views")
"""The rooms of the house, in the order in which they may import each other."""

__all__ = [
    "ROOMS",
    "__version__",
    "data",
    "errors",
    "exercises",
    "network",
    "partition",
    "serving",
    "setup",
    "tensorflow",
    "training",
    "views",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"amaas_kit.{name}")
    raise AttributeError(f"module 'amaas_kit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
