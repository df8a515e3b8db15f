"""Activations: the functions a = f(z) of a layer, each beside its own derivative.

Backpropagation asks one thing of an activation: given dL/da, what is dL/dz? That product of the
upstream gradient with the Jacobian da/dz is its `vjp`. For a function that works on each number
alone the Jacobian is diagonal, and `vjp` is a multiplication by the derivative. Softmax mixes the
numbers of a row, so it has a `vjp` but no elementwise derivative.

All keep the dtype of z, and none overflows for large z, as long as the numbers of a softmax's row
are not further apart than the largest float.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from amaas_kit.errors import NetworkError
from amaas_kit.network.arrays import Array


class Activation(Protocol):
    """What a layer needs of its activation. Taught in: notebooks/01_forward_pass, A neuron."""

    name: str
    kink: float | None
    """Where the derivative jumps, if it does: there a difference quotient cannot check it."""

    def value(self, z: Array) -> Array:
        """a = f(z), of the shape and dtype of z."""

    def vjp(self, z: Array, upstream: Array) -> Array:
        """dL/dz from upstream = dL/da, all of one shape: the vector-Jacobian product."""


class Elementwise(ABC):
    """An activation that works on each number alone."""

    name: str
    kink: float | None = None

    @abstractmethod
    def value(self, z: Array) -> Array:
        """f(z), number by number."""

    @abstractmethod
    def derivative(self, z: Array) -> Array:
        """f'(z), number by number."""

    def vjp(self, z: Array, upstream: Array) -> Array:
        """dL/dz = dL/da * f'(z). Taught in: notebooks/02_backpropagation, Through a layer."""
        return upstream * self.derivative(z)


class Identity(Elementwise):
    """Leaves the sums as they are: the last layer of a regression, or one that gives logits."""

    name = "identity"

    def value(self, z: Array) -> Array:
        """z."""
        return z

    def derivative(self, z: Array) -> Array:
        """1."""
        return np.ones_like(z)


class Relu(Elementwise):
    """Rectified linear unit: passes what is positive (Nair and Hinton 2010)."""

    name = "relu"
    kink: float | None = 0.0

    def value(self, z: Array) -> Array:
        """max(z, 0)."""
        return np.maximum(z, 0)

    def derivative(self, z: Array) -> Array:
        """1 where z > 0, else 0. At 0 there is none; the kit takes 0, as TensorFlow does."""
        return (z > 0).astype(z.dtype)


class LeakyRelu(Elementwise):
    """A ReLU that lets a fifth of what is negative through (Maas et al. 2013; slope as Keras)."""

    name = "leaky_relu"
    kink: float | None = 0.0
    slope = 0.2

    def value(self, z: Array) -> Array:
        """z where z > 0, else 0.2 z."""
        return np.where(z > 0, z, self.slope * z)

    def derivative(self, z: Array) -> Array:
        """1 where z > 0, else 0.2. At 0 there is none; the kit takes 0.2, as TensorFlow does."""
        return np.where(z > 0, 1, self.slope).astype(z.dtype)


class Sigmoid(Elementwise):
    """Squeezes any number into (0, 1)."""

    name = "sigmoid"

    def value(self, z: Array) -> Array:
        """1 / (1 + e^-z), written with e^-|z| because e^-z overflows for very negative z."""
        e: Array = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / (1 + e)

    def derivative(self, z: Array) -> Array:
        """s(z) (1 - s(z)), where 1 - s(z) = s(-z) keeps its digits for large z."""
        return self.value(z) * self.value(-z)


class Tanh(Elementwise):
    """Squeezes any number into (-1, 1)."""

    name = "tanh"

    def value(self, z: Array) -> Array:
        """(e^z - e^-z) / (e^z + e^-z)."""
        return np.tanh(z)

    def derivative(self, z: Array) -> Array:
        """1 - tanh(z)^2."""
        return 1 - np.tanh(z) ** 2


class Softplus(Elementwise):
    """A ReLU with a round corner (Dugas et al. 2001)."""

    name = "softplus"

    def value(self, z: Array) -> Array:
        """log(1 + e^z) = log(e^0 + e^z)."""
        return np.logaddexp(0, z)

    def derivative(self, z: Array) -> Array:
        """1 / (1 + e^-z)."""
        return SIGMOID.value(z)


class Gelu(Elementwise):
    """Gaussian error linear unit, exact (Hendrycks and Gimpel 2016): z times the chance P that a
    standard normal draw is below z.

    P comes from the C library's erfc in float64: relative error about 4e-16 max(1, z^2), tails
    included. NumPy has no erfc, so z passes through Python one number at a time, some tens of
    nanoseconds each.
    """

    name = "gelu"

    def value(self, z: Array) -> Array:
        """z P(z)."""
        return z * self.normal_cdf(z)

    def derivative(self, z: Array) -> Array:
        """P(z) + z p(z), where p = P' is the density e^(-z^2 / 2) / sqrt(2 pi)."""
        near = np.clip(z, -40, 40)  # beyond, p is 0 in float64; z^2 would overflow in float32
        return self.normal_cdf(z) + near * np.exp(near**2 / -2) / math.sqrt(2 * math.pi)

    def normal_cdf(self, z: Array) -> Array:
        """P(z) = erfc(-z / sqrt 2) / 2, which does not cancel for negative z as 1 + erf does."""
        tails = map(math.erfc, (z.ravel().astype("float64") / -math.sqrt(2)).tolist())
        return np.fromiter(tails, z.dtype, z.size).reshape(z.shape) / 2


class Softmax:
    """Turns each row of z into probabilities: positive, with the sum 1.

    Taught in: notebooks/01_forward_pass, Softmax.
    """

    name = "softmax"
    kink: float | None = None

    def value(self, z: Array) -> Array:
        """e^z / sum(e^z) over the last axis. Taking the row's maximum from z first changes nothing
        but the largest power, which becomes e^0 = 1.
        """
        e: Array = np.exp(z - z.max(axis=-1, keepdims=True))
        total: Array = e.sum(axis=-1, keepdims=True)
        return e / total

    def vjp(self, z: Array, upstream: Array) -> Array:
        """a (upstream - the mean of upstream by the weights a): da_i/dz_j = a_i ((i = j) - a_j)."""
        a = self.value(z)
        mean: Array = (upstream * a).sum(axis=-1, keepdims=True)
        return a * (upstream - mean)


SIGMOID = Sigmoid()
SOFTMAX = Softmax()

ACTIVATIONS: Mapping[str, Activation] = {
    activation.name: activation
    for activation in (
        Identity(),
        Relu(),
        LeakyRelu(),
        SIGMOID,
        Tanh(),
        Softplus(),
        Gelu(),
        SOFTMAX,
    )
}
"""Every activation by its name, which is also what a network and a model file call it."""


def find_activation(activation: str | Activation) -> Activation:
    """The activation of that name; an activation of your own is returned as it is.

    Raises:
        NetworkError: no activation has that name.
    """
    if not isinstance(activation, str):
        return activation
    if activation not in ACTIVATIONS:
        raise NetworkError(
            situation="While looking up an activation",
            seen=f"the name {activation!r}",
            wrong="no activation is called that",
            fix=f"choose one of: {', '.join(ACTIVATIONS)}",
        )
    return ACTIVATIONS[activation]
