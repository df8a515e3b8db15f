"""How several curves in one figure are told apart: by a colour and a marker each."""

from __future__ import annotations

from typing import Any

from amaas_kit.session import COLOURS

MARKERS = ("o", "s", "^", "D", "v", "P")


def curve_style(number: int) -> dict[str, Any]:
    """Colour and marker of a curve, as keywords of `Axes.plot`; 42 differ, then they come again.

    Args:
        number: of the curve, from 0 on.
    """
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
