"""A model as a pure function of its weights, which is what a compiled loop can carry.

Both kinds of model meet here: the kit's Network, and any Keras model with one input and one output.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, MutableMapping, Sequence
from typing import Any, Protocol

import numpy as np

from amaas_kit.errors import TrainingError
from amaas_kit.network import Network
from amaas_kit.session import tensorflow

Tensor = Any
Programs = MutableMapping[Hashable, Any]

DENSE_LAYERS = (
    *("Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout"),
    *("ELU", "Flatten", "GaussianDropout", "GaussianNoise", "InputLayer", "LayerNormalization"),
    *("LeakyReLU", "Maximum", "Multiply", "Normalization", "PReLU", "ReLU", "Rescaling"),
    *("Reshape", "Softmax", "Subtract", "UnitNormalization"),
)
"""Keras layers with which XLA makes the loop faster on a CPU; it made convolutions slower."""


class PureModel(Protocol):
    """What the compiled loop needs of a model."""

    key: Hashable
    """Equal for two models that the same compiled function can train."""
    programs: Programs
    """Where the compiled functions of such models are kept."""
    xla: bool
    """Whether XLA makes its loop faster."""
    input_shape: tuple[int, ...]
    """The shape of one row."""
    outputs: int
    """Columns of the output."""
    final_activation: str | None

    def read(self) -> tuple[list[Tensor], list[Tensor]]:
        """The weights that train and the state that training changes otherwise, as tensors."""

    def write(self, weights: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        """Put weights and state back into the model."""

    def apply(
        self, weights: Sequence[Tensor], state: Sequence[Tensor], x: Tensor, training: bool
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Outputs, new state, and the sum of the model's own losses, such as regularisation."""

    def constrain(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The weights after the model's constraints, which Keras applies after each step."""

    def seed(self, seed: int) -> None:
        """Start the model's own random numbers, such as dropout masks, from `seed`."""


def pure(model: Any) -> PureModel:
    """The pure form of a Network or a Keras model.

    Raises:
        TrainingError: a model of another kind, or one that `fit` would train otherwise than Keras.
    """
    if isinstance(model, Network):
        return PureNetwork(model)
    if isinstance(model, tensorflow().keras.Model):
        return PureKeras(model)
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

    def __init__(self, network: Network) -> None:
        self._network = network
        self._activations = [_tf_activation(name) for name in network.activations]
        self.key: Hashable = (tuple(network.sizes), tuple(network.activations), str(network.dtype))
        self.programs = _network_programs
        self.input_shape: tuple[int, ...] = (network.sizes[0],)
        self.outputs = network.sizes[-1]
        self.final_activation: str | None = network.activations[-1]

    def read(self) -> tuple[list[Tensor], list[Tensor]]:
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

    def constrain(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """See `PureModel.constrain`: a Network has none."""
        return list(weights)

    def seed(self, seed: int) -> None:
        """See `PureModel.seed`: a Network draws nothing."""


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


_keras_programs: weakref.WeakKeyDictionary[Any, Programs] = weakref.WeakKeyDictionary()


class PureKeras:
    """A Keras model through `stateless_call`, which takes its variables as arguments."""

    def __init__(self, model: Any) -> None:
        _refuse_what_would_differ(model)
        self._model: Callable[[], Any] = weakref.ref(model)
        self.key: Hashable = tuple(id(variable) for variable in model.trainable_variables)
        self.programs = _keras_programs.setdefault(model, {})
        self.xla = all(type(layer).__name__ in DENSE_LAYERS for layer in _leaves(model))
        self.input_shape = tuple(model.input_shape[1:])
        self.outputs = int(model.output_shape[-1])
        self.final_activation = _final_activation(model)

    def read(self) -> tuple[list[Tensor], list[Tensor]]:
        """See `PureModel.read`."""
        tf, model = tensorflow(), self._model()
        return (
            [tf.convert_to_tensor(variable.value) for variable in model.trainable_variables],
            [tf.convert_to_tensor(variable.value) for variable in model.non_trainable_variables],
        )

    def write(self, weights: Sequence[Tensor], state: Sequence[Tensor]) -> None:
        """See `PureModel.write`."""
        model = self._model()
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)
        for variable, value in zip(model.non_trainable_variables, state, strict=True):
            variable.assign(value)

    def apply(
        self, weights: Sequence[Tensor], state: Sequence[Tensor], x: Tensor, training: bool
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """See `PureModel.apply`."""
        tf = tensorflow()
        outputs, new_state, losses = self._model().stateless_call(
            list(weights), list(state), x, training=training, return_losses=True
        )
        dtype = weights[0].dtype
        penalty = sum((tf.cast(loss, dtype) for loss in losses), tf.constant(0, dtype))
        return tf.cast(outputs, dtype), list(new_state), penalty

    def constrain(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """See `PureModel.constrain`."""
        return [
            weight if variable.constraint is None else variable.constraint(weight)
            for variable, weight in zip(self._model().trainable_variables, weights, strict=True)
        ]

    def seed(self, seed: int) -> None:
        """See `PureModel.seed`."""
        rng = np.random.default_rng([seed, 1])
        for variable in self._model().non_trainable_variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign(rng.integers(0, 2**31, size=variable.shape, dtype="int64"))


def _leaves(model: Any) -> list[Any]:
    """The layers of a model that hold no further layers."""
    layers = getattr(model, "layers", None)
    if layers is None:
        return [model]
    known = type(model).__name__ in ("Sequential", "Functional")
    return [leaf for layer in layers for leaf in _leaves(layer)] + ([] if known else [model])


def _final_activation(model: Any) -> str | None:
    """The name of the activation in the last layer; None where there is none, or none is known."""
    leaves = _leaves(model)
    last = leaves[-1] if leaves else None
    if type(last).__name__ == "Softmax":
        return "softmax"
    name = getattr(getattr(last, "activation", None), "__name__", None)
    return {"linear": "identity"}.get(name, name) if name else None


def _refuse_what_would_differ(model: Any) -> None:
    """Raise where the compiled loop would not compute what `keras.Model.fit` computes."""
    keras = tensorflow().keras
    cause = None
    if not model.built:
        cause = "it has no weights yet", "give it an Input layer, or call model.build(input_shape)"
    elif not model.trainable_variables:
        cause = "it has no weights that train", "set trainable = True on a layer that has weights"
    elif type(model).train_step is not keras.Model.train_step:
        cause = "it has a train_step of its own", "train it with its own fit"
    elif type(model).compute_loss is not keras.Model.compute_loss:
        cause = "it has a compute_loss of its own", "train it with its own fit"
    elif not isinstance(model.input_shape, tuple) or not isinstance(model.output_shape, tuple):
        cause = "it has several inputs or outputs", "train it with its own fit"
    elif None in model.input_shape[1:]:
        cause = "its rows have no fixed shape", "give its Input layer whole numbers"
    elif {layer.dtype_policy.name for layer in _leaves(model)} & {"float16", "mixed_float16"}:
        cause = "float16 needs loss scaling, which fit does not do", "use mixed_bfloat16"
    elif len({variable.dtype for variable in model.trainable_variables}) > 1:
        cause = "its weights are of several dtypes", "build all layers under one dtype policy"
    if cause:
        raise TrainingError(
            situation="While preparing the Keras model for training",
            seen=f"{type(model).__name__} {model.name!r}",
            wrong=f"{cause[0]}, so that fit cannot train it as Keras would",
            fix=cause[1],
        )
