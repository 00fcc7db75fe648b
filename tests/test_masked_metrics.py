"""`metrics.Masked` around what people write, and metrics of integer dtypes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.backend import to_numpy

Y = np.array([[1.0, 0.0, np.nan], [0.0, np.nan, 1.0], [np.nan, np.nan, np.nan]], "float32")
P = np.array([[0.9, 0.1, 0.8], [0.4, 0.7, 0.7], [0.2, 0.2, 0.2]], "float32")
W = np.array([2.0, 1.0, 5.0], "float32")


@keras.saving.register_keras_serializable(package="keras_masked.tests")
class CubedError(keras.metrics.Mean):
    """The common way to write a metric: Keras's mean, of something else."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        error = keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)
        return super().update_state(error, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(package="keras_masked.tests")
class Hits(keras.metrics.Sum):
    """A sum of what is right."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        right = keras.ops.cast(keras.ops.equal(y_true > 0.5, y_pred > 0.5), "float32")
        return super().update_state(right[:, 0], sample_weight=sample_weight)


def test_subclasses_of_mean() -> None:
    o = ~np.isnan(Y)
    y, p, w = Y[o], P[o], np.broadcast_to(W[:, None], Y.shape)[o]
    metric = km.metrics.Masked(CubedError())
    metric.update_state(Y, P, W)
    target = np.average(np.abs(y - p) ** 3, weights=w)
    np.testing.assert_allclose(to_numpy(metric.result()), target, rtol=1e-6)
    np.testing.assert_allclose(to_numpy(metric.support()), w.sum())
    copy = km.metrics.deserialize(km.metrics.serialize(metric))
    assert type(copy.metric) is CubedError
    hits = km.metrics.Masked(Hits())
    hits.update_state(Y, P)
    assert to_numpy(hits.result()) == 4
    rmse = km.metrics.Masked(keras.metrics.RootMeanSquaredError())  # such a subclass, of Keras's
    rmse.update_state(Y, P)
    np.testing.assert_allclose(to_numpy(rmse.result()), np.sqrt(np.mean((y - p) ** 2)), rtol=1e-6)


def test_subclass_of_mean_in_fit() -> None:
    model = keras.Sequential([keras.layers.Dense(3, kernel_initializer="zeros")])
    model.compile(
        loss=km.losses.MeanSquaredError(), metrics=[km.metrics.Masked(CubedError("cubed_error"))]
    )
    logs = model.evaluate(P, Y, batch_size=2, verbose=0, return_dict=True)
    assert logs["cubed_error"] == pytest.approx(0.5)  # of labels 1, 0, 0, 1


class Renamed(keras.metrics.Mean):
    """Still of values alone."""


@pytest.mark.parametrize("metric", [keras.metrics.Mean(), keras.metrics.Sum(), Renamed()])
def test_of_values_alone_is_refused(metric: Any) -> None:
    with pytest.raises(ValueError, match="takes no labels and predictions"):
        km.metrics.Masked(metric)


def test_functions_that_need_more_than_a_label_are_refused() -> None:
    """Of single labels Keras's would give 0, or 1, or take hidden labels into account."""
    kl, theirs = keras.losses, keras.metrics.MeanMetricWrapper
    for fn, match in ((kl.categorical_crossentropy, "label_axes=1"), (kl.hinge, r"fill=\(1, 0.5"),
                      (keras.metrics.categorical_accuracy, "label_axes=1"),
                      (kl.dice, "depends"), (kl.Circle(reduction=None), "depends")):  # fmt: skip
        for make in (km.metrics.MeanMetricWrapper, lambda fn: km.metrics.Masked(theirs(fn))):
            with pytest.raises(ValueError, match=match):
                make(fn)
    y, p = np.array([[1.0, 0.0], [np.nan, np.nan]]), np.array([[0.75, 0.25], [0.5, 0.5]])
    metric = km.metrics.Masked(theirs(kl.categorical_crossentropy), label_axes=1)
    metric.update_state(y, p)
    assert to_numpy(metric.result()) == pytest.approx(-np.log(0.75), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras, on JAX
def test_integer_dtypes_do_not_cast_predictions() -> None:
    """Keras's `BinaryIoU` counts in int32, and so says its `dtype`."""
    y, p = np.array([1.0, 0.0, np.nan, 1.0]), np.array([0.9, 0.1, 0.2, 0.8])
    metric = km.metrics.Masked(keras.metrics.BinaryIoU())
    metric.update_state(y, p)
    assert to_numpy(metric.result()) == pytest.approx(1)
