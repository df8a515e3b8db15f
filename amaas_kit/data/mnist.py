"""MNIST and Fashion-MNIST: fetched once, checked, and kept in the kit's folder."""

from __future__ import annotations

import gzip
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amaas_kit import files
from amaas_kit.data.arrays import Array
from amaas_kit.data.dataset import Dataset
from amaas_kit.data.drawing import generator_from, random_parts
from amaas_kit.data.npz_file import read_npz
from amaas_kit.data.split import Split
from amaas_kit.data.targets import Labels
from amaas_kit.errors import DataError, MissingError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")

SECONDS_TO_ANSWER = 10.0
"""How long a server may keep silent, before its first byte and between two."""


@dataclass(frozen=True)
class _File:
    url: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class _Source:
    """A published data set: one NPZ file of the four ARRAYS, or one IDX file each."""

    name: str
    loader: str
    labels: Labels
    files: tuple[_File, ...]


MNIST = _Source(
    name="mnist",
    loader="load_mnist",
    labels=tuple(range(10)),
    files=(
        _File(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            11_490_434,
        ),
    ),
)

_ZALANDO = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"

FASHION_MNIST = _Source(
    name="fashion_mnist",
    loader="load_fashion_mnist",
    labels=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    files=(
        _File(
            _ZALANDO + "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
        ),
        _File(
            _ZALANDO + "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
        ),
        _File(
            _ZALANDO + "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
        ),
        _File(
            _ZALANDO + "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
        ),
    ),
)


def load_mnist(
    *, validation: float = 0.1, seed: int | np.random.Generator = 0, flat: bool = True
) -> Split:
    """MNIST: 70,000 handwritten digits of 28 x 28 pixels, fetched once (11 MB).

    The 10,000 images that its authors published for testing are the test part.

    Args:
        validation: share of the 60,000 training images that becomes the validation part,
            stratified.
        seed: draws them: a whole number, or a generator.
        flat: x (n, 784), or with False (n, 28, 28).

    Returns:
        The split; x float32 from 0 (paper) to 1 (ink), y (n,) int64, labels 0 to 9.

    Raises:
        MissingError: the file is not there and cannot be fetched; says where to put it.
        DataError: what arrived, or what lies there, is not MNIST.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, CC BY-SA 3.0.
    Taught in: notebooks/04_first_network, "Size against accuracy".
    """
    return _load(MNIST, validation, seed, flat)


def load_fashion_mnist(
    *, validation: float = 0.1, seed: int | np.random.Generator = 0, flat: bool = True
) -> Split:
    """Fashion-MNIST: 70,000 pictures of clothes of 28 x 28 pixels, fetched once (31 MB).

    Arguments, result and errors as for `load_mnist`; the labels are the ten kinds of clothes.

    Source: Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747, MIT licence.
    Taught in: notebooks/04_first_network, "Size against accuracy".
    """
    return _load(FASHION_MNIST, validation, seed, flat)


def _load(source: _Source, validation: float, seed: int | np.random.Generator, flat: bool) -> Split:
    if isinstance(validation, bool) or not 0 < validation < 1:
        raise DataError(
            situation=f"While splitting {source.name}",
            seen=f"validation={validation!r}",
            wrong="it is the share of the training images, above 0 and below 1",
            fix="pass for example validation=0.1",
        )
    generator = generator_from(seed)
    path = files.home() / "datasets" / f"{source.name}.npz"
    if not path.exists():
        content = _fetch_npz(source, path)
        path.parent.mkdir(exist_ok=True)
        files.write_whole(path, lambda file: file.write(content))
    x_train, y_train, x_test, y_test = read_npz(path, ARRAYS)
    _check_images(source, path, x_train, y_train, x_test, y_test)

    def part(x: Array, y: Array) -> Dataset:
        pixels = (x.reshape(len(x), -1) if flat else x).astype(np.float32) / np.float32(255)
        return Dataset(pixels, y, name=source.name, labels=source.labels, bounds=(0.0, 1.0))

    train, held_out = random_parts(
        y_train, source.labels, len(y_train), (1 - validation, validation), generator
    )
    return Split(
        part(x_train[train], y_train[train]),
        part(x_train[held_out], y_train[held_out]),
        part(x_test, y_test),
        by="published",
        seed=None if isinstance(seed, np.random.Generator) else int(seed),
        name=source.name,
    )


def _check_images(source: _Source, path: Path, *arrays: Array) -> None:
    x_train, y_train, x_test, y_test = arrays
    for x, y in ((x_train, y_train), (x_test, y_test)):
        right = x.dtype == np.uint8 and y.dtype == np.uint8
        if right and x.shape == (len(y), 28, 28) and y.ndim == 1 and y.max(initial=0) < 10:
            continue
        raise DataError(
            situation=f"While reading {path}",
            seen=f"images of shape {x.shape}, {x.dtype}; labels of shape {y.shape}, {y.dtype}",
            wrong="images are (n, 28, 28) uint8, labels (n,) uint8 from 0 to 9",
            fix=f"remove the file and call {source.loader}() again where there is a network",
        )


def _fetch_npz(source: _Source, path: Path) -> bytes:
    contents = [_fetch(file, source, path) for file in source.files]
    if len(contents) == 1:
        return contents[0]
    x_train, y_train, x_test, y_test = (_from_idx(gzip.decompress(c)) for c in contents)
    packed = io.BytesIO()
    np.savez_compressed(packed, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return packed.getvalue()


def _fetch(file: _File, source: _Source, path: Path) -> bytes:
    import http.client
    import urllib.request

    from tqdm.auto import tqdm

    content = bytearray()
    try:
        with (
            urllib.request.urlopen(file.url, timeout=SECONDS_TO_ANSWER) as answer,
            tqdm(
                total=file.size_bytes, unit="B", unit_scale=True, desc=Path(file.url).name
            ) as progress,
        ):
            while len(content) <= file.size_bytes and (piece := answer.read(1 << 16)):
                content += piece
                progress.update(len(piece))
    except (OSError, http.client.HTTPException) as error:
        raise MissingError(
            situation=f"While fetching {source.name}",
            seen=f"{file.url}: {error}",
            wrong=f"there is no way to the file from here, and nothing at {path}",
            fix="use load_digits(), which needs no network; or call "
            f"amaas_kit.data.{source.loader}() on a machine with a network and copy "
            f"{path.name} from its .amaas/datasets folder to {path}",
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataError(
            situation=f"While fetching {source.name}",
            seen=f"{len(content):,} bytes with the SHA-256 {found} from {file.url}",
            wrong=f"the published file has {file.size_bytes:,} bytes and {file.sha256}",
            fix="try again; if it stays so, a proxy on the way answers in the server's place: use "
            "another network",
        )
    return bytes(content)


def _from_idx(content: bytes) -> Array:
    """An IDX file as an array: two zeros, the type (8: uint8), how many axes, their sizes, data."""
    axes = content[3]
    shape = np.frombuffer(content, ">u4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
