"""Labels that are bounds where they are measured, normalized, counted and judged."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import tensor, to_numpy

INF, NAN = np.inf, np.nan
Y = np.array(
    [
        [[1.0, 1.0], [-INF, 20.0]],
        [[3.0, INF], [NAN, NAN]],
        [[2.0, 4.0], [40.0, 40.0]],
        [[-INF, INF], [NAN, 5.0]],
    ],
    "float32",
)


def test_how_many_are_observed() -> None:
    assert km.observed_rate(Y, censored=True) == 5 / 8
    assert km.observed_rate(tensor(Y), censored=True, per_column=True) == (3 / 4, 1 / 2)
    with_errors = np.concatenate([Y, np.full((4, 2, 1), NAN, "float32")], axis=-1)
    assert km.observed_rate(with_errors, censored=True) == 5 / 8
    metric = km.metrics.ObservedFraction(censored=True)
    metric.update_state(Y)
    metric.update_state(with_errors, np.ones((4, 2)))
    assert float(metric.result()) == 5 / 8
    with pytest.raises(ValueError, match=r"\(\.\.\., labels, 2\)"):
        km.observed_rate(Y[..., :1], censored=True)


def test_a_loss_that_is_additive() -> None:
    loss = km.losses.MeanSquaredError(
        average="macro",
        observed_rate=km.observed_rate(Y, censored=True, per_column=True),
        censored=True,
    )
    p = np.random.default_rng(0).normal(size=(4, 2)) * 9
    halves = [float(loss(Y[i : i + 2], p[i : i + 2])) for i in (0, 2)]
    assert float(loss(Y, p)) == pytest.approx(np.mean(halves), rel=1e-5)


@pytest.mark.parametrize("missing", ["nan", -9.0])
def test_normalization(missing: Any) -> None:
    """Both ends are mapped, and mapped back a distribution has the likelihood that it had."""
    y = Y.copy()
    if missing != "nan":
        y[np.isnan(y).any(-1)] = missing
        y[0, 0] = [missing, 1.0]  # a marker for one end is a number
    layer = km.layers.LabelNormalization(missing, censored=True)
    layer.adapt(y)
    mean, std = to_numpy(layer.mean), to_numpy(layer.standard_deviation)
    first = 1.0 if missing == "nan" else -4.0
    np.testing.assert_allclose(mean, [np.mean([first, 3, 3]), 30], rtol=1e-6)
    np.testing.assert_allclose(std, [np.std([first, 3, 3]), 10], rtol=1e-6)
    for batch in (y, tensor(y)):
        z = to_numpy(layer(batch))
        gone = np.isnan(y).any(-1) if missing == "nan" else (y == missing).all(-1)
        expected = (y - mean[:, None]) / std[:, None]
        expected[gone] = NAN if missing == "nan" else missing
        np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-6)
    stacked = np.concatenate([y, np.ones((4, 2, 1), "float32")], axis=-1)
    np.testing.assert_allclose(
        to_numpy(layer(stacked))[..., 2], np.tile(1 / std, (4, 1)), rtol=1e-6
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.censored and again.get_config() == layer.get_config()
    back = km.layers.LabelDenormalization(layer, "gaussian")
    p = np.random.default_rng(0).normal(size=(4, 2, 2)).astype("float32")
    loss = km.losses.NegativeLogLikelihood(missing=missing, reduction="sum", censored=True)
    normal, own = float(loss(layer(y), p)), float(loss(y, back(p)))
    exact = (y[..., 0] == y[..., 1]) & ~gone
    rows = (~gone).sum(axis=1, keepdims=True)
    # Of the densities of values; the sum is of the rows' means.
    shift = np.sum(exact * np.log(std) / np.maximum(rows, 1))
    assert own - normal == pytest.approx(shift, rel=1e-4)


def test_normalization_of_other_shapes() -> None:
    layer = km.layers.LabelNormalization(censored=True)
    layer.adapt(iter([Y[:2], Y[2:]]))
    for bad in (Y[..., 0], Y[:, :1], np.ones((4, 2, 4))):
        with pytest.raises(ValueError, match="shape"):
            layer(bad)
    assert layer.compute_output_shape((None, 2, 2)) == (None, 2, 2)


def simulated(n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, what is known of them, and the distributions that they are from."""
    rng = np.random.default_rng(0)
    p = np.stack([rng.normal(size=n), rng.normal(size=n) * 0.3], axis=-1)
    y = p[:, 0] + np.exp(p[:, 1] / 2) * rng.normal(size=n)
    known = km.censored_labels(np.where(y > 0.8, 0.8, y), qualifier=np.where(y > 0.8, ">", "="))
    known[y < -1] = [-INF, -1]
    some = rng.random(n) < 0.2
    known[some] = np.stack([np.floor(y), np.floor(y) + 1], -1)[some]
    return y, known, p


