"""A model as a pure function of its weights, which is what a compiled loop can carry.

Both kinds of model meet here: the kit's Network, and any Keras model with one input and one output.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, MutableMapping, Sequence
from typing import Any, Protocol

from amaas_kit.errors import TrainingError
from amaas_kit.network import Network
from amaas_kit.session import tensorflow
from amaas_kit.training.pure_keras import PureKeras

Tensor = Any
Programs = MutableMapping[Hashable, Any]


class PureModel(Protocol):
    """What the compiled loop needs of a model."""

    key: Hashable
    """Equal for two models that the same compiled function can train."""
    programs: Programs
    """Where the compiled functions of such models are kept."""
    xla: bool
    """Whether XLA makes its loop faster, and leaves its numbers as they are."""
    batch_by_batch: bool
    """Whether rows are to be measured in the batches of training: its own losses may tell them."""
    input_shape: tuple[int, ...]
    """The shape of one row."""
    outputs: int
    """Columns of the output."""
    final_activation: str | None
    parameters: int
    """How many arrays train."""
    dtype: str
    """Of the weights, of all sums, and of the rows as the model gets them."""

    def read(self, seed: int | None = None) -> tuple[list[Tensor], list[Tensor]]:
        """The weights that train and the state that training changes otherwise, as tensors.

        With a seed, the model's random numbers (dropout) start from it; those of a layer that was
        made with a seed of its own go on from there.
        """

    def write(self, weights: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        """Put weights and state back into the model."""

    def apply(
        self, weights: Sequence[Tensor], state: Sequence[Tensor], x: Tensor, training: bool
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Outputs, new state, and the sum of the model's own losses, such as regularisation."""

    def constrain(self, number: int, weight: Tensor) -> Tensor:
        """Weight `number` after its constraint, which Keras applies to what a step has changed."""


def pure(model: Any, row_shape: tuple[int, ...]) -> PureModel:
    """The pure form of a Network or a Keras model.

    Args:
        model: the model; it must outlive its pure form.
        row_shape: the shape of a row of the data, for a Keras model that does not tell its own.

    Raises:
        TrainingError: a model of another kind, or one that `fit` would train otherwise than Keras.
    """
    if isinstance(model, Network):
        return PureNetwork(model)
    if isinstance(model, tensorflow().keras.Model):
        return PureKeras(model, row_shape)
    raise TrainingError(
        situation="While preparing the model for training",
        seen=f"a {type(model).__name__}",
        wrong="fit trains an amaas_kit.network.Network or a Keras model",
        fix="pass the model itself, for example Network(sizes=[64, 128, 64, 10])",
    )


_network_programs: Programs = {}


class PureNetwork:
    """The kit's Network, layer by layer in TensorFlow."""

    xla = True
    batch_by_batch = False

    def __init__(self, network: Network) -> None:
        self._network = network
        self._activations = [_tf_activation(name) for name in network.activations]
        self.key: Hashable = (tuple(network.sizes), tuple(network.activations), str(network.dtype))
        self.programs = _network_programs
        self.input_shape: tuple[int, ...] = (network.sizes[0],)
        self.outputs = network.sizes[-1]
        self.final_activation: str | None = network.activations[-1]
        self.parameters = len(network.parameters)
        self.dtype = str(network.dtype)

    def read(self, seed: int | None = None) -> tuple[list[Tensor], list[Tensor]]:
        """See `PureModel.read`."""
        tf = tensorflow()
        return [tf.constant(array) for array in self._network.parameters], []

    def write(self, weights: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        """See `PureModel.write`."""
        self._network.set_parameters([weight.numpy() for weight in weights])

    def apply(
        self, weights: Sequence[Tensor], state: Sequence[Tensor], x: Tensor, training: bool
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """See `PureModel.apply`."""
        a = x
        for w, b, f in zip(weights[::2], weights[1::2], self._activations, strict=True):
            a = f(a @ w + b)
        return a, [], tensorflow().constant(0, a.dtype)

    def constrain(self, number: int, weight: Tensor) -> Tensor:
        """See `PureModel.constrain`: a Network has none."""
        return weight


def _tf_activation(name: str) -> Callable[[Tensor], Tensor]:
    tf = tensorflow()
    activations: dict[str, Callable[[Tensor], Tensor]] = {
        "identity": lambda z: z,
        "relu": tf.nn.relu,
        "leaky_relu": lambda z: tf.nn.leaky_relu(z, alpha=0.2),
        "sigmoid": tf.nn.sigmoid,
        "tanh": tf.nn.tanh,
        "softplus": tf.nn.softplus,
        "gelu": lambda z: tf.nn.gelu(z, approximate=False),
        "softmax": tf.nn.softmax,
    }
    return activations[name]
