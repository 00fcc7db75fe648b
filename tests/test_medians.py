"""Medians: of bins within their bound, of kept values exactly, and of rows as functions."""

from __future__ import annotations

import pickle
from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from keras_masked.metrics.median_values import bins_of, values_of_bins
from tests.backend import tensor, to_numpy
from tests.median_oracles import ORACLES, weighted_median
from tests.test_metric_values import value_of

M = km.metrics
NAN, INF = np.nan, np.inf
NAMES = pytest.mark.parametrize("name", ORACLES)
CAPACITY = pytest.mark.parametrize("capacity", [None, 40], ids=["bins", "kept"])


def zeros_and(errors: Any) -> tuple[Any, Any]:
    """Labels of 0, whose predictions are their errors."""
    errors = np.asarray(errors, "float32")
    return np.zeros_like(errors), errors


def median_of(errors: Any, weights: Any = None, name: str = "MedianError", **options: Any) -> Any:
    batch = zeros_and(errors) if weights is None else (*zeros_and(errors), np.array(weights))
    return value_of(getattr(M, name)(**options), batch)


# Bins


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 0.1, 1.0, 3.7, 1e4, 1e20])
@pytest.mark.parametrize("seed", range(3))
def test_bins_are_within_their_bound(scale: float, seed: int) -> None:
    """An error is moved by a relative 2^-8 at most, and so is the median of an odd number."""
    rng = np.random.default_rng(seed)
    for shift in (-2.0, 0.0, 2.0):
        errors = (scale * (rng.normal(size=301) + shift)).astype("float32")
        for name, values in (("MedianError", errors), ("MedianAbsoluteDeviation", abs(errors))):
            np.testing.assert_allclose(median_of(errors, name=name), np.median(values), rtol=2**-8)
    # The bound is no looser than it must be: halfway between two numbers of bfloat16.
    assert abs(median_of([scale * 2**-7]) / (scale * 2**-7) - 1) <= 2**-8


def test_bins_of_all_scales_at_once() -> None:
    rng = np.random.default_rng(0)
    errors = rng.choice([-1, 1], 10_001) * 10 ** rng.uniform(-20, 20, 10_001)
    errors = errors.astype("float32")
    metric = M.MedianAbsoluteDeviation()
    for part in np.split(errors[:10_000], 4):
        metric.update_state(*zeros_and(part))
    found = value_of(metric, zeros_and(errors[10_000:]))
    np.testing.assert_allclose(found, np.median(abs(errors)), rtol=2**-8)
    assert found != np.median(abs(errors))  # it is of bins


def test_rounding_is_half_up_in_magnitude() -> None:
    one = 1 + 2.0**-7  # next to 1 in bfloat16
    halfway = 1 + 2.0**-8
    for sign in (1, -1):
        assert median_of([sign * halfway]) == sign * one
        assert median_of([sign * (halfway - 2.0**-20)]) == sign
        assert median_of([sign * (halfway - 2.0**-20)], name="MedianAbsoluteDeviation") == 1


@pytest.mark.parametrize("error", [0.0, -0.0, 3e38, -3.4e38, 1e-45, -1e-40, INF, -INF])
def test_ends_of_the_scale(error: float) -> None:
    found = median_of([error, error, error])
    np.testing.assert_allclose(found, error, rtol=2**-7, atol=1e-38)
    assert np.isfinite(found) == np.isfinite(error)
    found = median_of([error], name="MedianAbsoluteDeviation")
    np.testing.assert_allclose(found, abs(error), rtol=2**-7, atol=1e-38)
    assert np.isfinite(found) == np.isfinite(error)


def test_zeros_of_both_signs_are_one_bin() -> None:
    assert median_of([-1.0, -0.0, 0.0, 1.0]) == 0
    assert median_of([-1.0, -0.0, 0.0, 0.0, 5.0], [1.0, 1.0, 1.0, 1.0, 4.0]) == 2.5


def test_every_bin_has_its_value() -> None:
    """All numbers of bfloat16: negative ones, positive ones, and infinities."""
    positive = (np.arange(0x7F81, dtype="uint32") << 16).view("float32")
    for signed, numbers in (
        (False, positive),
        (True, np.concatenate([-positive[:0:-1], positive])),
    ):
        bins = keras.ops.convert_to_numpy(bins_of(tensor(numbers), signed))
        assert len(np.unique(bins)) == len(numbers)
        assert (np.diff(bins) == 1).all()
        with np.errstate(invalid="ignore"):  # which widening the NaNs among them is
            values = to_numpy(values_of_bins(signed))
        np.testing.assert_array_equal(values[bins], numbers)
        nan = keras.ops.convert_to_numpy(bins_of(tensor([NAN, -NAN]), signed))
        assert (nan == len(values) - 1).all()
        assert np.isnan(values[-1])


