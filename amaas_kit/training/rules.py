"""Update rules: how a gradient changes a parameter.

Each rule is a frozen set of constants, Keras's defaults, with a pure `step` for one array. The same
lines serve NumPy arrays in a lesson and TensorFlow tensors inside the compiled loop.

Taught in: notebooks/03_gradient_descent.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow

Array = Any
"""A NumPy array or a TensorFlow tensor: whatever knows +, -, *, / and **."""

Slots = tuple[Array, ...]
"""What a rule remembers of one parameter between steps: arrays of its shape, zeros at first."""


class Rule(Protocol):
    """What `fit` needs of an update rule."""

    slot_count: ClassVar[int]

    @property
    def learning_rate(self) -> float:
        """The step size."""

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update, without touching what it is given.

        Args:
            w: the parameter, of any shape.
            dw: the gradient of the loss, of the same shape.
            slots: `slot_count` arrays of the same shape, zeros before the first step.
            t: the number of this step, counted from 1.
            lr: the learning rate of this step.

        Returns:
            The new parameter and the new slots.
        """


@dataclass(frozen=True)
class SGD:
    """Gradient descent: w <- w - lr * dw."""

    learning_rate: float = 0.01
    slot_count: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _check_constants(self)

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update; see `Rule.step`."""
        return w - lr * dw, slots


@dataclass(frozen=True)
class Momentum:
    """Heavy ball: m <- momentum * m - lr * dw; w <- w + m (Polyak, 1964)."""

    learning_rate: float = 0.01
    momentum: float = 0.9
    slot_count: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check_constants(self)

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update; see `Rule.step`."""
        (m,) = slots
        m = self.momentum * m - lr * dw
        return w + m, (m,)


@dataclass(frozen=True)
class Nesterov:
    """Momentum that looks ahead: m as in `Momentum`; w <- w + momentum * m - lr * dw.

    The form of Sutskever et al. (2013) with the parameter at the look-ahead point, as Keras has it.
    """

    learning_rate: float = 0.01
    momentum: float = 0.9
    slot_count: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check_constants(self)

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update; see `Rule.step`."""
        (m,) = slots
        m = self.momentum * m - lr * dw
        return w + self.momentum * m - lr * dw, (m,)


@dataclass(frozen=True)
class RMSProp:
    """Steps divided by a running root mean square of the gradient (Tieleman and Hinton, 2012)."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    slot_count: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check_constants(self)

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update; see `Rule.step`."""
        (v,) = slots
        v = self.rho * v + (1 - self.rho) * dw * dw
        return w - lr * dw / (v + self.epsilon) ** 0.5, (v,)


@dataclass(frozen=True)
class Adam:
    """Running means of the gradient and of its square, both corrected for their start at zero.

    Kingma and Ba (2015), with the correction folded into the step size as in the end of their
    section 2, which is what Keras computes.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    slot_count: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check_constants(self)

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update; see `Rule.step`."""
        m, v = slots
        m = m + (1 - self.beta_1) * (dw - m)
        v = v + (1 - self.beta_2) * (dw * dw - v)
        corrected = lr * (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        return w - corrected * m / (v**0.5 + self.epsilon), (m, v)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: w shrinks by lr * weight_decay before each update.

    Loshchilov and Hutter (2019). As in Keras, every parameter decays, biases too.
    """

    weight_decay: float = 0.004

    def step(self, w: Array, dw: Array, slots: Slots, t: Array, lr: Array) -> tuple[Array, Slots]:
        """One update; see `Rule.step`."""
        return super().step(w - lr * self.weight_decay * w, dw, slots, t, lr)


def _check_constants(rule: Rule) -> None:
    """Refuse constants with which no rule can work."""
    for field in fields(rule):  # type: ignore[arg-type]
        name, value = field.name, getattr(rule, field.name)
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if name in ("learning_rate", "epsilon"):
            meaning, holds = "greater than 0", number and 0 < value < math.inf
        elif name == "weight_decay":
            meaning, holds = "of 0 or more", number and 0 <= value < math.inf
        else:
            meaning, holds = "of at least 0 and less than 1", number and 0 <= value < 1
        if not holds:
            raise TrainingError(
                situation=f"While making the update rule {type(rule).__name__}",
                seen=f"{name}={value!r}",
                wrong=f"{name} must be a number {meaning}",
                fix=f"leave it out for the default, {field.default!r}, or give such a number",
            )


def from_keras(optimizer: Any) -> Rule:
    """The rule that computes what a Keras optimizer would.

    Args:
        optimizer: a `keras.optimizers` SGD, RMSprop, Adam or AdamW that has not been used yet.

    Raises:
        TrainingError: another optimizer, one in use already, or one with a setting that the kit
            has no rule for (a schedule, clipping, averaging, AMSGrad, centring, weights that do
            not decay …).
    """
    name, config = type(optimizer).__name__, optimizer.get_config()
    rate = config.get("learning_rate")
    unsupported = [
        key
        for key in ("clipnorm", "clipvalue", "global_clipnorm", "use_ema", "amsgrad", "centered",
                    "loss_scale_factor", "gradient_accumulation_steps")
        if config.get(key)
    ]  # fmt: skip
    if name != "AdamW" and config.get("weight_decay"):
        unsupported.append("weight_decay")
    if name == "RMSprop" and config.get("momentum"):
        unsupported.append("momentum")
    if not isinstance(rate, float):
        unsupported.append("learning_rate schedule")
    # Keras tells these nowhere else.
    excluded = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    if name == "AdamW" and any(getattr(optimizer, attribute, None) for attribute in excluded):
        unsupported.append("exclude_from_weight_decay")
    if int(optimizer.iterations):
        unsupported.append(f"{int(optimizer.iterations)} steps done already")
    optimizers = tensorflow().keras.optimizers
    known = (optimizers.SGD, optimizers.RMSprop, optimizers.Adam, optimizers.AdamW)
    if type(optimizer) not in known:
        unsupported.append("a step of its own")
    if unsupported:
        raise TrainingError(
            situation="While reading the Keras optimizer",
            seen=f"{name} with {', '.join(unsupported)}",
            wrong="fit has no update rule that computes the same",
            fix="pass rule=amaas_kit.training.Adam(1e-3), or another of its rules, "
            "or train this model with its own fit",
        )
    if name == "SGD":
        momentum = config["momentum"]
        if not momentum:
            return SGD(rate)
        return Nesterov(rate, momentum) if config["nesterov"] else Momentum(rate, momentum)
    if name == "RMSprop":
        return RMSProp(rate, config["rho"], config["epsilon"])
    constants = (rate, config["beta_1"], config["beta_2"], config["epsilon"])
    return AdamW(*constants, config["weight_decay"]) if name == "AdamW" else Adam(*constants)
