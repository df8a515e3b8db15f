"""What a training run does beside computing: order, repetition, stopping, messages."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from amaas_kit.data import Dataset, load_digits
from amaas_kit.errors import DivergedError, TrainingError
from amaas_kit.network import Network
from amaas_kit.session import tensorflow
from amaas_kit.training import SGD, Adam, evaluate, fit
from amaas_kit.training.history import Epoch
from amaas_kit.training.pure import PureNetwork
from amaas_kit.training.pure_keras import PureKeras


@pytest.fixture(scope="module")
def split():
    return load_digits(seed=0)


def small(rows=100, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % classes
    centres = rng.normal(scale=2, size=(classes, 4))
    x = centres[y] + rng.normal(size=(rows, 4))
    return Dataset(x.astype("float32"), y)


def same(a, b):
    return all((x == y).all() for x, y in zip(a.parameters, b.parameters, strict=True))


def test_the_course_network_learns_the_digits(split):
    network = Network(seed=0)
    history = fit(network, split, Adam(1e-3), epochs=20, batch_size=32, seed=0)
    result = evaluate(network, split.test)
    assert history.stopped == "finished"
    assert history.epochs == history.kept_epoch == 20
    assert history.loss[-1] < history.loss[0] / 10
    assert result.accuracy > 0.94
    assert result.baseline < 0.12


def test_the_same_seed_gives_the_same_weights_bit_for_bit(split):
    networks = [Network(seed=1) for _ in range(3)]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        fit(network, split, epochs=3, seed=seed)
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2])


def test_the_seed_that_was_drawn_repeats_the_run():
    first, second = Network([4, 8, 3], seed=1), Network([4, 8, 3], seed=1)
    history = fit(first, small(), epochs=3)
    fit(second, small(), epochs=3, seed=history.seed)
    assert same(first, second)


def test_a_generator_seeds_a_run_and_moves_on():
    rng = np.random.default_rng(3)
    assert fit(Network([4, 3], seed=1), small(), epochs=1, seed=rng).seed != (
        fit(Network([4, 3], seed=1), small(), epochs=1, seed=rng).seed
    )


@pytest.mark.parametrize("layer", ["Dropout", "Conv2D"])
def test_a_keras_model_trains_the_same_twice(layer):
    keras = tensorflow().keras
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(2)
        body = {
            "Dropout": [keras.layers.Dense(32, activation="relu"), keras.layers.Dropout(0.5)],
            "Conv2D": [
                keras.layers.Reshape((2, 2, 1)),
                keras.layers.Conv2D(4, 2, padding="same"),
                keras.layers.Flatten(),
            ],
        }[layer]
        model = keras.Sequential([keras.Input((4,)), *body, keras.layers.Dense(3)])
        fit(model, small(), epochs=3, seed=9)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_how_the_steps_are_cut_into_calls_changes_nothing(monkeypatch):
    networks, losses = [], []
    for seconds in (0.0, 0.2, 100.0):
        monkeypatch.setattr("amaas_kit.training.loop.SECONDS_PER_CALL", seconds)
        networks.append(Network([4, 8, 3], seed=1))
        losses.append(fit(networks[-1], small(), SGD(0.1), epochs=7, batch_size=16, seed=4).loss)
    assert len(losses[0]) == 7
    for network, loss in zip(networks[1:], losses[1:], strict=True):
        assert same(networks[0], network)
        assert loss == losses[0]


def test_each_epoch_meets_every_row_once():
    """With one weight, SGD and y = 0, each row multiplies the weight by (1 - 2 lr x^2)."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, size=(37, 1)).astype("float32")
    data, start = Dataset(x, np.zeros(37, "float32")), 0.7
    keras = tensorflow().keras
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, dtype="float64")]
    )
    model.set_weights([np.array([[start]])])
    fit(model, data, SGD(0.01), epochs=2, batch_size=1)
    expected = start * np.prod((1 - 2 * 0.01 * x.astype("float64") ** 2) ** 2)
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", [PureNetwork, PureKeras])
def test_a_second_fit_of_the_same_kind_compiles_nothing(kind, monkeypatch):
    keras = tensorflow().keras
    apply, traced = kind.apply, []

    def counted(*arguments, **keywords):
        traced.append(1)
        return apply(*arguments, **keywords)

    monkeypatch.setattr(kind, "apply", counted)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(9), keras.layers.Dense(3)])
    counts = []
    for rate, seed, epochs in ((0.1, 1, 3), (0.2, 2, 5), (0.01, 3, 40)):
        if kind is PureNetwork:
            model = Network([4, 7, 3], seed=seed)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        fit(model, small(seed=seed), SGD(rate), epochs, batch_size=16, seed=seed, loss=loss)
        evaluate(model, small(seed=seed))
        counts.append(len(traced))
    assert counts[0] > 0
    assert counts[1:] == counts[:1] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda keras, model: setattr(model.layers[0], "activation", keras.activations.tanh),
        lambda keras, model: setattr(model.layers[1], "trainable", False),
        lambda keras, model: model.add(keras.layers.Activation("tanh")),
    ],
    ids=["another activation", "a frozen layer without weights", "one layer more"],
)
def test_a_model_that_was_changed_is_compiled_anew(change):
    keras = tensorflow().keras

    def make():
        norm = keras.layers.BatchNormalization(center=False, scale=False)
        layers = [keras.layers.Dense(6, activation="relu"), norm, keras.layers.Dense(3)]
        return keras.Sequential([keras.Input((4,)), *layers])

    used, fresh = make(), make()
    fit(used, small(), SGD(0.1), epochs=1, shuffle=False)
    fresh.set_weights(used.get_weights())
    for model in (used, fresh):
        change(keras, model)
        fit(model, small(), SGD(0.1), epochs=1, shuffle=False)
    for a, b in zip(used.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_xla_cannot_compile_trains_without_it():
    tf = tensorflow()
    keras = tf.keras

    def relu_in_numpy(z):
        positive = tf.numpy_function(lambda a: (a > 0).astype("float32"), [z], tf.float32)
        return z * tf.ensure_shape(positive, z.shape)

    weights = []
    for activation in ("relu", relu_in_numpy):
        keras.utils.set_random_seed(1)
        hidden = keras.layers.Dense(6, activation=activation)
        model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(3)])
        fit(model, small(), SGD(0.1), epochs=2, seed=1)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_many_sizes_of_data_raise_no_alarm_about_retracing(caplog):
    for rows in range(20, 30):
        network = Network([4, 9, 3], seed=1)
        fit(network, small(rows), SGD(0.1), epochs=1, batch_size=4)
        evaluate(network, small(rows))
    assert "retracing" not in caplog.text