def test_size_of_the_state() -> None:
    for name, bins in (("MedianError", 65536), ("MADStandardDeviation", 32768)):
        assert [v.shape for v in getattr(M, name)().variables] == [(bins,)] * 2
        columns = M.PerLabel(getattr(M, name)(), ["a", "b"])
        assert [v.shape for v in columns.variables] == [(bins, 2)] * 2
    kept = M.MedianError(capacity=7)
    assert sum(np.prod(v.shape) for v in kept.variables) == 2 * 7 + 3


# Weights, ties, emptiness


@CAPACITY
def test_weights(capacity: int | None) -> None:
    errors = [5.0, -1.0, 2.0, 3.0]
    assert median_of(errors, capacity=capacity) == 2.5
    assert median_of(errors[1:], capacity=capacity) == 2
    repeated = np.repeat(errors, [1, 4, 0, 2])
    for weights in ([1, 4, 0, 2], [0.5, 2, 0, 1], [0.1, 0.4, 0, 0.2]):
        assert median_of(errors, weights, capacity=capacity) == np.median(repeated)
    # Half of the weight exactly, also where its sums are rounded.
    for scale in (1, 0.1, 1 / 3, 1e-4, 1e4):
        found = median_of(errors, np.array([1, 1, 2, 2]) * scale, capacity=capacity)
        assert found == 2.5
        found = median_of(errors, np.full(4, scale), capacity=capacity)
        assert found == 2.5
    # The next value of any weight, not the next one.
    assert median_of([1.0, 2.0, 4.0], [1, 0, 1], capacity=capacity) == 2.5


@CAPACITY
def test_half_of_the_weight_in_another_order(capacity: int | None) -> None:
    """The same weights below and above: sums that differ by their rounding alone."""
    rng = np.random.default_rng(3)
    for _ in range(8):
        weights = rng.random(20)
        both = np.concatenate([rng.permutation(weights), rng.permutation(weights)])
        errors = np.repeat([-1.0, 2.0], 20)
        assert median_of(errors, both, capacity=capacity) == 0.5
        assert median_of(-errors, both, capacity=capacity) == -0.5


@CAPACITY
def test_a_weight_far_below_the_whole(capacity: int | None) -> None:
    """No rounding error is taken for half of the weight, nor a small weight for one."""
    assert median_of([1.0, 2.0, 3.0], [2**20, 1, 2**20], capacity=capacity) == 2
    assert median_of([1.0, 2.0, 3.0], [2**20 + 1, 1, 2**20 - 1], capacity=capacity) == 1
    assert median_of([1.0, 2.0, 3.0], [2**20, 1, 2**20 + 1], capacity=capacity) == 2.5


