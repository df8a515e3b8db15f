"""The scalar graph against derivatives by small steps, and against its own rules."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amaas_kit.errors import NetworkError
from amaas_kit.network import Network, Value

NEAR = st.floats(0.25, 4) | st.floats(-4, -0.25)

OPERATIONS = {
    "a + b": (lambda a, b: a + b, lambda a, b: (1, 1)),
    "a - b": (lambda a, b: a - b, lambda a, b: (1, -1)),
    "a * b": (lambda a, b: a * b, lambda a, b: (b, a)),
    "a / b": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "abs(a) ** b": (
        lambda a, b: ((a * a) ** 0.5) ** b,
        lambda a, b: (
            b * abs(a) ** (b - 1) * math.copysign(1, a),
            abs(a) ** b * math.log(abs(a)),
        ),
    ),
    "a ** 3": (lambda a, b: a**3 + 0 * b, lambda a, b: (3 * a**2, 0)),
    "a ** 0": (lambda a, b: a**0 + 0 * b, lambda a, b: (0, 0)),
    "a ** -2": (lambda a, b: a**-2 + 0 * b, lambda a, b: (-2 / a**3, 0)),
    "-a * b": (lambda a, b: -a * b, lambda a, b: (-b, -a)),
    "a + a * a": (lambda a, b: a + a * a + 0 * b, lambda a, b: (1 + 2 * a, 0)),
    "2 + a": (lambda a, b: 2 + a + 0 * b, lambda a, b: (1, 0)),
    "2 - a": (lambda a, b: 2 - a + 0 * b, lambda a, b: (-1, 0)),
    "2 * a": (lambda a, b: 2 * a + 0 * b, lambda a, b: (2, 0)),
    "2 / a": (lambda a, b: 2 / a + 0 * b, lambda a, b: (-2 / a**2, 0)),
    "2 ** a": (lambda a, b: 2**a + 0 * b, lambda a, b: (2**a * math.log(2), 0)),
    "a - 2, a / 2": (lambda a, b: (a - 2) * (b / 2), lambda a, b: (b / 2, (a - 2) / 2)),
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=NEAR, b=NEAR)
@settings(deadline=None)
def test_value_is_pythons_and_gradient_is_calculus(name, a, b):
    compute, slopes = OPERATIONS[name]
    x, y = Value(a), Value(b)
    out = compute(x, y)
    out.backward()
    assert out.data == pytest.approx(compute(a, b), rel=1e-12)
    assert (x.grad, y.grad) == pytest.approx(slopes(a, b), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("method", "value", "slope"),
    [
        (Value.exp, math.exp, math.exp),
        (Value.tanh, math.tanh, lambda x: 1 / math.cosh(x) ** 2),
        (Value.relu, lambda x: max(x, 0), lambda x: float(x > 0)),
        (lambda v: (v * v).log(), lambda x: math.log(x * x), lambda x: 2 / x),
    ],
    ids=["exp", "tanh", "relu", "log"],
)
@given(a=NEAR)
@settings(deadline=None)
def test_functions_of_one_value(method, value, slope, a):
    x = Value(a)
    out = method(x)
    out.backward()
    assert out.data == pytest.approx(value(a), rel=1e-12)
    assert x.grad == pytest.approx(slope(a), rel=1e-12)


def test_a_network_of_values_has_the_gradients_of_the_arrays():
    net = Network([2, 3, 1], "tanh", seed=0, dtype="float64")
    x, y = np.array([[0.5, -1.0], [2.0, 0.3]]), np.array([1.0, -1.0])
    loss, ((dw0, db0), (dw1, db1)) = net.loss_and_gradients(x, y)
    w0, b0, w1, b1 = [[Value(v) for v in p.ravel()] for p in net.parameters]

    total = Value(0)
    for (p, q), truth in zip(x, y, strict=True):
        hidden = [(p * w0[j] + q * w0[3 + j] + b0[j]).tanh() for j in range(3)]
        output = sum(h * w for h, w in zip(hidden, w1, strict=True)) + b1[0]
        total += (output - truth) ** 2 / 2
    total.backward()

    assert total.data == pytest.approx(loss, rel=1e-12)
    for values, gradient in zip((w0, b0, w1, b1), (dw0, db0, dw1, db1), strict=True):
        np.testing.assert_allclose([v.grad for v in values], gradient.ravel(), rtol=1e-10)


def test_the_way_back_can_be_watched_addition_by_addition():
    a = Value(2.0, "a")
    b = a * a
    c = b + a
    last = b * c
    seen = []
    for step in last.backward_steps():
        assert step.value.grad == step.total
        seen.append(step)
    assert (seen[0].value, seen[0].child, seen[0].total) == (last, None, 1)
    assert [
        (step.value, step.child, step.slope, step.upstream, step.total) for step in seen[1:]
    ] == [
        (b, last, 6, 1, 6),
        (c, last, 4, 1, 4),
        (b, c, 1, 4, 10),
        (a, c, 1, 4, 4),
        (a, b, 2, 10, 24),
        (a, b, 2, 10, 44),
    ]
    last.backward()
    assert a.grad == 44


def test_a_way_back_that_was_left_in_the_middle_leaves_no_trace():
    x = Value(3.0)
    end = x * x
    steps = end.backward_steps()
    for _ in range(2):
        next(steps)
    assert x.grad == 3
    end.backward()
    assert x.grad == 6


def test_relu_has_slope_zero_at_zero():
    x = Value(0)
    x.relu().backward()
    assert x.grad == 0


def test_a_second_backward_gives_the_same_gradients():
    x = Value(3.0)
    y = x * x
    z = y * y
    for _ in range(3):
        z.backward()
        assert x.grad == 4 * 3**3
        assert y.grad == 2 * 9


def test_gradients_are_of_the_last_value_that_was_asked():
    x = Value(3.0)
    square, double = x * x, 2 * x
    square.backward()
    double.backward()
    assert x.grad == 2
    (square + double).backward()
    assert x.grad == 8


def test_a_hundred_thousand_operations_in_a_chain():
    x = Value(1.0)
    end = x
    for _ in range(50_000):
        end = (end + 1e-5) * 1.0
    end.backward()
    assert end.data == pytest.approx(1.5)
    assert x.grad == 1
    assert len(end.topological_order()) == 1 + 4 * 50_000
    del end


def test_values_that_meet_again_and_again_are_visited_once():
    x = Value(1.0)
    end = x
    for _ in range(200):
        end = end + end
    end.backward()
    assert x.grad == 2.0**200
    assert len(end.topological_order()) == 201


@given(st.data())
@settings(deadline=None)
def test_every_value_comes_after_its_parents_and_once(data):
    values = [Value(1.0, label="x"), Value(2.0)]
    for _ in range(data.draw(st.integers(1, 20))):
        a, b = (data.draw(st.sampled_from(values)) for _ in range(2))
        values.append(a + b if data.draw(st.booleans()) else a * b)
    order = values[-1].topological_order()
    place = {value: i for i, value in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is values[-1]
    assert all(place[parent] < place[value] for value in order for parent in value.parents)


def test_the_graph_can_be_drawn_from_its_parts():
    w, x = Value(2.0, "w"), Value(3.0, label="x")
    z = w * x
    z.label = "z"
    assert (z.operation, z.parents, z.slopes) == ("*", (w, x), (3.0, 2.0))
    assert (w.operation, w.parents) == ("", ())
    assert [v.label for v in z.topological_order()] == ["w", "x", "z"]
    assert (w**2).operation == "**2"
    assert [(w.exp()).operation, (w - x).operation, (-w).operation] == ["exp", "-", "neg"]
    z.backward()
    assert repr(w) == "Value(2, grad=3, label='w')"
    assert repr(Value(0.5)) == "Value(0.5, grad=0)"


def test_numpys_scalars_on_either_side():
    v = Value(3.0)
    for product in (np.float64(2) * v, v * np.float32(2), np.int64(2) * v):
        assert isinstance(product, Value)
        assert product.data == 6


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda: Value(1) / Value(0), ["1 / 0", "division by zero"]),
        (lambda: 1 / Value(0), ["1 / 0"]),
        (lambda: Value(0).log(), ["log(0)", "only positive"]),
        (lambda: Value(-1).log(), ["log(-1)", "only positive"]),
        (lambda: Value(1000).exp(), ["exp(1000)", "largest float"]),
        (lambda: Value(-8) ** (1 / 3), ["-8 ** 0.333333", "no finite real"]),
        (lambda: Value(0) ** 0.5, ["0 ** 0.5", "slope"]),
        (lambda: Value(1e200) ** 2, ["1e+200 ** 2"]),
        (lambda: Value(-2) ** Value(2), ["-2 ** 2"]),
        (lambda: Value(1) + "2", ["'2', a str", "one number"]),
        (lambda: Value(1) * np.ones(2), ["ndarray", "one number"]),
    ],
)
def test_what_has_no_value_or_no_slope_says_so(compute, words, says):
    with pytest.raises(NetworkError) as error:
        compute()
    says(error, *words)