def test_validation_of_many_rows_is_measured_in_pieces(monkeypatch):
    network, data = Network([4, 6, 3], seed=1), small(1000)
    monkeypatch.setattr("amaas_kit.training.program.ROWS_AT_ONCE", 64)
    measured = evaluate(Network([4, 6, 3], seed=1), data)
    loss, _ = network.loss_and_gradients(data.x, data.y)
    assert measured.loss == pytest.approx(loss, rel=1e-5)
    assert measured.accuracy == np.mean(network.predict(data.x) == data.y)


def test_early_stopping_keeps_the_best_weights_not_the_last():
    train, held_out = small(30, seed=0), small(60, seed=1)
    network = Network([4, 32, 3], seed=1)
    seen = []

    def keep(history):
        seen.append([p.copy() for p in network.parameters])

    history = fit(
        network, train, Adam(0.05), 200, 10, seed=1, validation=held_out, patience=5,
        callbacks=[keep],
    )  # fmt: skip
    assert history.stopped == "early"
    assert history.epochs == history.best_epoch + 5
    assert history.kept_epoch == history.best_epoch
    for mine, best in zip(network.parameters, seen[history.best_epoch - 1], strict=True):
        np.testing.assert_array_equal(mine, best)
    assert evaluate(network, held_out).loss == pytest.approx(min(history.val_loss), rel=1e-5)


