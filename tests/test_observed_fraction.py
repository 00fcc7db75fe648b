"""`ObservedFraction`: observed over unmasked positions, whatever the predictions and weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import compile_, set_mask, tensor, to_numpy

NAN = float("nan")
LABELS = np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN], [0.0, 5.0, NAN], [1.0, 2.0, 3.0]])


def fraction(*batches: tuple[Any, ...], **options: Any) -> float:
    metric = km.metrics.ObservedFraction(**options)
    for batch in batches:
        metric.update_state(*batch)
    return float(to_numpy(metric.result()))


@pytest.mark.parametrize("shape", [(12,), (4, 3), (2, 3, 2), (2, 1, 3, 2)], ids=str)
def test_counts_what_is_left(shape: tuple[int, ...]) -> None:
    labels = LABELS.reshape(shape)
    left = labels[~np.isnan(labels)]
    assert fraction((labels,)) == pytest.approx(len(left) / labels.size)


def test_any_split_into_batches() -> None:
    whole = fraction((LABELS,))
    assert fraction((LABELS[:1],), (LABELS[1:],)) == pytest.approx(whole)
    assert fraction(*((LABELS[i : i + 1],) for i in range(4))) == pytest.approx(whole)


@pytest.mark.parametrize("missing", [-9999.0, np.inf, (-9999.0, "nan"), (-1, -9999.0)], ids=str)
def test_sentinel(missing: Any) -> None:
    markers = missing if isinstance(missing, tuple) else (missing,)
    labels = LABELS.copy()
    labels[np.isnan(labels)] = np.resize(np.array(markers, "float64"), 5)
    assert fraction((labels,), missing=missing) == pytest.approx(7 / 12)


def test_only_what_is_named_is_missing() -> None:
    assert fraction((LABELS,), missing=-1) == 1.0
    assert fraction((np.array([[255, 1]], "uint8"),), missing=-1) == 1.0
    assert fraction((np.array([[-1, 1, 2]]),), missing=-1) == pytest.approx(2 / 3)
    assert fraction((np.array([[-1, 1, 2]]),)) == 1.0
    assert fraction((np.array([[True, False]]),)) == 1.0


def test_one_hot_labels_are_missing_as_a_whole() -> None:
    one_hot = np.eye(4)[[0, 1, 2, 3]]
    one_hot[1, 2] = NAN
    assert fraction((one_hot,), label_axes=1) == 0.75
    assert fraction((one_hot,)) == 15 / 16
    mask = np.array([True, True, False, True])
    predictions = set_mask(np.zeros((4, 4)), mask)
    assert fraction((one_hot, predictions), label_axes=1) == pytest.approx(2 / 3)


@pytest.mark.parametrize("shape", [(4,), (4, 3)], ids=str)
def test_masked_positions_are_no_positions(shape: tuple[int, ...]) -> None:
    mask = np.random.default_rng(1).random(shape) < 0.6
    full = np.broadcast_to(mask.reshape(shape + (1,) * (2 - len(shape))), LABELS.shape)
    kept = LABELS[full]
    expected = np.mean(~np.isnan(kept))
    predictions = set_mask(np.full(LABELS.shape, NAN), mask)
    assert fraction((LABELS, predictions)) == pytest.approx(expected)


def test_mask_of_sequences() -> None:
    """(B, T) masks of predictions (B, T, 1) belong to labels (B, T, 1), and (B, T) as well."""
    mask = np.array([[True, True, False], [True, False, False], [True] * 3, [False] * 3])
    expected = np.mean(~np.isnan(LABELS[mask]))
    predictions = set_mask(np.zeros((4, 3, 1)), mask)
    assert fraction((LABELS[..., None], predictions)) == pytest.approx(expected)
    assert fraction((LABELS, predictions)) == pytest.approx(expected)


def test_weights_and_predictions_are_ignored() -> None:
    garbage = np.full((4, 3), NAN)
    for batch in [
        (LABELS, garbage),
        (LABELS, garbage, np.zeros(4)),
        (LABELS, None, np.arange(4)),
        (LABELS, np.zeros((4, 9))),
    ]:
        assert fraction(batch) == pytest.approx(7 / 12)


def test_nothing_is_zero_and_no_nan() -> None:
    metric = km.metrics.ObservedFraction()
    assert float(to_numpy(metric.result())) == 0.0
    assert fraction((np.full((2, 3), NAN),)) == 0.0
    masked = set_mask(np.zeros((4, 3)), np.zeros(4, bool))
    assert fraction((LABELS, masked)) == 0.0
    metric.update_state(LABELS)
    assert float(to_numpy(metric.support())) == 7
    metric.reset_state()
    assert float(to_numpy(metric.result())) == 0.0
    assert float(to_numpy(metric.support())) == 0


def test_counts_do_not_saturate() -> None:
    """In plain float32, 2^24 plus a single one stays 2^24."""
    metric = km.metrics.ObservedFraction()
    for counter in (metric._observed, metric._positions):
        counter.add(tensor(2.0**24, "float32"))
    for _ in range(64):
        metric.update_state(np.array([NAN, 1.0]))
    assert float(to_numpy(metric.support())) == 2.0**24 + 64
    assert float(to_numpy(metric.result())) == pytest.approx((2**24 + 64) / (2**24 + 128), rel=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half(dtype: str) -> None:
    labels = np.where(np.isnan(LABELS), -9999.0, LABELS)
    metric = km.metrics.ObservedFraction(missing=-9999.0, dtype=dtype)
    metric.update_state(tensor(labels, dtype))
    assert dtype in str(metric.result().dtype)
    np.testing.assert_allclose(to_numpy(metric.result()), 7 / 12, rtol=2.0**-8)


def test_compiles() -> None:
    def update(labels: Any) -> Any:
        metric = km.metrics.ObservedFraction(missing=(-1, "nan"))
        return metric.stateless_result(
            metric.stateless_update_state([v.value for v in metric.variables], labels)
        )

    if keras.config.backend() != "jax":
        pytest.skip("stateless calls are what JAX's trainer compiles")
    value = compile_(update)(tensor(LABELS, "float32"))
    np.testing.assert_allclose(to_numpy(value), 7 / 12, rtol=1e-6)


def test_config() -> None:
    metric = km.metrics.ObservedFraction("share", missing=(-1, "nan"), label_axes=1)
    config = metric.get_config()
    assert set(config) == {"name", "dtype", "missing", "label_axes", "censored"}
    copy = km.metrics.deserialize(km.metrics.serialize(metric))
    assert type(copy) is km.metrics.ObservedFraction
    assert copy.get_config() == config
    with pytest.raises(ValueError, match="colour"):
        km.metrics.ObservedFraction.from_config({**config, "colour": 1})
    assert km.metrics.ObservedFraction().name == "observed_fraction"


@pytest.mark.parametrize("label_axes", [2, -1, "1"])
def test_bad_label_axes(label_axes: Any) -> None:
    with pytest.raises(ValueError, match=f"`label_axes`.*label_axes={label_axes!r}"):
        km.metrics.ObservedFraction(label_axes=label_axes)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`y_true`.*masked array"):
        fraction((np.ma.masked_array(LABELS, mask=np.isnan(LABELS)),))
    with pytest.raises(ValueError, match=r"(?s)`mask`.*\(5,\).*\(4, 3\)"):
        fraction((LABELS, set_mask(np.zeros((5, 3)), np.ones(5, bool))))
    with pytest.raises(ValueError, match="`missing`"):
        km.metrics.ObservedFraction(missing=())


def test_in_evaluate() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model.compile(loss=km.losses.MeanSquaredError(), metrics=[km.metrics.ObservedFraction()])
    logs = model.evaluate(np.zeros((4, 3)), LABELS, batch_size=3, verbose=0, return_dict=True)
    assert logs["observed_fraction"] == pytest.approx(7 / 12)
