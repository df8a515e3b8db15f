"""From a drawing to an image as those of the digits were made: 32 x 32 dots, counted by 4 x 4.

NIST's programs brought each digit to one form before its dots were counted, and the shipped digits
show it: ink touches the first and the last of the 32 rows, the middle 20 columns hold most of it,
its left edge stands upright, and a quarter to four tenths of the dots are black, a 1 as well as
an 8. The same steps, in the same order, make a drawing look to a network like what it learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from amaas_kit.data.arrays import Floats, as_array
from amaas_kit.errors import DataError

Bitmap = npt.NDArray[np.bool_]
"""Dots, row by row from the top left; True is black."""

Strokes = Sequence[Sequence[Sequence[float]]]
"""Lines of a pen, each a list of points (x, y): x from 0 at the left to 1, y from 0 at the top."""

SIDE = 32
"""Dots along a side of the bitmap that is counted."""

BOX_WIDTH = 20
"""Dots that a digit is wide before it is set upright; it is as high as the bitmap."""

BLOCK = 4
"""Dots along a side of a block; the black ones in it are a number of the image."""

PAPER = 128
"""Dots along a side of the paper that strokes are drawn on, as in NIST's files."""

PEN = 0.08
"""Width of the pen as a share of the drawing's longer side."""

FAINT, BOLD = (108, 256), (412, 560)
"""With fewer black dots than these, strokes are thickened twice or once; with more, thinned."""

SKIPPED_ROWS = 2
"""Rows at the top and at the bottom that are too rough to say how a digit leans."""

SITUATION = "While turning a drawing into an image"


def image_of_strokes(strokes: Strokes) -> Floats:
    """The 8 x 8 image of a digit that was drawn with a pen, made as those of the data set were.

    Where on the paper the digit stands and how large it is makes no difference.

    Args:
        strokes: lines, each a list of points (x, y) from 0 to 1; a single point is a dot.

    Returns:
        (64,) float32 from 0 to 1, as a row of `load_digits`.

    Raises:
        DataError: nothing was drawn, or a point is not two finite numbers.

    Taught in: notebooks/00_start_here, Draw your own.
    """
    return image_of_bitmap(bitmap_of_strokes(strokes))


def image_of_bitmap(bitmap: npt.ArrayLike) -> Floats:
    """The 8 x 8 image of a digit on a bitmap of any size: brought to form, then counted.

    Args:
        bitmap: (height, width), True or a number above 0 where it is black.

    Returns:
        (64,) float32 from 0 to 1.

    Raises:
        DataError: nothing is black, or it is no bitmap.
    """
    return count_blocks(normalise(bitmap))


def bitmap_of_strokes(strokes: Strokes, dots: int = PAPER, pen: float = PEN) -> Bitmap:
    """Strokes drawn on a square paper, as large as it allows, with a round pen.

    Args:
        strokes: as for `image_of_strokes`.
        dots: along a side of the paper.
        pen: width of the pen, as a share of the drawing's longer side.

    Returns:
        (dots, dots) bool.

    Raises:
        DataError: as for `image_of_strokes`.
    """
    given = (_points(stroke, i) for i, stroke in enumerate(strokes))
    lines = [points for points in given if len(points)]
    if not lines:
        raise _nothing_drawn("no stroke")
    every = np.concatenate(lines)
    low = every.min(axis=0)
    extent = float(np.ptp(every, axis=0).max())
    scale = (1 - pen) / extent if extent > 0 else 0.0
    bitmap = np.zeros((dots, dots), np.bool_)
    for line in lines:
        placed = ((line - low) * scale + pen / 2) * dots
        for start, end in pairwise(placed if len(placed) > 1 else [*placed, *placed]):
            _draw_line(bitmap, start, end, pen / 2 * dots)
    return bitmap


def normalise(bitmap: npt.ArrayLike) -> Bitmap:
    """Bring a digit to the form in which NIST's programs handed it on.

    Cut it out, scale it to 32 rows and 20 columns (its proportions are lost, so that a bare 1
    becomes a broad bar), centre it, thicken or thin its strokes where it has little or much ink,
    and shift its rows so that the left end of the lowest stands below that of the highest.

    Args:
        bitmap: (height, width), True or a number above 0 where it is black.

    Returns:
        (32, 32) bool.

    Raises:
        DataError: nothing is black, or it is no bitmap.

    Source: Garris et al., NIST Form-Based Handprint Recognition System, NISTIR 5469 (1994), and
    its public programs.
    """
    black = _as_bitmap(bitmap)
    rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
    if not rows.size:
        raise _nothing_drawn("a bitmap without a black dot")
    cut = black[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    placed = np.zeros((SIDE, SIDE), np.bool_)
    edge = (SIDE - BOX_WIDTH) // 2
    placed[:, edge : edge + BOX_WIDTH] = _scale(cut, SIDE, BOX_WIDTH)
    return _upright(_even_ink(placed))


def count_blocks(bitmap: Bitmap) -> Floats:
    """The share of black dots in each block of 4 x 4 of a 32 x 32 bitmap.

    Returns:
        (64,) float32: 0, 1/16, … 1, block by block from the top left.
    """
    blocks = bitmap.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK)
    shares: Floats = (blocks.sum(axis=(1, 3)) / BLOCK**2).astype(np.float32)
    return shares.ravel()