def test_callbacks_see_each_epoch_and_the_models_weights():
    network, data, losses = Network([4, 8, 3], seed=1), small(), []

    def look(history):
        losses.append(network.loss_and_gradients(data.x, data.y)[0])
        assert history.val_loss[-1] == pytest.approx(losses[-1], rel=1e-4)

    fit(network, data, epochs=4, batch_size=16, validation=data, callbacks=[look], seed=1)
    assert len(losses) == 4


def test_a_callback_may_end_the_run():
    network = Network([4, 8, 3], seed=1)
    history = fit(
        network, small(), epochs=50, callbacks=[lambda history: np.bool_(history.epochs == 3)]
    )
    assert history.stopped == "by callback"
    assert history.epochs == history.kept_epoch == 3


def test_the_stop_button_keeps_what_was_learnt(capsys):
    network, twin = Network([4, 8, 3], seed=1), Network([4, 8, 3], seed=1)

    def press_stop(history):
        if history.epochs == 5:
            raise KeyboardInterrupt

    history = fit(network, small(), epochs=1000, seed=2, callbacks=[press_stop])
    fit(twin, small(), epochs=5, seed=2)
    assert history.stopped == "interrupted"
    assert history.epochs == 5
    assert same(network, twin)
    assert "after 5 of 1000 epochs" in capsys.readouterr().out


