"""A Keras model as a pure function of its weights, computed as `keras.Model.fit` computes it."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Hashable, Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow

Tensor = Any

DENSE_LAYERS = (
    *("Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout"),
    *("ELU", "Flatten", "GaussianDropout", "GaussianNoise", "InputLayer", "LayerNormalization"),
    *("LeakyReLU", "Maximum", "Multiply", "Normalization", "PReLU", "ReLU", "Rescaling"),
    *("Reshape", "Softmax", "Subtract", "UnitNormalization", "Sequential", "Functional"),
)
"""Keras layers with which XLA makes the loop faster on a CPU; it made convolutions slower."""

STEPS_OF_KERAS = (
    *("fit", "make_train_function", "train_step", "compute_loss", "_compute_loss"),
    "test_step",
)
"""Methods of `keras.Model` that the compiled loop takes the place of."""

_programs: weakref.WeakKeyDictionary[Any, MutableMapping[Hashable, Any]] = (
    weakref.WeakKeyDictionary()
)


class PureKeras:
    """A Keras model in a `StatelessScope`, which lends its variables other values.

    It is called, not its `stateless_call`: that one passes by what Keras does around the outermost
    call, and forgets losses of a layer that is used twice.
    """

    batch_by_batch = True

    def __init__(self, model: Any, row_shape: tuple[int, ...]) -> None:
        layers = _layers(model)
        _refuse_what_would_differ(model, layers)
        self._model: Callable[[], Any] = weakref.ref(model)
        generators = [generator for layer in layers for generator in _seed_generators(layer)]
        own_seeds = [each for each in generators if each.get_config()["seed"] is not None]
        self._to_seed = {id(each.state) for each in generators} - {id(s.state) for s in own_seeds}
        self.key: Hashable = tuple(map(_settings, layers))
        self.programs = _programs.setdefault(model, {})
        # XLA draws other random numbers than Keras, and does not round between bfloat16 operations.
        self.xla = not own_seeds and all(map(_suits_xla, layers))
        self.input_shape = _input_shape(model, row_shape)
        self.outputs = _outputs(model, self.input_shape)
        self.final_activation = _final_activation(model)
        self.parameters = len(model.trainable_variables)
        self.dtype = _dtype(model)

    def read(self, seed: int | None = None) -> tuple[list[Tensor], list[Tensor]]:
        """See `PureModel.read`."""
        tf, model = tensorflow(), self._model()
        rng = None if seed is None else np.random.default_rng([seed, 1])
        state = []
        for variable in model.non_trainable_variables:
            value = tf.convert_to_tensor(variable.value)
            if rng is not None and id(variable) in self._to_seed:
                value = tf.cast(rng.integers(0, 2**31, size=variable.shape), value.dtype)
            state.append(value)
        return [tf.convert_to_tensor(each.value) for each in model.trainable_variables], state

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
        tf, model = tensorflow(), self._model()
        trained, other = model.trainable_variables, model.non_trainable_variables
        lent = [*zip(trained, weights, strict=True), *zip(other, state, strict=True)]
        mode = {"training": training} if _takes_training(model) else {}
        with tf.keras.StatelessScope(lent, collect_losses=True) as scope:
            before = [scope.get_current_value(variable) for variable in trained]
            outputs = model(x, **mode)
            losses = model.losses
        self._refuse_what_the_call_did(scope, before, outputs)
        penalty = tf.zeros((), self.dtype)
        for loss in losses:
            penalty += tf.reduce_sum(tf.cast(loss, self.dtype))
        # A tensor that needs no cast stays itself, with the logits that Keras notes on it.
        outputs = tf.cast(outputs, self.dtype)
        return outputs, [scope.get_current_value(variable) for variable in other], penalty

    def constrain(self, number: int, weight: Tensor) -> Tensor:
        """See `PureModel.constrain`."""
        constraint = self._model().trainable_variables[number].constraint
        return weight if constraint is None else constraint(weight)

    def _refuse_what_the_call_did(self, scope: Any, before: list[Tensor], outputs: Tensor) -> None:
        """Raise where the call changed what a step cannot carry on, or masked its outputs."""
        model = self._model()
        for variable, value in zip(model.trainable_variables, before, strict=True):
            if scope.get_current_value(variable) is not value:
                raise _refusal(
                    model,
                    f"a layer sets {variable.path!r} itself when it is called",
                    "leave that layer out (SpectralNormalization is one), or train the model with "
                    "its own fit",
                )
        measured = [variable for metric in model.metrics for variable in metric.variables]
        if scope.state_mapping.keys() - {id(each) for each in (*model.variables, *measured)}:
            raise _refusal(
                model,
                "a layer changes a variable that is not among the model's",
                "make a recurrent layer without stateful=True; give a layer that draws random "
                "numbers a keras.random.SeedGenerator, and draw with seed=that",
            )
        if getattr(outputs, "_keras_mask", None) is not None:
            raise _refusal(
                model,
                "its outputs carry a mask, which leaves rows out of the loss",
                "leave out the rows and the Masking layer",
            )


def _layers(model: Any) -> list[Any]:
    """The model and all layers inside it, each once."""
    found: dict[int, Any] = {}
    waiting = [model]
    while waiting:
        layer = waiting.pop()
        if id(layer) not in found:
            found[id(layer)] = layer
            waiting.extend(_held(layer, tensorflow().keras.Layer))
    return list(found.values())


def _held(layer: Any, kind: type) -> Iterator[Any]:
    """The objects of this kind among a layer's attributes, or in lists there."""
    for value in vars(layer).values():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, kind):
                yield item