def _points(stroke: Any, number: int) -> npt.NDArray[np.float64]:
    points = as_array(stroke, f"stroke {number}", SITUATION)
    if not points.size:
        return np.empty((0, 2))
    if points.ndim == 2 and points.shape[1] == 2 and points.dtype.kind in "iuf":
        numbers = points.astype(np.float64)
        if np.isfinite(numbers).all():
            return numbers
    raise DataError(
        situation=SITUATION,
        seen=f"stroke {number} of shape {points.shape} and dtype {points.dtype}",
        wrong="a stroke is a list of points, each two finite numbers, x and y",
        fix="pass for example [[(0.5, 0.1), (0.5, 0.9)]], which is a 1",
    )


def _as_bitmap(bitmap: npt.ArrayLike) -> Bitmap:
    dots = as_array(bitmap, "the bitmap", SITUATION)
    if dots.ndim == 2 and dots.dtype.kind in "biuf":
        return np.asarray(dots > 0)
    raise DataError(
        situation=SITUATION,
        seen=f"an array of shape {dots.shape} and dtype {dots.dtype}",
        wrong="a bitmap has rows and columns of dots, each a number or True or False",
        fix="pass a two-dimensional array, True where it is black",
    )


def _nothing_drawn(seen: str) -> DataError:
    return DataError(SITUATION, seen, "there is no digit to look at", "draw a digit first")


def _draw_line(
    bitmap: Bitmap, start: npt.NDArray[Any], end: npt.NDArray[Any], radius: float
) -> None:
    """Blacken the dots whose centre lies within the radius of the line from start to end."""
    low = np.maximum(np.floor(np.minimum(start, end) - radius).astype(int), 0)
    high = np.minimum(np.ceil(np.maximum(start, end) + radius).astype(int), len(bitmap))
    x, y = np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1])[:, None] + 0.5
    along = end - start
    length_squared = float(along @ along) or 1.0
    share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length_squared
    share = np.clip(share, 0, 1)
    distance = np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
    bitmap[low[1] : high[1], low[0] : high[0]] |= distance <= radius


def _scale(bitmap: Bitmap, height: int, width: int) -> Bitmap:
    """The bitmap in another size: each new dot is the old one at its centre."""
    rows = ((np.arange(height) + 0.5) * bitmap.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * bitmap.shape[1] / width).astype(int)
    scaled: Bitmap = bitmap[np.ix_(rows, columns)]
    return scaled


def _even_ink(bitmap: Bitmap) -> Bitmap:
    black = int(bitmap.sum())
    for limit in FAINT:
        if black < limit:
            bitmap = _thicken(bitmap)
    for limit in BOLD:
        if black > limit:
            bitmap = _thin(bitmap)
    return bitmap


def _thicken(bitmap: Bitmap) -> Bitmap:
    """Blacken each dot that has a black neighbour above, below, left or right."""
    thick = bitmap.copy()
    thick[1:] |= bitmap[:-1]
    thick[:-1] |= bitmap[1:]
    thick[:, 1:] |= bitmap[:, :-1]
    thick[:, :-1] |= bitmap[:, 1:]
    return thick


def _thin(bitmap: Bitmap) -> Bitmap:
    """Keep each black dot whose four neighbours are black too; beyond the edge it is white."""
    framed = np.pad(~bitmap, 1, constant_values=True)
    return ~_thicken(framed)[1:-1, 1:-1]


def _upright(bitmap: Bitmap) -> Bitmap:
    rows = np.flatnonzero(bitmap.any(axis=1))
    top, bottom = rows[0] + SKIPPED_ROWS, rows[-1] - SKIPPED_ROWS
    if top >= bottom or not (bitmap[top].any() and bitmap[bottom].any()):
        return bitmap
    lean = (bitmap[top].argmax() - bitmap[bottom].argmax()) / (bottom - top)
    straight = np.zeros_like(bitmap)
    for row, dots in enumerate(bitmap):
        columns = np.flatnonzero(dots) + round((row - SIDE // 2) * lean)
        straight[row, columns[(columns >= 0) & (columns < SIDE)]] = True
    return straight