def test_control_c_ends_a_long_run_within_a_second():
    program = textwrap.dedent("""
        import time, numpy as np
        from amaas_kit.data import Dataset
        from amaas_kit.network import Network
        from amaas_kit.training import fit
        rng = np.random.default_rng(0)
        data = Dataset(rng.random((20000, 64), dtype="float32"), rng.integers(0, 10, 20000))
        network = Network([64, 256, 256, 10], seed=0)
        before = network.parameters[0].copy()
        fit(network, data, epochs=1)
        print("ready", flush=True)
        history = fit(network, data, epochs=100_000)
        print(history.stopped, (network.parameters[0] != before).any(), flush=True)
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline().strip() == "ready"
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1.5)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
    finally:
        child.kill()
    assert child.returncode == 0, err
    assert "interrupted True" in out


@pytest.mark.parametrize(
    ("watched", "stopped", "kept"), [(1, "interrupted", 4), (0, "finished", 9)]
)
def test_control_c_in_the_middle_of_writing_leaves_no_half_written_model(
    watched, stopped, kept, monkeypatch
):
    """Either when a callback is about to look, wrapped by TensorFlow, or in the last write."""
    keras = tensorflow().keras
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(5, activation="relu"), keras.layers.Dense(3)]
        models.append(keras.Sequential([keras.Input((4,)), *layers]))
    write, pressed = PureKeras.write, []

    def interrupted(self, weights, state):
        pressed.append(1)
        if len(pressed) != (4 if watched else 1):
            return write(self, weights, state)
        write(self, [*weights[:2], weights[2] * 0, weights[3]], state)
        if watched:
            raise SystemError from KeyboardInterrupt()
        raise KeyboardInterrupt

    monkeypatch.setattr(PureKeras, "write", interrupted)
    callbacks = [lambda history: None] * watched
    history = fit(models[0], small(), epochs=9, seed=2, callbacks=callbacks)
    monkeypatch.undo()
    fit(models[1], small(), epochs=kept, seed=2)
    assert history.stopped == stopped
    assert history.kept_epoch == kept
    for a, b in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rate", [1e-3, 1e30])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_callback_may_ask_to_be_told_the_end(rate):
    class Watcher:
        told: tuple[str, int] | None = None

        def __call__(self, history):
            assert self.told is None

        def ended(self, history):
            self.told = history.stopped, history.epochs

    watcher = Watcher()
    with contextlib.suppress(DivergedError):
        fit(Network([4, 8, 3], seed=1), small(), SGD(rate), epochs=2, callbacks=[watcher])
    assert watcher.told == (("finished", 2) if rate < 1 else ("diverged", 0))


def test_a_callback_that_fails_leaves_the_weights_of_its_epoch():
    network, twin = Network([4, 8, 3], seed=1), Network([4, 8, 3], seed=1)

    def fail(history):
        if history.epochs == 3:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk"):
        fit(network, small(), epochs=9, seed=2, callbacks=[fail])
    fit(twin, small(), epochs=3, seed=2)
    assert same(network, twin)


def test_another_process_finds_the_same_weights_and_history():
    program = textwrap.dedent("""
        import numpy as np
        from amaas_kit.data import load_digits
        from amaas_kit.session import tensorflow
        from amaas_kit.training import fit
        keras = tensorflow().keras
        keras.utils.set_random_seed(4)
        layers = keras.layers
        model = keras.Sequential([
            keras.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.Dropout(0.3),
            layers.Flatten(), layers.Dense(10),
        ])
        history = fit(model, load_digits(seed=0), epochs=2, seed=5)
        print([w.astype("float64").sum().hex() for w in model.get_weights()], history.records)
    """)
    command = [sys.executable, "-c", program]
    runs = [subprocess.run(command, check=True, capture_output=True) for _ in range(2)]
    assert runs[0].stdout
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.parametrize("batch_size", [10, 100])
def test_a_rate_that_diverges_stops_and_keeps_the_last_finite_weights(batch_size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 4)).astype("float32")
    data = Dataset(x, (x.sum(axis=1)).astype("float32"))
    network, twin = Network([4, 8, 1], seed=1), Network([4, 8, 1], seed=1)
    rule = SGD(3.0 if batch_size == 10 else 1.2)
    with pytest.raises(DivergedError) as caught:
        fit(network, data, rule, epochs=500, batch_size=batch_size, seed=1)
    history = caught.value.history
    assert f"epoch {history.epochs + 1}" in caught.value.seen
    assert f"{rule.learning_rate:g}" in caught.value.wrong
    assert history.stopped == "diverged"
    assert np.isfinite(history.loss).all()
    if history.epochs:
        fit(twin, data, rule, epochs=history.epochs, batch_size=batch_size, seed=1)
    assert all(np.isfinite(p).all() for p in network.parameters)
    assert same(network, twin)


def test_the_models_dtype_is_kept():
    network = Network([4, 8, 3], seed=1, dtype="float64")
    fit(network, small(), epochs=2)
    assert network.parameters[0].dtype == np.float64


def wide(rows=40):
    return Dataset(np.ones((rows, 8), "float32"), np.arange(rows) % 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda n: fit(n, small(), epochs=0), ["epochs=0", "1 or more"]),
        (lambda n: fit(n, small(), epochs=2.5), ["epochs=2.5"]),
        (lambda n: fit(n, small(), epochs=True), ["epochs=True"]),
        (lambda n: fit(n, small(), batch_size=0), ["batch_size=0"]),
        (lambda n: fit(n, small(), batch_size=-8), ["batch_size=-8"]),
        (lambda n: fit(n, small(20), batch_size=32), ["batch_size=32", "20 training rows"]),
        (lambda n: fit(n, small(), patience=0), ["patience=0"]),
        (lambda n: fit(n, small(), patience=3), ["no validation rows"]),
        (lambda n: fit(n, small(), seed=-1), ["seed=-1"]),
        (lambda n: fit(n, small(), seed="x"), ["seed='x'"]),
        (lambda n: fit(n, small(), rule="adam"), ["rule='adam'"]),
        (lambda n: fit(n, small(), rule=Adam), ["rule=<class", "Adam(1e-3)"]),
        (lambda n: fit(n, small(), callbacks=print), ["callbacks=", "in a list"]),
        (lambda n: fit(n, small(), callbacks=["best"]), ["callbacks=['best']"]),
        (lambda n: fit(n, (small().x, small().y)), ["data is a tuple", "Dataset(x, y)"]),
        (lambda n: fit(n, small(), validation=(1, 2)), ["validation is a tuple"]),
        (lambda n: evaluate(n, (small().x, small().y)), ["data is a tuple"]),
        (lambda n: fit(n, small(), loss="mse"), ["1 value(s)", "3 output(s)", "cross_entropy"]),
        (lambda n: fit(n, small(), loss="mae"), ["1 value(s)", "3 output(s)"]),
        (lambda n: fit(n, small(), loss="categorical_crossentropy"), ["1 value(s)"]),
        (
            lambda n: fit(
                Network([4, 1]),
                Dataset(small().x, small().y + 0.5),
                loss="binary_cross_entropy",
            ),
            ["labels from 0.5 to 2.5", "between 0 (no) and 1 (yes)"],
        ),
        (lambda n: fit(n, small(), loss="crossentropy"), ["loss='crossentropy'"]),
        (lambda n: fit(n, wide()), ["rows of 8 numbers", "(4,)"]),
        (lambda n: fit(n, small(classes=5)), ["labels from 0 to 4", "3 output"]),
        (lambda n: fit(n, small(), validation=wide()), ["validation rows of 8"]),
        (lambda n: fit(n, small(), loss="binary_cross_entropy"), ["3 outputs", "single output"]),
        (lambda n: fit("model", small()), ["a str"]),
        (lambda n: fit(Network([4, 1]), small(classes=2)), ["a model with 1 output"]),
        (
            lambda n: fit(n, Dataset(small().x, small().y.astype("float32") + 0.5)),
            ["1 value(s)", "3 output(s)"],
        ),
        (
            lambda n: fit(n, Dataset(small().x, small().y + 0.5), loss="cross_entropy"),
            ["float32", "class labels"],
        ),
        (lambda n: fit(Network([4, 3], activations=["softmax"]), small()), ["softmax", "twice"]),
    ],
)
def test_settings_that_cannot_work_are_named_and_change_nothing(call, words):
    network = Network([4, 8, 3], seed=1)
    before = [p.copy() for p in network.parameters]
    with pytest.raises(TrainingError) as caught:
        call(network)
    for word in words:
        assert word in str(caught.value)
    for now, then in zip(network.parameters, before, strict=True):
        np.testing.assert_array_equal(now, then)


def own_train_step(keras):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def train_step(self, *_):
            return {}

    model = Own()
    model(np.ones((1, 4), "float32"))
    return model


def two_inputs(keras):
    a, b = keras.Input((2,)), keras.Input((2,))
    return keras.Model([a, b], keras.layers.Dense(3)(keras.layers.Concatenate()([a, b])))


def ending_with(keras, *layers, **input_settings):
    return keras.Sequential([keras.Input((4,), **input_settings), keras.layers.Dense(3), *layers])


def patched(keras):
    model = ending_with(keras)
    model.train_step = lambda data: {}
    return model


def own_loss(keras):
    class Own(keras.Model):
        def _compute_loss(self, *_, **__):
            return 0.0

    inputs = keras.Input((4,))
    return Own(inputs, keras.layers.Dense(3)(inputs))


def noise_from_the_global_seed(keras):
    class Noise(keras.Layer):
        def call(self, x):
            return x + keras.random.normal(keras.ops.shape(x))

    return ending_with(keras, Noise())


def remembers_its_state(keras):
    layers = keras.layers
    body = [layers.Reshape((2, 2)), layers.GRU(3, stateful=True)]
    return keras.Sequential([keras.Input(batch_shape=(20, 4)), *body])


def no_way_back(keras):
    class Stop(keras.Layer):
        def call(self, x):
            return keras.ops.stop_gradient(x)

    return ending_with(keras, Stop())


def looks_up(keras):
    layers = [keras.layers.Embedding(9, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((4,)), *layers])


def spectral(keras):
    return ending_with(keras, keras.layers.SpectralNormalization(keras.layers.Dense(3)))


def masked(keras):
    return keras.Sequential([keras.Input((4,)), keras.layers.Masking(), keras.layers.Dense(3)])


def compiled(keras, **settings):
    model = ending_with(keras)
    model.compile("sgd", **settings)
    return model


def of_dtype(keras, dtype):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype=dtype)])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (own_train_step, "train_step"),
        (two_inputs, "several inputs"),
        (patched, "train_step"),
        (own_loss, "_compute_loss"),
        (noise_from_the_global_seed, "keras.random.SeedGenerator"),
        (remembers_its_state, "stateful=True"),
        (no_way_back, "no gradient"),
        (looks_up, "Embedding"),
        (spectral, "SpectralNormalization"),
        (masked, "mask"),
        (lambda keras: ending_with(keras, keras.layers.Reshape((3, 1))), "(None, 3, 1)"),
        (lambda keras: ending_with(keras, keras.layers.Reshape((1, 3))), "(None, 1, 3)"),
        (lambda keras: compiled(keras, loss="mse", loss_weights=[0.5]), "loss_weights=[0.5]"),
        (lambda keras: compiled(keras, loss={"a": "mse"}), "'a': 'mse'"),
        (compiled, "no loss"),
        (lambda keras: of_dtype(keras, "mixed_float16"), "float16"),
        (lambda keras: of_dtype(keras, "bfloat16"), "bfloat16"),
        (lambda keras: keras.Sequential([keras.layers.Dense(3)]), "no weights yet"),
        (
            lambda keras: keras.Sequential([keras.Input((4,)), keras.layers.Softmax()]),
            "no weights that train",
        ),
        (
            lambda keras: keras.Sequential(
                [keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]
            ),
            "softmax",
        ),
    ],
)
def test_keras_models_that_would_train_otherwise_are_refused(make, word):
    model = make(tensorflow().keras)
    before = model.get_weights()
    with pytest.raises(TrainingError) as caught:
        fit(model, small(), batch_size=20)
    assert word in str(caught.value)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_pictures_with_their_axes_in_another_order_are_refused():
    keras = tensorflow().keras
    layers = [keras.Input((3, 4)), keras.layers.Flatten(), keras.layers.Dense(3)]
    pictures = Dataset(np.ones((9, 4, 3), "float32"), np.arange(9) % 3)
    with pytest.raises(TrainingError, match=r"rows of shape \(4, 3\).*input is \(3, 4\)"):
        fit(keras.Sequential(layers), pictures, batch_size=3)


def test_a_frozen_model_can_be_measured_but_not_trained():
    keras = tensorflow().keras
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    measured = evaluate(model, small())
    model.trainable = False
    assert evaluate(model, small()) == measured
    with pytest.raises(TrainingError, match="no weights that train"):
        fit(model, small())


def test_the_baseline_is_measured_with_the_loss():
    data = Dataset(np.ones((4, 2), "float32"), np.array([0.0, 0.0, 0.0, 4.0]))
    assert evaluate(Network([2, 1]), data).baseline == 3.0  # variance
    assert evaluate(Network([2, 1]), data, loss="mae").baseline == 1.5
    yes = Dataset(np.ones((4, 2), "float32"), np.array([0, 0, 0, 1]))
    assert evaluate(Network([2, 1]), yes, loss="binary_cross_entropy").baseline == 0.75
    assert evaluate(Network([2, 1]), yes, loss="mse").baseline == 0.1875


def test_an_epoch_that_cannot_be_measured_is_never_the_best():
    history = fit(Network([4, 3], seed=1), small(), epochs=1)
    history.records[:] = [Epoch(1.0, None, value, None) for value in (np.nan, 3.0, 2.0, np.nan)]
    assert history.best_epoch == 3


def test_a_forgotten_keras_model_leaves_memory():
    import gc
    import weakref

    keras = tensorflow().keras
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    fit(model, small(), epochs=1)
    evaluate(model, small())
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_history_tells_and_draws_the_run():
    data = small()
    history = fit(Network([4, 8, 3], seed=1), data, epochs=4, validation=data, seed=1)
    assert "4 epochs" in repr(history)
    assert history.data.rows == 100
    assert history.data.minimum == data.x.min()
    figure = history.plot()
    labels = {axis.get_ylabel(): axis for axis in figure.axes}
    assert set(labels) == {"loss", "accuracy"}
    drawn = [list(line.get_ydata()) for line in labels["loss"].get_lines()[:2]]
    assert drawn == [history.loss, history.val_loss]
