"""Bad options: what `Masked` cannot lift, and other arguments of constructors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import keras_masked as km
from tests.errors import evaluate, raises

KL, KM, L, M = keras.losses, keras.metrics, km.losses, km.metrics
NAN = float("nan")


def name_of(x: Any) -> str:
    """An id without an address in memory."""
    return x if isinstance(x, str) else getattr(x, "name", None) or getattr(x, "__name__", "")


ACROSS_ROWS = [KL.Circle(), KL.Dice(), KL.CTC(), KL.Tversky(),
               KL.circle, KL.dice, KL.ctc, KL.tversky]  # fmt: skip
VECTOR_LOSSES = [KL.CategoricalCrossentropy(), KL.SparseCategoricalCrossentropy(),
                 KL.KLDivergence(), KL.CosineSimilarity(), KL.CategoricalHinge(),
                 KL.CategoricalFocalCrossentropy(), KL.CategoricalGeneralizedCrossEntropy(),
                 KL.categorical_crossentropy, KL.cosine_similarity]  # fmt: skip
VECTOR_METRICS = [KM.CategoricalAccuracy(), KM.SparseCategoricalAccuracy(), KM.KLDivergence(),
                  KM.TopKCategoricalAccuracy(), KM.CosineSimilarity(), KM.CategoricalHinge(),
                  KM.PearsonCorrelation(), KM.OneHotIoU(2, [0])]  # fmt: skip


@pytest.mark.parametrize("loss", ACROSS_ROWS, ids=name_of)
@pytest.mark.parametrize("label_axes", [0, 1])
def test_masked_of_losses_across_rows(loss: Any, label_axes: int) -> None:
    with raises(repr(loss), "other rows"):
        L.Masked(loss, label_axes=label_axes)


@pytest.mark.parametrize("inner", VECTOR_LOSSES + VECTOR_METRICS, ids=name_of)
def test_masked_of_vectors(inner: Any) -> None:
    module = km.metrics if inner in VECTOR_METRICS else km.losses
    with raises(repr(inner), "label_axes=1", "label_axes=0"):
        module.Masked(inner)
    module.Masked(inner, label_axes=1)


@pytest.mark.parametrize(
    "inner", [KL.Hinge(), KL.hinge, KL.SquaredHinge(), KM.Hinge()], ids=name_of
)
def test_masked_hinge_needs_a_fill_of_one(inner: Any) -> None:
    module = km.metrics if isinstance(inner, KM.Metric) else km.losses
    with raises("`fill=(1, 0.5)`", "(0.5, 0.5)"):
        module.Masked(inner)
    # Labels of 0 and 1 stand for -1 and 1, and the label in the hole does not hide that.
    y, p = np.array([[0.0, NAN, 1.0]]), np.array([[0.3, 9.0, 0.2]])
    expected = np.array([1.3, 0.8]) ** (2 if "square" in repr(inner) else 1)
    value = evaluate(module.Masked(inner, fill=(1, 0.5)), y, p)
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-6)


def test_masked_of_a_function_that_averages_over_rows() -> None:
    loss = L.Masked(lambda y_true, y_pred: keras.ops.mean(keras.ops.square(y_true - y_pred)))
    with raises("`loss`", "one value per row", "(4, 3)", "()"):
        loss(np.ones((4, 3)), np.ones((4, 3)))


HUBER, MAE = KL.Huber(), KM.MeanAbsoluteError()
WRONG: list[tuple[Any, dict[str, Any], list[Any]]] = [
    (M.AUC, {"curve": "roc_curve"}, ["`curve`", "'roc_curve'", "PRGAIN"]),
    (M.AUC, {"summation_method": "left"}, ["`summation_method`", "'left'", "minoring"]),
    (M.AUC, {"num_thresholds": 1}, ["`num_thresholds`", "num_thresholds=1"]),
    (M.AUC, {"num_thresholds": -3}, ["`num_thresholds`", "num_thresholds=-3"]),
    (M.AUC, {"thresholds": [0.5, 1.5]}, ["[0, 1]", "1.5"]),
    (M.AUC, {"thresholds": [-0.5]}, ["[0, 1]", "-0.5"]),
    (M.AUC, {"num_labels": 3}, ["`num_labels`", "multi_label"]),
    (M.R2Score, {"class_aggregation": "mean"}, ["`class_aggregation`", "mean", "uniform_average"]),
    (M.R2Score, {"num_regressors": -1}, ["`num_regressors`", "num_regressors=-1"]),
    (M.Masked, {"metric": KM.Mean()}, [KM.Mean(), "no labels and predictions"]),
    (M.Masked, {"metric": KM.Sum()}, [KM.Sum(), "no labels and predictions"]),
    (M.Masked, {"metric": M.MeanSquaredError()}, ["`metric`", "masked already"]),
    (L.Masked, {"loss": L.MeanSquaredError()}, ["`loss`", "masked already"]),
    *((L.Masked, {"loss": x}, ["`loss`", f"loss={x!r}"]) for x in (5, "mse", None, KL.Huber)),
    *((M.Masked, {"metric": x}, ["`metric`", f"metric={x!r}"]) for x in (5, "mse", HUBER, KM.AUC)),
    *((cls, {name: inner, argument: x}, [f"`{argument}`", f"{argument}={x!r}"])
      for cls, name, inner in ((L.Masked, "loss", HUBER), (M.Masked, "metric", MAE))
      for argument, values in (("label_axes", [2, -1, None]), ("fill", [0.5, (1,), "ab", None]))
      for x in values),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "options", "parts"), WRONG, ids=name_of)
def test_arguments(cls: Any, options: dict[str, Any], parts: list[Any]) -> None:
    with raises(*parts):
        cls(**options)


@pytest.mark.parametrize("multi_label", [True, False])
@pytest.mark.parametrize("weights", [[1.0, 2.0], [1.0], [1.0, 2.0, 3.0, 4.0]], ids=str)
def test_auc_label_weights_of_a_wrong_length(multi_label: bool, weights: list[float]) -> None:
    metric = M.AUC(multi_label=multi_label, label_weights=weights)
    with raises("`label_weights`", len(weights)):
        evaluate(metric, np.eye(3), np.ones((3, 3)))
