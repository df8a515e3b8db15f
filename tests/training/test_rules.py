"""Update rules against Keras's optimizers, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from amaas_kit.errors import TrainingError
from amaas_kit.session import tensorflow
from amaas_kit.training import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp
from amaas_kit.training.rules import from_keras

RULES = [SGD(), Momentum(), Nesterov(), RMSProp(), Adam(), AdamW()]


def keras_optimizer(rule):
    optimizers = tensorflow().keras.optimizers
    rate = rule.learning_rate
    return {
        "SGD": lambda: optimizers.SGD(rate),
        "Momentum": lambda: optimizers.SGD(rate, momentum=0.9),
        "Nesterov": lambda: optimizers.SGD(rate, momentum=0.9, nesterov=True),
        "RMSProp": lambda: optimizers.RMSprop(rate),
        "Adam": lambda: optimizers.Adam(rate),
        "AdamW": lambda: optimizers.AdamW(rate),
    }[type(rule).__name__]()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_twenty_steps_equal_those_of_keras(rule):
    tf = tensorflow()
    rng = np.random.default_rng(5)
    w = rng.normal(size=(4, 3)).astype("float32")
    variable = tf.keras.Variable(w)
    optimizer = keras_optimizer(rule)
    slots = tuple(np.zeros_like(w) for _ in range(rule.slot_count))
    for t in range(1, 21):
        dw = rng.normal(size=w.shape, scale=10.0 ** rng.integers(-3, 2)).astype("float32")
        w, slots = rule.step(w, dw, slots, t, rule.learning_rate)
        optimizer.apply([tf.constant(dw)], [variable])
    np.testing.assert_allclose(w, variable.numpy(), rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize(
    "rule", [SGD(), RMSProp(), Adam(), AdamW()], ids=lambda rule: type(rule).__name__
)
def test_defaults_are_those_of_keras(rule):
    keras = tensorflow().keras.optimizers
    name = {"RMSProp": "RMSprop"}.get(type(rule).__name__, type(rule).__name__)
    read = from_keras(getattr(keras, name)())
    assert type(read) is type(rule)
    for field, value in vars(rule).items():
        assert getattr(read, field) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_step_changes_nothing_that_it_was_given(rule):
    w, dw = np.ones(3), np.full(3, 0.5)
    slots = tuple(np.full(3, 0.25) for _ in range(rule.slot_count))
    rule.step(w, dw, slots, 1, 0.1)
    assert (w == 1).all()
    assert (dw == 0.5).all()
    assert all((slot == 0.25).all() for slot in slots)


def test_a_rate_may_be_any_real_number():
    assert SGD(np.float32(0.5)) == SGD(0.5)
    assert SGD(1).learning_rate == 1


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: SGD(0), "learning_rate=0"),
        (lambda: SGD(-0.1), "learning_rate=-0.1"),
        (lambda: Adam(float("nan")), "learning_rate=nan"),
        (lambda: Adam(float("inf")), "learning_rate=inf"),
        (lambda: SGD("0.1"), "learning_rate='0.1'"),
        (lambda: SGD(True), "learning_rate=True"),
        (lambda: Adam(beta_1=1.0), "beta_1=1.0"),
        (lambda: Momentum(momentum=-0.5), "momentum=-0.5"),
        (lambda: RMSProp(epsilon=0), "epsilon=0"),
        (lambda: AdamW(weight_decay=-1), "weight_decay=-1"),
    ],
)
def test_constants_that_cannot_work_are_named(make, named):
    with pytest.raises(TrainingError) as caught:
        make()
    assert named in caught.value.seen
    assert "default" in caught.value.fix


def without_decay_of_biases(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda o: o.Adam(clipnorm=1.0), "clipnorm"),
        (lambda o: o.Adam(amsgrad=True), "amsgrad"),
        (lambda o: o.SGD(weight_decay=0.1), "weight_decay"),
        (lambda o: o.RMSprop(momentum=0.5), "momentum"),
        (lambda o: o.RMSprop(centered=True), "centered"),
        (lambda o: o.Adam(o.schedules.ExponentialDecay(0.1, 10, 0.9)), "schedule"),
        (lambda o: o.Adam(use_ema=True), "use_ema"),
        (lambda o: o.LossScaleOptimizer(o.Adam()), "LossScaleOptimizer"),
        (lambda o: o.Adagrad(), "Adagrad"),
        (lambda o: type("Adam", (o.Adam,), {})(), "a step of its own"),
        (lambda o: without_decay_of_biases(o.AdamW()), "exclude_from_weight_decay"),
    ],
)
def test_keras_optimizers_without_a_rule_are_refused(make, named):
    with pytest.raises(TrainingError) as caught:
        from_keras(make(tensorflow().keras.optimizers))
    assert named in caught.value.seen


def test_a_used_keras_optimizer_is_refused():
    tf = tensorflow()
    optimizer, variable = tf.keras.optimizers.Adam(), tf.keras.Variable(np.ones(2))
    optimizer.apply([tf.ones(2)], [variable])
    with pytest.raises(TrainingError, match="steps done already"):
        from_keras(optimizer)
