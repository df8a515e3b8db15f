"""A network: how it is made, what it computes, and how its parameters are reached."""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from amaas_kit.errors import NetworkError
from amaas_kit.network import ACTIVATIONS, LOSSES, Dense, Network


def rows(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


class TestMaking:
    def test_the_courses_network_is_the_default(self):
        net = Network()
        assert net.sizes == [64, 128, 64, 10]
        assert net.activations == ["relu", "relu", "identity"]
        assert net.dtype == "float32"
        assert net.count_parameters() == 64 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10 == 17_226
        assert net.bytes == 4 * 17_226
        assert Network(dtype="float64").bytes == 8 * 17_226

    def test_it_says_what_it_is(self):
        text = repr(Network([3, 2, 1], "tanh"))
        assert text == "Network(3-2-1, tanh identity, float32, 11 parameters)"

    def test_one_name_is_for_all_layers_but_the_last(self):
        assert Network([3, 4, 5, 2], "gelu").activations == ["gelu", "gelu", "identity"]

    def test_one_name_a_layer(self):
        names = ["softplus", "sigmoid"]
        assert Network([3, 4, 2], names).activations == names

    def test_a_seed_draws_the_same_weights_again(self):
        first, again, other = Network(seed=7), Network(seed=7), Network(seed=8)
        for p, q, r in zip(first.parameters, again.parameters, other.parameters, strict=True):
            np.testing.assert_array_equal(p, q)
            assert p.ndim == 1 or (p != r).any()

    def test_a_generator_is_drawn_from_and_moves_on(self):
        rng = np.random.default_rng(7)
        first, second = Network([3, 2], seed=rng), Network([3, 2], seed=rng)
        np.testing.assert_array_equal(first.layers[0].w, Network([3, 2], seed=7).layers[0].w)
        assert (first.layers[0].w != second.layers[0].w).any()

    def test_no_global_state_is_touched(self):
        before = np.random.get_state()[1].copy()
        Network()
        np.testing.assert_array_equal(np.random.get_state()[1], before)

    def test_both_dtypes_draw_the_same_numbers(self):
        single, double = Network(seed=1), Network(seed=1, dtype="float64")
        for p, q in zip(single.parameters, double.parameters, strict=True):
            np.testing.assert_array_equal(p, q.astype("float32"))

    @pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
    def test_weights_have_hes_or_glorots_variance_and_biases_are_zero(self, name):
        w, b = Network([400, 900, 2], name, seed=0).parameters[:2]
        variance = 2 / 400 if name in {"relu", "leaky_relu", "gelu"} else 2 / (400 + 900)
        assert np.var(w) == pytest.approx(variance, rel=0.02)
        assert np.mean(w) == pytest.approx(0, abs=0.001)
        assert not b.any()

    def test_layers_of_ones_own_make_a_network_that_shares_them(self):
        layers = [Dense(np.ones((3, 2)), np.zeros(2), "relu"), Dense(np.ones((2, 1)), np.zeros(1))]
        net = Network.from_layers(layers)
        assert net.sizes == [3, 2, 1]
        assert net.forward(np.ones((1, 3))) == 6
        layers[0].w *= 2
        assert net.forward(np.ones((1, 3))) == 12


class TestForward:
    def test_it_is_one_layer_after_the_other(self):
        net = Network([4, 3, 2], ["tanh", "softmax"], seed=0, dtype="float64")
        w0, b0, w1, b1 = net.parameters
        x = rows(5, 4)
        expected = scipy.special.softmax(np.tanh(x @ w0 + b0) @ w1 + b1, axis=1)
        np.testing.assert_allclose(net.forward(x), expected, rtol=1e-13)

    @given(
        st.lists(st.integers(1, 6), min_size=2, max_size=5),
        st.integers(1, 5),
        st.sampled_from(["float32", "float64"]),
    )
    @settings(deadline=None)
    def test_trace_leads_from_the_rows_to_the_outputs(self, sizes, n, dtype):
        net = Network(sizes, seed=0, dtype=dtype)
        x = rows(n, sizes[0])
        steps = net.trace(x)
        assert len(steps) == len(net.layers)
        np.testing.assert_array_equal(steps[0].x, x.astype(dtype))
        np.testing.assert_array_equal(steps[-1].a, net.forward(x))
        for layer, step in zip(net.layers, steps, strict=True):
            np.testing.assert_array_equal(step.z, step.x @ layer.w + layer.b)
            np.testing.assert_array_equal(step.a, layer.activation.value(step.z))
            assert step.z.dtype == step.a.dtype == dtype
        for before, after in pairwise(steps):
            assert after.x is before.a

    @pytest.mark.parametrize("kind", ["int64", "uint8", "bool", "float16", "float64"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_numbers_of_other_dtypes_are_cast_to_the_networks(self, kind, dtype):
        net = Network([3, 2], seed=0, dtype=dtype)
        x = np.array([[0, 1, 1], [1, 0, 1]])
        outputs = net.forward(x.astype(kind))
        assert outputs.dtype == dtype
        np.testing.assert_array_equal(outputs, net.forward(x.astype(dtype)))

    def test_a_row_in_company_is_answered_as_alone(self):
        net = Network(seed=0, dtype="float64")
        x = rows(6, 64)
        for i in range(6):
            np.testing.assert_allclose(net.forward(x[i : i + 1])[0], net.forward(x)[i], atol=1e-13)

    def test_a_nested_list_is_taken_for_rows(self):
        net = Network([2, 1], seed=0)
        np.testing.assert_array_equal(net.forward([[1, 2]]), net.forward(np.array([[1.0, 2.0]])))


class TestPredict:
    x = rows(6, 4)

    def test_several_outputs_are_classes(self):
        net = Network([4, 3], seed=0)
        np.testing.assert_array_equal(net.predict(self.x), np.argmax(net.forward(self.x), axis=1))

    def test_one_output_is_a_value_a_row(self):
        net = Network([4, 1], seed=0)
        np.testing.assert_array_equal(net.predict(self.x), net.forward(self.x)[:, 0])

    def test_the_loss_says_what_the_outputs_are(self):
        several, one = Network([4, 3], seed=0), Network([4, 1], seed=0)
        np.testing.assert_array_equal(several.predict(self.x, "mse"), several.forward(self.x))
        yes = scipy.special.expit(one.forward(self.x)[:, 0]) > 0.5
        np.testing.assert_array_equal(one.predict(self.x, "binary_cross_entropy"), yes)


class TestParameters:
    def test_they_come_as_w_and_b_of_each_layer(self):
        net = Network([3, 2, 1])
        first, second = net.layers
        expected = [first.w, first.b, second.w, second.b]
        assert all(p is q for p, q in zip(net.parameters, expected, strict=True))

    def test_changing_one_in_place_changes_the_network(self):
        net = Network([3, 2], seed=0)
        before = net.forward(np.ones((1, 3)))
        for p in net.parameters:
            p += 1  # noqa: PLW2901
        np.testing.assert_allclose(net.forward(np.ones((1, 3))), before + 4, rtol=1e-6)

    def test_a_step_down_the_gradients_lowers_the_loss(self):
        net = Network([4, 8, 3], seed=0)
        x, y = rows(20, 4), np.arange(20) % 3
        loss, gradients = net.loss_and_gradients(x, y)
        for p, g in zip(net.parameters, [g for pair in gradients for g in pair], strict=True):
            p -= 0.1 * g  # noqa: PLW2901
        assert net.loss_and_gradients(x, y)[0] < loss

    def test_assigning_to_a_place_writes_into_the_network(self):
        net = Network([3, 2], seed=0)
        w = net.layers[0].w
        net.parameters[0] = np.full((3, 2), 2.0)
        net.parameters[1] += 1
        assert net.layers[0].w is w
        np.testing.assert_array_equal(net.forward(np.ones((1, 3))), [[7, 7]])

    @pytest.mark.parametrize("value", [np.zeros((2, 3)), 0.0, np.zeros((3, 2), str)])
    def test_assigning_what_does_not_fit_is_refused(self, value, says):
        net = Network([3, 2])
        with pytest.raises(NetworkError) as error:
            net.parameters[0] = value
        says(error, "parameter 0", "(3, 2)")

    def test_setting_them_copies(self):
        source, target = Network([3, 2, 1], seed=0), Network([3, 2, 1], seed=1)
        live = target.parameters
        target.set_parameters(source.parameters)
        x = rows(3, 3)
        np.testing.assert_array_equal(target.forward(x), source.forward(x))
        live[0][:] = 0
        assert source.layers[0].w.any()
        assert not target.layers[0].w.any()

    def test_setting_them_keeps_the_dtype(self):
        net = Network([3, 2])
        net.set_parameters([np.ones((3, 2)), np.ones(2)])
        assert {p.dtype.name for p in net.parameters} == {"float32"}

    @pytest.mark.parametrize(
        "arrays",
        [
            [np.zeros((3, 2))],
            [np.zeros((3, 2)), np.zeros((1, 2))],
            [np.zeros((2, 3)), np.zeros(2)],
            [np.ones((3, 2)), np.array(["a", "b"])],
        ],
    )
    def test_setting_what_does_not_fit_changes_nothing(self, arrays, says):
        net = Network([3, 2], seed=0)
        before = [p.copy() for p in net.parameters]
        with pytest.raises(NetworkError) as error:
            net.set_parameters(arrays)
        says(error, "[(3, 2), (2,)]", str(arrays[0].shape))
        for p, q in zip(net.parameters, before, strict=True):
            np.testing.assert_array_equal(p, q)


class TestCopies:
    def test_a_copy_is_equal_and_its_own(self):
        net = Network([3, 2], seed=0)
        twin = net.copy()
        net.layers[0].w[:] = 0
        assert twin.layers[0].w.any()
        assert twin.dtype == "float32"

    def test_a_copy_of_another_dtype_has_the_same_numbers(self):
        net = Network([3, 2, 1], "gelu", seed=0)
        double = net.copy("float64")
        assert double.dtype == "float64"
        assert double.activations == net.activations
        for p, q in zip(net.parameters, double.parameters, strict=True):
            np.testing.assert_array_equal(p, q)

    @pytest.mark.parametrize("clone", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
    def test_pythons_own_copies_work(self, clone):
        net = Network([3, 2, 1], "gelu", seed=0)
        np.testing.assert_array_equal(clone(net).forward(rows(2, 3)), net.forward(rows(2, 3)))


class TestGradients:
    @given(
        sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4),
        name=st.sampled_from(["tanh", "sigmoid", "softplus", "gelu", "softmax"]),
        loss=st.sampled_from(sorted(LOSSES)),
        seed=st.integers(0, 1000),
    )
    @settings(deadline=None, max_examples=40)
    def test_they_are_the_slopes_of_the_loss(self, sizes, name, loss, seed):
        last = {"cross_entropy": 3, "binary_cross_entropy": 1}.get(loss, sizes[-1])
        names = [name] * (len(sizes) - 2) + ["identity"]
        net = Network([*sizes[:-1], last], names, seed, dtype="float64")
        x = rows(4, sizes[0], seed)
        y = np.arange(4) % 2 if loss != "mse" else rows(4, last, seed + 1)
        _, gradients = net.loss_and_gradients(x, y, loss)
        flat = [g for pair in gradients for g in pair]
        for p, g in zip(net.parameters, flat, strict=True):
            assert g.shape == p.shape
            for place in np.ndindex(p.shape):
                kept, values = p[place], []
                for step in (1e-5, -1e-5):
                    p[place] = kept + step
                    values.append(net.loss_and_gradients(x, y, loss)[0])
                p[place] = kept
                assert g[place] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-8)

    def test_they_keep_the_networks_dtype(self):
        for dtype in ("float32", "float64"):
            net = Network([3, 4, 2], dtype=dtype)
            loss, gradients = net.loss_and_gradients(rows(5, 3), np.arange(5) % 2)
            assert isinstance(loss, float)
            assert {g.dtype.name for pair in gradients for g in pair} == {dtype}

    def test_the_loss_follows_the_truths_dtype(self):
        x = rows(4, 3)
        net = Network([3, 2], seed=0)
        assert (
            net.loss_and_gradients(x, [0, 1, 1, 0])[0]
            == net.loss_and_gradients(x, [0, 1, 1, 0], "cross_entropy")[0]
        )
        y = rows(4, 2)
        assert net.loss_and_gradients(x, y)[0] == net.loss_and_gradients(x, y, LOSSES["mse"])[0]

    def test_a_flat_truth_against_one_output_is_a_column(self):
        net = Network([3, 1], seed=0, dtype="float64")
        x, y = rows(5, 3), np.arange(5.0)
        flat, column = net.loss_and_gradients(x, y), net.loss_and_gradients(x, y[:, None])
        w, b = net.parameters
        assert flat[0] == column[0] == pytest.approx(np.mean((x @ w[:, 0] + b[0] - y) ** 2))
        np.testing.assert_array_equal(flat[1][0][0], column[1][0][0])

    def test_shares_of_a_batch_average_to_the_whole(self):
        net = Network([4, 5, 3], seed=0, dtype="float64")
        x, y = rows(6, 4), np.array([0, 1, 2, 2, 1, 0])
        _, whole = net.loss_and_gradients(x, y)
        _, first = net.loss_and_gradients(x[:2], y[:2])
        _, second = net.loss_and_gradients(x[2:], y[2:])
        for w, f, s in zip(whole, first, second, strict=True):
            np.testing.assert_allclose(w[0], (2 * f[0] + 4 * s[0]) / 6, atol=1e-14)


class TestBadMaking:
    @pytest.mark.parametrize(
        "sizes", [[], [64], [64, 0, 10], [64, -3], [64, 2.5], [64, True], ["64", "10"]]
    )
    def test_sizes_that_make_no_network(self, sizes, says):
        with pytest.raises(NetworkError) as error:
            Network(sizes)
        says(error, f"sizes={sizes}", "whole numbers")

    @pytest.mark.parametrize("dtype", ["float16", "int32", "complex64", "double precision", None])
    def test_dtypes_that_networks_do_not_have(self, dtype, says):
        with pytest.raises(NetworkError) as error:
            Network(dtype=dtype)
        says(error, f"dtype={dtype!r}", "float32", "float64")
        with pytest.raises(NetworkError):
            Network().copy("int8")

    def test_another_number_of_activations_than_layers(self, says):
        with pytest.raises(NetworkError) as error:
            Network([4, 3, 2], ["relu"])
        says(error, "1 activations", "2 layers", "['relu', 'identity']")

    def test_one_name_where_there_is_only_the_last_layer(self, says):
        with pytest.raises(NetworkError) as error:
            Network([4, 2], "tanh")
        says(error, "'tanh'", "activations=['tanh']")

    def test_an_unknown_activation(self, says):
        with pytest.raises(NetworkError) as error:
            Network([4, 3, 2], "ReLU")
        says(error, "'ReLU'", "relu")

    def test_layers_that_do_not_follow_each_other(self, says):
        layers = [Dense(np.ones((3, 2)), np.zeros(2)), Dense(np.ones((4, 1)), np.zeros(1))]
        with pytest.raises(NetworkError) as error:
            Network.from_layers(layers)
        says(error, "Dense(3 -> 2", "Dense(4 -> 1", "w of shape (2, 1)")

    def test_layers_of_two_dtypes(self, says):
        layers = [
            Dense(np.ones((3, 2)), np.zeros(2)),
            Dense(np.ones((2, 1), "float32"), np.zeros(1, "float32")),
        ]
        with pytest.raises(NetworkError) as error:
            Network.from_layers(layers)
        says(error, "float64", "float32", "one dtype")

    def test_no_layer(self, says):
        with pytest.raises(NetworkError) as error:
            Network.from_layers([])
        says(error, "no layer")
