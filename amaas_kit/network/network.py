"""A network: layers in a row, forwards to the outputs and backwards to the gradients."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self, SupportsIndex

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import NetworkError
from amaas_kit.network.activations import ACTIVATIONS, find_activation
from amaas_kit.network.arrays import FLOAT_DTYPES, Array, as_array, as_rows
from amaas_kit.network.dense import Dense
from amaas_kit.network.losses import Loss, choose_loss, find_loss
from amaas_kit.network.model_file import StoredLayer, read_model, write_model
from amaas_kit.session import tensorflow

HE_ACTIVATIONS = ("relu", "leaky_relu", "gelu")
"""The activations that let about half of the variance through, which He's scale makes up for."""


class LayerTrace(NamedTuple):
    """What one layer saw and made: x (n, d) in, z = x @ w + b (n, h), a = f(z) (n, h) out."""

    x: Array
    z: Array
    a: Array


class Parameters(list[Array]):
    """The arrays w0, b0, w1, b1, … of a network: to change one is to change the network.

    `parameters[i] = array` writes into the array of the network, where a plain list would lose it
    without a word.
    """

    def __setitem__(self, index: SupportsIndex, array: npt.ArrayLike) -> None:  # type: ignore[override]
        place, new = self[index], np.asarray(array)
        if new.shape != place.shape or new.dtype.kind not in "iuf":
            raise NetworkError(
                situation=f"While setting parameter {index} of a network",
                seen=f"an array of shape {new.shape} and dtype {new.dtype}",
                wrong=f"the parameter has the shape {place.shape} and holds real numbers",
                fix="pass an array of that shape; parameters come as w0, b0, w1, b1, …",
            )
        place[...] = new