@pytest.mark.slow
def test_calibration_is_found_where_it_is() -> None:
    """Right distributions are calibrated to about 1 / sqrt(n); bounds for values are not."""
    y, known, p = simulated()
    ends = np.where(np.isinf(known[:, 1]), known[:, 0], known[:, 1])
    for make, right, tolerance in [
        (km.metrics.CalibrationError, 0.0, 0.012),
        (km.metrics.IntervalCoverage, 0.9, 0.012),
        (km.metrics.StandardizedResidualScatter, 1.0, 0.03),
    ]:
        metric = make(censored=True)
        metric.update_state(known, p)
        assert float(metric.result()) == pytest.approx(right, abs=tolerance)
        plain = make()
        plain.update_state(ends, p)
        assert abs(float(plain.result()) - right) > 2 * tolerance
        narrow = make(censored=True)
        narrow.update_state(known, p - np.array([0.0, 1.5]))
        assert abs(float(narrow.result()) - right) > 2 * tolerance
    pit = km.metrics.PITHistogram(bins=4, censored=True)
    pit.update_state(known, p)
    np.testing.assert_allclose(to_numpy(pit.result()), 0.25, atol=0.02)


def test_calibration_of_counts() -> None:
    """Values count as without bounds, intervals by the probabilities of their ends."""
    counts = np.array([[0.0, 1.0, 2.0, 3.0]])
    p = np.log(np.full((1, 4, 1), 1.5))
    for make in (km.metrics.CalibrationError, km.metrics.PITHistogram):
        found, plain = make("poisson", censored=True), make("poisson")
        found.update_state(np.stack([counts, counts], -1), p)
        plain.update_state(counts, p)
        np.testing.assert_allclose(to_numpy(found.result()), to_numpy(plain.result()), atol=1e-6)


def test_of_the_mean_of_a_distribution() -> None:
    p = np.random.default_rng(0).normal(size=(4, 2, 2)) * 9
    for wrap in (lambda metric: metric, lambda metric: km.metrics.PerLabel(metric, ["a", "b"])):
        plain = wrap(km.metrics.MeanAbsoluteError(censored=True))
        of_mean = km.metrics.OfMean(wrap(km.metrics.MeanAbsoluteError(censored=True)))
        plain.update_state(Y, p[..., 0])
        of_mean.update_state(Y, p)
        assert str(of_mean.result()) == str(plain.result())
    of_mean.reset_state()
    with_errors = np.concatenate([Y, np.full((4, 2, 1), 1.0, "float32")], axis=-1)
    with_errors[2, 1, 2] = INF
    of_mean.update_state(with_errors, p)
    assert to_numpy(of_mean.support())[1] == 1


@pytest.mark.slow
def test_training_with_bounds() -> None:
    """Through `compile` and `fit`, with metrics per label and an interval around one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 3)).astype("float32")
    y = np.where(rng.random((32, 2)) < 0.3, NAN, x @ rng.normal(size=(3, 2)))
    labels = km.censored_labels(np.minimum(y, 0.5), qualifier=np.where(y > 0.5, ">", "="))
    model = keras.Sequential([keras.Input((3,)), km.layers.DistributionHead(2)])
    model.compile(
        "sgd",
        loss=km.losses.NegativeLogLikelihood(censored=True),
        metrics=[
            km.metrics.PerLabel(km.metrics.IntervalCoverage(censored=True), ["a", "b"]),
            km.metrics.WithInterval(
                km.metrics.StandardizedResidualScatter(censored=True), replicates=20
            ),
        ],
    )
    history = model.fit(x, labels, batch_size=16, verbose=0).history
    assert np.isfinite([history["loss"], history["interval_coverage/a"]]).all()


def test_description() -> None:
    y = np.concatenate([Y, [[[5.0, 4.0], [-INF, 8.0]], [[-9.0, 7.0], [6.0, INF]]]])
    found = km.describe_labels(y, ["a", "b"], censored=True)
    table = {row[0]: dict(zip(found.header[1:], row[1:], strict=True)) for row in found.table()}
    assert [table["a"][kind] for kind in found.header[-4:]] == [1 / 6, 0, 1 / 6, 2 / 6]
    assert [table["b"][kind] for kind in found.header[-4:]] == [1 / 6, 2 / 6, 1 / 6, 0]
    assert table["a"]["observed"] == 5 and table["b"]["max"] == 40
    text = "\n".join(found.warnings)
    assert "'a': 1 labels have a lower end above" in text
    assert "'a': 1 labels reach from minus to plus" in text
    assert "'b': 1 labels have NaN or a marker for one end alone" in text
    marked = km.describe_labels(y, missing=("nan", -9), censored=True)
    assert "'0': 1 labels have NaN or a marker for one end" in "\n".join(marked.warnings)
    bounds = km.describe_labels(np.array([[1.0, INF], [2.0, INF]]), censored=True)
    assert "bounds only" in "\n".join(bounds.warnings)
    assert "exact" in str(found) and "between" in found._repr_html_()
