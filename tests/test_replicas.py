"""On several replicas, a loss is that of one device: the same values, logs and weights.

Real engines in processes of their own: JAX over four host devices, TensorFlow over two logical
CPUs, PyTorch over two processes. The parts of a batch differ in how many labels they lack, and a
last batch is short, where the engine allows that.
"""

import json

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.replicas import common
from tests.replicas.launch import finish, free_ports, start

pytestmark = pytest.mark.slow

BACKEND = keras.config.backend()
CASES = [name for losses in common.GROUPS.values() for name in losses]
UNSUMMED = {"tensorflow": "means", "torch": "unasked"}
"""Where the denominators are not summed over replicas; JAX cannot fail to."""


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """What a script reports, by mode: `one` device, `many`, and many that do not sum."""
    path = tmp_path_factory.mktemp("replicas") / "numbers.json"
    arguments = [(path,)]
    if BACKEND == "torch":
        [port] = free_ports(1)
        arguments = [(rank, port, path) for rank in range(2)]
    finish([start(f"on_{BACKEND}", *each, devices=4) for each in arguments])
    return json.loads(path.read_text())


MOMENTS = ("before", "fit", "after")


def of_case(numbers, name):
    """All numbers of one output: logged losses, and weights."""
    keys = (*(f"{moment}/{name}_loss" for moment in MOMENTS), f"weights/{name}")
    return {key: numbers[key] for key in keys}


def assert_same(actual, expected):
    assert set(actual) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key], value, rtol=2e-5, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_each_loss_is_that_of_one_device(numbers, name):
    one, many = (of_case(numbers[mode], name) for mode in ("one", "many"))
    assert one[f"before/{name}_loss"] > 0.1
    assert one[f"fit/{name}_loss"] != one[f"before/{name}_loss"]
    assert_same(many, one)


@pytest.mark.parametrize("group", common.GROUPS)
def test_the_sum_of_losses_is_that_of_one_device(numbers, group):
    keys = [f"{moment}/total {group}" for moment in MOMENTS]
    one, many = ({key: numbers[mode][key] for key in keys} for mode in ("one", "many"))
    assert_same(many, one)


@pytest.mark.skipif(
    BACKEND == "torch" and not common.KERAS_DISTRIBUTES_TORCH,
    reason="Keras 3.15 leaves metrics to each process",
)
@pytest.mark.parametrize("name", common.METRICS)
def test_a_metric_is_that_of_one_device(numbers, name):
    keys = [f"{moment}/{name}" for moment in MOMENTS]
    one, many = ({key: numbers[mode][key] for key in keys} for mode in ("one", "many"))
    assert_same(many, one)


@pytest.mark.skipif(BACKEND not in UNSUMMED, reason="JAX's sums are over all devices anyway")
@pytest.mark.parametrize("name", common.UNEQUAL)
def test_without_sums_over_replicas_the_loss_differs(numbers, name):
    one, means = (of_case(numbers[mode], name) for mode in ("one", UNSUMMED[BACKEND]))
    # Keras on PyTorch weights what it logs of the processes by their rows, from 3.16 on: a mean of
    # row means is then right in the logs, though not in the gradients.
    logged_right = name == "samples" and BACKEND == "torch" and common.KERAS_DISTRIBUTES_TORCH
    for moment in () if logged_right else ("before", "fit"):
        assert means[f"{moment}/{name}_loss"] != pytest.approx(one[f"{moment}/{name}_loss"], 0.05)
    difference = np.subtract(means[f"weights/{name}"], one[f"weights/{name}"])
    assert np.abs(difference).max() > 1e-3


def test_parts_have_unequal_numbers_of_labels():
    # On JAX, the test above has nothing to switch off: of these data, a mean of means differs.
    for rows, parts in ((8, 4), (4, 2)):
        _, y, _ = common.table(rows, 2, seed=1)
        means = [np.nanmean(part**2) for part in np.split(y, parts)]
        assert np.mean(means) != pytest.approx(np.nanmean(y**2), rel=0.05)


def test_on_one_device_nothing_is_summed():
    loss = km.losses.MeanSquaredError()
    y_true, y_pred = np.array([[1.0, np.nan], [3.0, 4.0]]), np.zeros((2, 2))
    assert float(loss(y_true, y_pred)) == pytest.approx(26 / 3)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch must be told")
def test_replicas_does_nothing_where_the_engine_knows():
    loss = km.losses.MeanSquaredError()
    y_true, y_pred = np.array([[1.0, np.nan], [3.0, 4.0]]), np.zeros((2, 2))
    with km.replicas():
        assert float(loss(y_true, y_pred)) == pytest.approx(26 / 3)


if BACKEND == "torch":

    def test_a_process_alone_need_not_wait(numbers):
        losses = numbers["losses"]
        assert losses["alone"] != pytest.approx(losses["whole"], rel=0.05)
        assert losses["single"] == losses["alone"]

    def test_metrics_of_processes_merge(numbers):
        whole, merged, parts = (numbers["metrics"][key] for key in ("whole", "merged", "parts"))
        assert len(whole) == len(common.METRICS)
        assert_same(merged, whole)
        different = [key for key in whole if parts[key] != pytest.approx(whole[key], rel=0.01)]
        assert len(different) > len(whole) / 2

    def test_replicas_of_a_group(numbers):
        assert numbers["losses"]["grouped"] == pytest.approx(numbers["losses"]["whole"])

    def test_replicas_needs_a_process_group(numbers):
        assert "init_process_group" in numbers["without_group"]

    def test_unasked_is_a_mean_of_means(numbers):
        assert_same(numbers["unasked"], numbers["means"])


@pytest.mark.skipif(BACKEND == "torch", reason="a script for JAX and TensorFlow")
def test_language_model_is_that_of_one_device(tmp_path):
    """Its loss, what its layer logs, and weights; with a kernel over devices, too, on JAX."""
    path = tmp_path / "numbers.json"
    finish([start("vocabulary", path, devices=4)])
    one, *others = json.loads(path.read_text()).values()
    assert len(others) == (2 if BACKEND == "jax" else 1)
    assert one["fit perplexity"][1] < one["fit perplexity"][0]
    for many in others:
        assert set(many) == set(one)
        for key, value in one.items():
            np.testing.assert_allclose(many[key], value, rtol=2e-5, atol=1e-6, err_msg=key)


@pytest.mark.skipif(BACKEND != "torch", reason="a script for PyTorch")
def test_language_model_of_two_processes_is_that_of_one(tmp_path):
    """By the layer's loss and by the function's; without sums over processes, it is another."""
    path, [port] = tmp_path / "numbers.json", free_ports(1)
    finish([start("vocabulary_on_torch", rank, port, path) for rank in range(2)])
    numbers = json.loads(path.read_text())
    for way, one in numbers["one"].items():
        many, unasked = numbers["many"][way], numbers["unasked"][way]
        for key, value in one.items():
            np.testing.assert_allclose(many[key], value, rtol=2e-5, atol=1e-6, err_msg=way)
        assert np.abs(np.subtract(unasked["weights"], one["weights"])).max() > 1e-3


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX has global arrays")
def test_losses_that_layers_add_are_those_of_one_device(tmp_path):
    path = tmp_path / "numbers.json"
    finish([start("endpoints", path, devices=2)])
    for name, (one, two) in json.loads(path.read_text()).items():
        for key, value in one.items():
            np.testing.assert_allclose(
                two[key], value, rtol=2e-5, atol=1e-6, err_msg=f"{name} {key}"
            )