class Network:
    """Dense layers in a row. Taught in: notebooks/01_forward_pass, A network.

    Args:
        sizes: columns of the input, then units of each layer; 64-128-64-10 takes 64 columns and
            answers with 10.
        activations: one name a layer; or one name for all layers but the last, which is then
            "identity"; None means "relu" there. A network that ends in "identity" ends in logits,
            which is what the cross-entropies start from.
        seed: an integer or a `numpy.random.Generator`; None draws anew each time.
        dtype: "float32", or "float64" where rounding must not hide an error.

    Weights are drawn normal with variance 2 / d into ReLU-like layers (He et al. 2015) and
    2 / (d + h) into others (Glorot and Bengio 2010), so that signals neither die out nor blow up on
    their way; biases start at 0. Both dtypes draw the same numbers.

    Attributes:
        layers: the Dense layers, from the first to the last.

    Raises:
        NetworkError: sizes, activations or a dtype that make no network.
    """

    layers: list[Dense]

    def __init__(
        self,
        sizes: Sequence[int] = (64, 128, 64, 10),
        activations: str | Sequence[str] | None = None,
        seed: int | np.random.Generator | None = None,
        dtype: str = "float32",
    ) -> None:
        _require_sizes(sizes)
        _require_dtype(dtype)
        rng = np.random.default_rng(seed)
        self.layers = []
        names = _name_each(activations, sizes)
        for (d, h), activation in zip(pairwise(sizes), map(find_activation, names), strict=True):
            variance = 2 / d if activation.name in HE_ACTIVATIONS else 2 / (d + h)
            w = rng.normal(0, math.sqrt(variance), size=(d, h)).astype(dtype)
            self.layers.append(Dense(w, np.zeros(h, dtype), activation))

    @classmethod
    def from_layers(cls, layers: Iterable[Dense]) -> Self:
        """The network of these very layers, which it shares.

        Raises:
            NetworkError: no layer, or a layer that does not take what the one before gives.
        """
        network = cls.__new__(cls)
        network.layers = list(layers)
        _require_fit(network.layers)
        return network

    @property
    def sizes(self) -> list[int]:
        """Columns of the input, then units of each layer."""
        return [len(self.layers[0].w), *(len(layer.b) for layer in self.layers)]

    @property
    def activations(self) -> list[str]:
        """The activation's name of each layer."""
        return [layer.activation.name for layer in self.layers]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters, and of all that is computed with them."""
        return self.layers[0].w.dtype

    @property
    def parameters(self) -> Parameters:
        """w0, b0, w1, b1, …: the arrays themselves. Changing one changes the network."""
        return Parameters(array for layer in self.layers for array in (layer.w, layer.b))

    def set_parameters(self, parameters: Sequence[npt.ArrayLike]) -> None:
        """Copy w0, b0, w1, b1, … into the network: all of them, or none where one does not fit.

        Raises:
            NetworkError: another number of arrays, or an array of another shape.
        """
        own = self.parameters
        arrays = [np.asarray(array) for array in parameters]
        shapes = [array.shape for array in arrays]
        expected = [array.shape for array in own]
        if shapes != expected or any(array.dtype.kind not in "iuf" for array in arrays):
            raise NetworkError(
                situation=f"While setting the parameters of {self}",
                seen=f"shapes {shapes}, dtypes {sorted({str(array.dtype) for array in arrays})}",
                wrong=f"w0, b0, w1, b1, … must be real numbers of the shapes {expected}",
                fix="pass one array for each, in that order, "
                "for example another network's parameters of the same sizes",
            )
        for i, array in enumerate(arrays):
            own[i] = array

    def count_parameters(self) -> int:
        """Weights and biases together: the sum of d h + h over the layers.

        Taught in: notebooks/01_forward_pass, Counting parameters.
        """
        return sum(array.size for array in self.parameters)

    @property
    def bytes(self) -> int:
        """Bytes that the parameters take: 4 each in float32, 8 in float64."""
        return sum(array.nbytes for array in self.parameters)

    def copy(self, dtype: str | None = None) -> Self:
        """A network of its own with the same parameters, of another dtype if one is given."""
        if dtype is not None:
            _require_dtype(dtype)
        to = self.dtype if dtype is None else np.dtype(dtype)
        return self.from_layers(
            type(layer)(layer.w.astype(to), layer.b.astype(to), layer.activation)
            for layer in self.layers
        )

    def trace(self, x: npt.ArrayLike) -> list[LayerTrace]:
        """The forward pass with everything that it made on the way.

        Args:
            x: finite numbers (n, d), n at least 1; cast to the network's dtype.

        Returns:
            One LayerTrace(x, z, a) a layer; the last a is what `forward` returns.

        Raises:
            NetworkError: x of another shape or kind, or with NaN or infinity.

        Taught in: notebooks/01_forward_pass, A digit on its way through the layers.
        """
        steps = []
        x = self._rows(x)
        for layer in self.layers:
            z = layer.weighted_sums(x)
            a = layer.activation.value(z)
            steps.append(LayerTrace(x, z, a))
            x = a
        return steps

    def forward(self, x: npt.ArrayLike) -> Array:
        """The outputs (n, h of the last layer) for the rows x (n, d). Arguments as for `trace`."""
        a = self._rows(x)
        for layer in self.layers:
            a = layer.forward(a)
        return a

    def predict(self, x: npt.ArrayLike, loss: str | Loss | None = None) -> npt.NDArray[Any]:
        """What the network says of each row: class numbers (n,), or values.

        Args:
            x: rows (n, d), as for `trace`.
            loss: that the network was trained with. None takes several outputs for classes and a
                single one for a value; "mse" makes values of several, "binary_cross_entropy" 0 or 1
                of a single one.

        Returns:
            Integers (n,); or values, (n,) for one output and (n, k) for k.
        """
        if loss is None:
            loss = "cross_entropy" if self.sizes[-1] > 1 else "mse"
        return find_loss(loss).predict(self.forward(x))

    def loss_and_gradients(
        self, x: npt.ArrayLike, y: npt.ArrayLike, loss: str | Loss | None = None
    ) -> tuple[float, list[tuple[Array, Array]]]:
        """How wrong the network is on (x, y), and how that changes with each parameter.

        Reverse-mode differentiation (Rumelhart, Hinton, Williams 1986): the forward pass keeps what
        each layer saw, then each layer, from the last, turns dL/d(its output) into the gradients of
        its own parameters and dL/d(its input), which is the layer before's output.

        Args:
            x: rows (n, d), as for `trace`.
            y: class numbers (n,), or values (n,) or (n, k).
            loss: by name; None means "cross_entropy" for integer y and "mse" for floats.

        Returns:
            The loss, and (dw, db) of each layer from the first, of the shapes of w and b.

        Raises:
            NetworkError: x or y that do not fit, or a last layer that applies softmax or sigmoid
                before a loss that applies it too.

        Taught in: notebooks/02_backpropagation, Through the whole network.
        """
        y = as_array(y, name="y", situation=f"While computing the loss of {self._title()}")
        chosen = choose_loss(y, loss)
        self._require_logits(chosen)
        steps = self.trace(x)
        outputs = steps[-1].a
        upstream = chosen.gradient(outputs, y)
        gradients = []
        for layer, step in zip(reversed(self.layers), reversed(steps), strict=True):
            upstream, dw, db = layer.backward(step.x, step.z, upstream)
            gradients.append((dw, db))
        return chosen.value(outputs, y), gradients[::-1]

    def to_keras(self) -> Any:
        """The same network as a `keras.Sequential`, with the same weights and dtype.

        Of a float64 network every layer is float64, and so is `model(x)`; but Keras's own `predict`
        and `fit` round NumPy rows to float32 first, unless `keras.config.set_floatx("float64")`.

        Raises:
            NetworkError: an activation of your own, which Keras does not know.
            MissingError: TensorFlow is not installed.
        """
        for name in self.activations:
            if name not in ACTIVATIONS:
                raise NetworkError(
                    situation=f"While making a Keras model of {self}",
                    seen=f"the activation {name!r}",
                    wrong="Keras does not know an activation of your own",
                    fix=f"use one of: {', '.join(ACTIVATIONS)}",
                )
        keras = tensorflow().keras
        dtype = self.dtype.name
        model = keras.Sequential([keras.Input(shape=(self.sizes[0],), dtype=dtype)])
        for layer in self.layers:
            name = layer.activation.name
            activation = "linear" if name == "identity" else name
            model.add(keras.layers.Dense(len(layer.b), activation=activation, dtype=dtype))
        model.set_weights(self.parameters)
        return model

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write sizes, activations, dtype and parameters to one file, often called model.npz.

        Raises:
            ModelFileError: the folder does not exist, or an activation is none of the kit's.
        """
        return write_model(
            path, [StoredLayer(layer.w, layer.b, layer.activation.name) for layer in self.layers]
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The network that `save` wrote to `path`, bit for bit.

        Raises:
            ModelFileError: the file is missing, cut short, damaged, of a newer format, or no model.
        """
        return cls.from_layers(Dense(*stored) for stored in read_model(path))

    def __repr__(self) -> str:
        return (
            f"Network({'-'.join(map(str, self.sizes))}, {' '.join(self.activations)}, "
            f"{self.dtype}, {self.count_parameters():,} parameters)"
        )

    def _title(self) -> str:
        """A short name for messages, made at every call and therefore cheap."""
        return f"the network {'-'.join(map(str, self.sizes))}"

    def _rows(self, x: npt.ArrayLike) -> Array:
        return as_rows(
            x, self.sizes[0], self.dtype, situation=f"While passing x through {self._title()}"
        )

    def _require_logits(self, loss: Loss) -> None:
        last = self.activations[-1]
        if last == loss.includes:
            raise NetworkError(
                situation=f"While computing the loss of {self._title()}",
                seen=f"{last} in the last layer and the loss {loss.name}",
                wrong=f"{loss.name} applies {last} itself, so it would be applied twice",
                fix="let the network end in logits: activation 'identity' in the last layer",
            )


def _require_sizes(sizes: Sequence[int]) -> None:
    whole = all(isinstance(size, int | np.integer) and not isinstance(size, bool) for size in sizes)
    if len(sizes) < 2 or not whole or min(sizes) < 1:
        raise NetworkError(
            situation="While making a network",
            seen=f"sizes={list(sizes)}",
            wrong="sizes are whole numbers from 1 up, at least two: columns of x, units a layer",
            fix="pass for example sizes=[64, 128, 64, 10]",
        )


def _require_dtype(dtype: str) -> None:
    if str(dtype) not in FLOAT_DTYPES:
        raise NetworkError(
            situation="While making a network",
            seen=f"dtype={dtype!r}",
            wrong=f"a network computes in {' or '.join(FLOAT_DTYPES)}",
            fix="pass dtype='float32', or 'float64' to check gradients",
        )


def _name_each(activations: str | Sequence[str] | None, sizes: Sequence[int]) -> list[str]:
    """One activation a layer."""
    count = len(sizes) - 1
    if isinstance(activations, str) and count == 1:
        raise NetworkError(
            situation="While making a network",
            seen=f"activations={activations!r} for the single layer of sizes={list(sizes)}",
            wrong="one name is for all layers but the last, and there is none but the last",
            fix=f"pass activations=[{activations!r}] to give the last layer that activation",
        )
    if activations is None or isinstance(activations, str):
        return [activations or "relu"] * (count - 1) + ["identity"]
    if len(activations) != count:
        raise NetworkError(
            situation="While making a network",
            seen=f"{len(activations)} activations, {list(activations)}, for sizes={list(sizes)}",
            wrong=f"these sizes make {count} layers, and each has one activation",
            fix=f"pass {count} names, for example {_name_each(None, sizes)}",
        )
    return list(activations)


def _require_fit(layers: Sequence[Dense]) -> None:
    if not layers:
        raise NetworkError(
            situation="While making a network of layers",
            seen="no layer",
            wrong="a network has at least one",
            fix="pass a list of Dense(w, b, activation)",
        )
    for i, (before, after) in enumerate(pairwise(layers)):
        if len(before.b) != len(after.w) or before.w.dtype != after.w.dtype:
            raise NetworkError(
                situation="While making a network of layers",
                seen=f"layer {i}, {before} of {before.w.dtype}, "
                f"before layer {i + 1}, {after} of {after.w.dtype}",
                wrong="a layer must take as many inputs as the one before has units, of one dtype",
                fix=f"give layer {i + 1} a w of shape ({len(before.b)}, {len(after.b)}) "
                f"and dtype {before.w.dtype}",
            )
