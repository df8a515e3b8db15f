"""One fully connected layer: forwards the outputs, backwards the gradients."""

from __future__ import annotations

import numpy.typing as npt

from amaas_kit.errors import NetworkError
from amaas_kit.network.activations import Activation, find_activation
from amaas_kit.network.arrays import FLOAT_DTYPES, Array, as_array


class Dense:
    """A layer a = f(x @ w + b).

    Args:
        w: weights (d, h): d inputs, h units. Kept, not copied.
        b: biases (h,), one a unit. Kept, not copied.
        activation: f, by name or as an object of your own.

    Raises:
        NetworkError: shapes or dtypes of w and b that do not fit, or an unknown activation.

    Taught in: notebooks/01_forward_pass, A layer.
    """

    def __init__(
        self, w: npt.ArrayLike, b: npt.ArrayLike, activation: str | Activation = "identity"
    ) -> None:
        situation = "While making a dense layer"
        w = as_array(w, name="w", situation=situation)
        b = as_array(b, name="b", situation=situation)
        if w.ndim != 2 or b.shape != w.shape[1:]:
            raise NetworkError(
                situation=situation,
                seen=f"w of shape {w.shape} and b of shape {b.shape}",
                wrong="w must be (inputs, units) and b (units,): one bias a unit",
                fix="give b as many entries as w has columns; transpose w if it is (units, inputs)",
            )
        if w.dtype != b.dtype or w.dtype.name not in FLOAT_DTYPES:
            raise NetworkError(
                situation=situation,
                seen=f"w of dtype {w.dtype} and b of dtype {b.dtype}",
                wrong=f"both must have the same dtype, {' or '.join(FLOAT_DTYPES)}",
                fix="pass w.astype('float32') and b.astype('float32')",
            )
        self.w: Array = w
        self.b: Array = b
        self.activation = find_activation(activation)

    def weighted_sums(self, x: Array) -> Array:
        """z = x @ w + b.

        Args:
            x: rows (n, d).

        Returns:
            Sums (n, h).

        Raises:
            NetworkError: rows of another width.
        """
        if x.ndim != 2 or x.shape[1] != len(self.w):
            raise NetworkError(
                situation=f"While computing x @ w + b of {self}",
                seen=f"x of shape {x.shape} and w of shape {self.w.shape}",
                wrong="the columns of x must be as many as the rows of w",
                fix=f"pass x of shape (rows, {len(self.w)}); x[None, :] makes one row of a vector",
            )
        return x @ self.w + self.b

    def forward(self, x: Array) -> Array:
        """a = f(x @ w + b): rows (n, d) to rows (n, h)."""
        return self.activation.value(self.weighted_sums(x))

    def backward(self, x: Array, z: Array, upstream: Array) -> tuple[Array, Array, Array]:
        """The gradients of the loss L by everything that went into the layer.

        With delta = dL/dz: dL/dx = delta @ w.T, dL/dw = x.T @ delta, dL/db = the sum of delta over
        the rows (Goodfellow, Bengio, Courville, Deep Learning, 2016, algorithm 6.4).

        Args:
            x: rows (n, d) that went in.
            z: their weighted sums (n, h).
            upstream: dL/da (n, h), from the layer after, or from the loss.

        Returns:
            dx (n, d), dw (d, h), db (h,).

        Raises:
            NetworkError: x, z and upstream that do not belong together.

        Taught in: notebooks/02_backpropagation, Through a layer.
        """
        outputs = (len(x), len(self.b))
        if z.shape != outputs or upstream.shape != outputs:
            raise NetworkError(
                situation=f"While computing the gradients of {self}",
                seen=f"x of shape {x.shape}, z of shape {z.shape}, upstream of {upstream.shape}",
                wrong=f"z and upstream must both have the shape (rows, units), here {outputs}",
                fix="pass the z of this very x, and the gradient by each of the layer's outputs",
            )
        delta = self.activation.vjp(z, upstream)
        return delta @ self.w.T, x.T @ delta, delta.sum(axis=0)

    def __repr__(self) -> str:
        inputs, units = self.w.shape
        return f"Dense({inputs} -> {units}, {self.activation.name})"
