"""Model files: the layers of a network as NPZ, whole or refused, and without pickle.

An NPZ is a zip of arrays, with a checksum (CRC-32) over each. Beside the arrays w0, b0, w1, b1, …
lies `header`, a line of JSON: {"kind": …, "format": 1, "sizes": […], "activations": […],
"dtype": "float32"}.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import ModelFileError
from amaas_kit.files import write_whole
from amaas_kit.network.activations import ACTIVATIONS
from amaas_kit.network.arrays import FLOAT_DTYPES, Array

KIND = "amaas-kit network"
FORMAT = 1
"""The format that is written, and the newest that can be read."""

ZIP_START = b"PK\x03\x04"


class StoredLayer(NamedTuple):
    """What a model file holds of one layer: w (d, h), b (h,) and the activation's name."""

    w: Array
    b: Array
    activation: str


def write_model(path: str | os.PathLike[str], layers: Sequence[StoredLayer]) -> Path:
    """Write the layers to `path`, which holds the old file or the new one and never a part.

    Raises:
        ModelFileError: the folder does not exist, or an activation is none of the kit's.
    """
    target = Path(path)
    situation = f"While saving a network to {target}"
    activations = [layer.activation for layer in layers]
    if not target.parent.is_dir():
        raise ModelFileError(
            situation=situation,
            seen=f"no folder {target.parent}",
            wrong="the file needs a folder to lie in",
            fix=f"make it first: mkdir -p {target.parent}",
        )
    unknown = [name for name in activations if name not in ACTIVATIONS]
    if unknown:
        raise ModelFileError(
            situation=situation,
            seen=f"the activation {unknown[0]!r}",
            wrong="a file holds numbers and names, not the code of an activation of your own",
            fix=f"use one of: {', '.join(ACTIVATIONS)}",
        )
    header = {
        "kind": KIND,
        "format": FORMAT,
        "sizes": [len(layers[0].w), *(len(layer.b) for layer in layers)],
        "activations": activations,
        "dtype": layers[0].w.dtype.name,
    }
    arrays: dict[str, npt.NDArray[Any]] = {"header": np.array(json.dumps(header))}
    for i, layer in enumerate(layers):
        arrays |= {f"w{i}": layer.w, f"b{i}": layer.b}

    def write(file: BinaryIO) -> None:
        np.savez(file, allow_pickle=False, **arrays)

    return write_whole(target, write)


def read_model(path: str | os.PathLike[str]) -> list[StoredLayer]:
    """The layers that `write_model` wrote to `path`, bit for bit.

    Raises:
        ModelFileError: the file is missing, cut short, damaged, of a newer format, or no model.
    """
    file = Path(path)
    situation = f"While loading a network from {file}"
    arrays = _read_arrays(file, situation)
    header = _read_header(arrays, situation)
    sizes, activations, dtype = header["sizes"], header["activations"], header["dtype"]
    expected: dict[str, tuple[int, ...]] = {}
    for i, (inputs, units) in enumerate(pairwise(sizes)):
        expected |= {f"w{i}": (inputs, units), f"b{i}": (units,)}
    for name, shape in expected.items():
        array = arrays.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            found = "no such array" if array is None else f"{array.dtype} of shape {array.shape}"
            raise ModelFileError(
                situation=situation,
                seen=f"{name}: {found}",
                wrong=f"the header promises {dtype} of shape {shape}: the file was not written "
                "by this kit, or was changed since",
                fix="save the network again with net.save(path), or fetch the file again",
            )
    return [
        StoredLayer(arrays[f"w{i}"], arrays[f"b{i}"], name) for i, name in enumerate(activations)
    ]


def _read_arrays(file: Path, situation: str) -> dict[str, npt.NDArray[Any]]:
    """Every array of the file, its checksum verified. Empty where the zip holds no header."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelFileError(
            situation=situation,
            seen=f"{error.strerror}",
            wrong="there is no file of that name that can be read",
            fix="check the path for a slip; net.save(path) writes a model file, often as model.npz",
        ) from error
    if not content.startswith(ZIP_START) and not ZIP_START.startswith(content):
        raise _foreign(situation, f"a file that starts with {content[:16]!r}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist() if "header.npy" in archive.namelist() else []
            return {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in names
            }
    except Exception as error:  # on strange bytes, zipfile and NumPy raise a dozen kinds
        raise ModelFileError(
            situation=situation,
            seen=f"{len(content):,} bytes that end in an error: {error}",
            wrong="the file is cut short or damaged",
            fix="save the network again with net.save(path), or copy the file again, "
            "and compare the sizes of both",
        ) from error


def _read_header(arrays: dict[str, npt.NDArray[Any]], situation: str) -> dict[str, Any]:
    """The header, known to be complete and of a format that this version reads."""
    try:
        header = json.loads(str(arrays["header"]))
        kind, version = header["kind"], header["format"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _foreign(situation, "a zip without the header of a model") from error
    if kind != KIND or type(version) is not int or version < 1:
        raise _foreign(situation, f"a header of kind {kind!r}, format {version!r}")
    if version > FORMAT:
        raise ModelFileError(
            situation=situation,
            seen=f"format {version}",
            wrong=f"a newer version of the kit wrote it; this one reads up to format {FORMAT}",
            fix="upgrade with `pip install --upgrade amaas-kit`, "
            "or save the network again with this version",
        )
    if not _complete(header):
        raise ModelFileError(
            situation=situation,
            seen=f"the header {json.dumps(header)}",
            wrong="it does not describe a network: sizes, one activation a layer, and a dtype",
            fix="save the network again with net.save(path)",
        )
    return header  # type: ignore[no-any-return]


def _complete(header: dict[str, Any]) -> bool:
    sizes, activations = header.get("sizes"), header.get("activations")
    return (
        isinstance(sizes, list)
        and isinstance(activations, list)
        and len(sizes) == len(activations) + 1 >= 2
        and all(type(size) is int and size > 0 for size in sizes)
        and all(isinstance(name, str) and name in ACTIVATIONS for name in activations)
        and header.get("dtype") in FLOAT_DTYPES
    )


def _foreign(situation: str, seen: str) -> ModelFileError:
    return ModelFileError(
        situation=situation,
        seen=seen,
        wrong="this is no model file of the kit",
        fix="pass a file that net.save(path) wrote",
    )