def _seed_generators(layer: Any) -> Iterator[Any]:
    return _held(layer, tensorflow().keras.random.SeedGenerator)


def _settings(layer: Any) -> Hashable:
    """What shows that a layer was exchanged or set otherwise: frozen, given another activation."""
    public = tuple(
        (name, id(value) if callable(value) else value)
        for name, value in vars(layer).items()
        if not name.startswith("_")
        and (value is None or isinstance(value, bool | int | float | str) or callable(value))
    )
    return weakref.ref(layer), layer.trainable, public


def _suits_xla(layer: Any) -> bool:
    return type(layer).__name__ in DENSE_LAYERS and layer.compute_dtype in ("float32", "float64")


def _takes_training(model: Any) -> bool:
    return "training" in inspect.signature(model.call).parameters


def _input_shape(model: Any, row_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a row; the data's where the model leaves it open."""
    shape = getattr(model, "input_shape", None)
    if shape is None:
        return row_shape
    own = tuple(shape[1:])
    if len(own) == len(row_shape):
        own = tuple(row_shape[i] if size is None else size for i, size in enumerate(own))
    if None in own:
        raise _refusal(
            model,
            f"its rows have the shape {own}, those of the data {row_shape}",
            "give its Input layer whole numbers, or the data that shape",
        )
    return own


def _outputs(model: Any, input_shape: tuple[int, ...]) -> int:
    """How many numbers the model answers a row with."""
    shape = getattr(model, "output_shape", None)
    if shape is None:
        rows = tensorflow().keras.KerasTensor((None, *input_shape))
        try:
            shape = getattr(model.compute_output_spec(rows), "shape", None)
        except (TypeError, ValueError) as error:
            raise _refusal(
                model, f"it takes no rows of shape {input_shape}: {error}", "reshape the data's x"
            ) from error
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] is None:
        raise _refusal(
            model,
            f"its output has the shape {shape}, and not one row of numbers, (None, k)",
            "end it with a Flatten or a Dense layer",
        )
    return int(shape[1])


def _final_activation(model: Any) -> str | None:
    """The name of the activation in the last layer; None where there is none, or none is known."""
    last = model
    while getattr(last, "layers", None):
        last = last.layers[-1]
    if type(last).__name__ == "Softmax":
        return "softmax"
    name = getattr(getattr(last, "activation", None), "__name__", None)
    return {"linear": "identity"}.get(name, name) if name else None


def _dtype(model: Any) -> str:
    dtypes = {str(variable.dtype) for variable in model.trainable_variables}
    if len(dtypes) > 1:
        raise _refusal(
            model, "its weights are of several dtypes", "build all layers under one dtype policy"
        )
    dtype = dtypes.pop() if dtypes else str(model.variable_dtype)
    if dtype not in ("float32", "float64"):
        raise _refusal(
            model,
            f"its weights are of dtype {dtype}, too coarse to sum a loss or count steps in",
            "use mixed_bfloat16, which keeps the weights in float32",
        )
    return dtype


def _refuse_what_would_differ(model: Any, layers: list[Any]) -> None:
    """Raise where the compiled loop would not compute what `keras.Model.fit` computes."""
    own = [name for name in STEPS_OF_KERAS if _overridden(model, name)]
    if not model.built:
        raise _refusal(
            model,
            "it has no weights yet",
            "give it an Input layer, call model.build(input_shape), or call it on some rows",
        )
    if own:
        raise _refusal(model, f"it has a {own[0]} of its own", "train it with its own fit")
    shapes = getattr(model, "input_shape", ()), getattr(model, "output_shape", ())
    if not all(isinstance(shape, tuple) for shape in shapes):
        raise _refusal(model, "it has several inputs or outputs", "train it with its own fit")
    if {layer.dtype_policy.name for layer in layers} & {"float16", "mixed_float16"}:
        raise _refusal(
            model, "float16 needs loss scaling, which fit does not do", "use mixed_bfloat16"
        )


def _overridden(model: Any, name: str) -> bool:
    theirs = getattr(tensorflow().keras.Model, name, None)
    return getattr(getattr(model, name, None), "__func__", None) is not theirs


def _refusal(model: Any, wrong: str, fix: str) -> TrainingError:
    return TrainingError(
        situation="While preparing the Keras model for training",
        seen=f"{type(model).__name__} {model.name!r}",
        wrong=f"{wrong}, so that fit cannot train it as Keras would",
        fix=fix,
    )