@NAMES
@CAPACITY
@pytest.mark.parametrize("count", [1, 2, 3, 8, 9])
def test_ties_and_counts(name: str, capacity: int | None, count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(10):
        errors = rng.integers(-3, 4, count) / 2
        weights = rng.integers(0, 4, count).astype("float64")
        weights[0] = 1
        for w in (np.ones(count), weights):
            expected = ORACLES[name](np.zeros(count), errors, w)
            found = median_of(errors, w, name, capacity=capacity)
            np.testing.assert_allclose(found, expected, rtol=1e-6)


@NAMES
@CAPACITY
def test_nothing_observed(name: str, capacity: int | None) -> None:
    metric = getattr(M, name)(capacity=capacity)
    assert np.isnan(to_numpy(metric.result()))
    assert np.isnan(value_of(metric, (np.array([NAN, NAN]), np.array([1.0, NAN]))))
    assert np.isnan(value_of(metric, (np.ones(2), np.array([1.0, NAN]), np.zeros(2))))
    assert to_numpy(metric.support()) == 0
    assert value_of(metric, zeros_and([2.0])) == value_of(getattr(M, name)(), zeros_and([2.0]))


@CAPACITY
def test_infinite_predictions(capacity: int | None) -> None:
    assert median_of([INF, 1.0, 2.0], capacity=capacity) == 2
    assert median_of([-INF, 1.0, 2.0], capacity=capacity) == 1
    assert median_of([INF, INF, 2.0], capacity=capacity) == INF
    assert median_of([-INF, -INF, 2.0, 3.0], capacity=capacity) == -INF
    assert median_of([INF, 2.0], capacity=capacity) == INF
    assert np.isnan(median_of([-INF, INF], capacity=capacity))  # as np.median says
    assert median_of([-INF, 1.0, INF], capacity=capacity) == 1
    assert median_of([-INF, 1.0], name="MedianAbsoluteDeviation", capacity=capacity) == INF


@CAPACITY
def test_divergence_is_seen_and_support_stays(capacity: int | None) -> None:
    metric = M.MedianError(capacity=capacity)
    labels = np.array([NAN, 0.0, 0.0, 0.0])
    assert value_of(metric, (labels, np.array([NAN, 1.0, 2.0, 3.0]))) == 2
    for sign in (1, -1):
        diverged = M.MedianError(capacity=capacity)
        diverged.merge_state([metric])
        found = value_of(diverged, (labels, np.array([0.0, 1.0, np.copysign(NAN, sign), 3.0])))
        assert np.isnan(found)
        assert to_numpy(diverged.support()) == 6
        assert np.isnan(value_of(diverged, zeros_and(np.ones(9))))


# Capacity


@NAMES
def test_capacity_is_exact(name: str) -> None:
    rng = np.random.default_rng(4)
    errors, w = rng.normal(size=41), rng.random(41)
    errors = errors.astype("float32")
    metric = getattr(M, name)(capacity=41)
    for part in (slice(0, 1), slice(1, 30), slice(30, 41)):
        metric.update_state(*zeros_and(errors[part]), w[part])
    expected = ORACLES[name](np.zeros(41), errors.astype("float64"), w)
    np.testing.assert_allclose(to_numpy(metric.result()), expected, rtol=1e-6)


def test_more_labels_than_fit() -> None:
    """NaN, never the median of some of them."""
    metric = M.MedianError(capacity=4)
    labels, errors = np.array([0.0, NAN, 0.0, 0.0]), np.array([1.0, 9.0, 3.0, 9.0])
    weights = np.array([1.0, 1.0, 1.0, 0.0])
    metric.update_state(labels, errors, weights)
    assert value_of(metric, (labels, errors, weights)) == 2  # full: 1, 3, 1, 3
    copy = pickle.loads(pickle.dumps(metric))
    nothing = np.full(9, NAN), np.ones(9)
    assert value_of(metric, nothing) == 2
    for each in (metric, copy):
        assert np.isnan(value_of(each, zeros_and([2.0])))
        assert np.isnan(value_of(each, nothing))
        assert to_numpy(each.support()) == 5
    metric.reset_state()
    assert value_of(metric, zeros_and([7.0])) == 7
    assert np.isnan(median_of(np.ones(5), capacity=4))


def test_merging_more_than_fit() -> None:
    parts = [M.MedianError(capacity=3) for _ in range(3)]
    for metric, errors in zip(parts, ([4.0, 2.0], [3.0], [1.0]), strict=True):
        metric.update_state(*zeros_and(errors))
    parts[0].merge_state([parts[1]])
    assert to_numpy(parts[0].result()) == 3
    parts[0].merge_state([parts[2]])
    assert np.isnan(to_numpy(parts[0].result()))
    assert to_numpy(parts[0].support()) == 4
    new = M.MedianError(capacity=3)
    new.merge_state([parts[0]])  # what has not fitted there is not known here either
    assert np.isnan(to_numpy(new.result()))


@pytest.mark.parametrize("capacity", [0, -1, 2.0, True, "9", 2**24, [3]], ids=repr)
def test_bad_capacity(capacity: Any) -> None:
    with pytest.raises(ValueError, match=r"`capacity`.*capacity=") as error:
        M.MedianError(capacity=capacity)
    assert repr(capacity) in str(error.value)


def test_capacity_of_numpy() -> None:
    config = M.MedianError(capacity=np.int64(3)).get_config()
    assert type(config["capacity"]) is int


# The oracle


def test_the_oracle() -> None:
    rng = np.random.default_rng(11)
    for n in (1, 2, 5, 8):
        values, weights = rng.integers(-3, 4, n).astype("float64"), rng.integers(1, 4, n)
        assert weighted_median(values, weights) == np.median(np.repeat(values, weights))
        assert weighted_median(values, np.full(n, 0.1)) == np.median(values)
    assert np.isnan(weighted_median(values, 0 * weights))
