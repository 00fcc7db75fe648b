"""A loss for each way in which labels are hidden, and its data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

import keras_masked as km
from tests import case_data
from tests.backend import to_numpy

L = km.losses


@dataclasses.dataclass(frozen=True)
class Kind:
    """A loss for each way in which labels are hidden.

    Attributes:
        make: Builds the loss.
        data: Draws labels and predictions.
        shape: Of the labels.
        zero_weight: Whether a label of weight 0 is hidden: else weights are of rows.
        class_ids: Whether labels are class ids, which have no gradient.
        hole: Whether one entry is missing of a label that is not.
    """

    make: Callable[[], Any]
    data: Callable[..., Any]
    shape: tuple[int, ...] = (4, 3)
    zero_weight: bool = True
    class_ids: bool = False
    hole: bool = False


def embeddings(rng: Any, shape: tuple[int, ...]) -> Any:
    p = rng.normal(size=(*shape, 3))
    return np.arange(shape[0]) % 3.0, p / np.linalg.norm(p, axis=-1, keepdims=True)


def draws(**options: Any) -> Kind:
    return Kind(
        lambda: L.BayesianCategoricalCrossentropy(draws=3, **options),
        case_data.one_hot_and_variance,
    )


KINDS = {
    "residual": Kind(L.MeanSquaredError, case_data.reals),
    "residual with a corner": Kind(lambda: L.MeanAbsoluteError(average="macro"), case_data.reals),
    "residual by parts": Kind(lambda: L.Huber(average="samples"), case_data.reals),
    "element-wise": Kind(lambda: L.BinaryCrossentropy(from_logits=True), case_data.binary_logits),
    "element-wise, probabilities": Kind(L.BinaryCrossentropy, case_data.binary),
    "filled": Kind(L.SquaredHinge, case_data.signs),
    "vector": Kind(L.CategoricalCrossentropy, case_data.one_hot),
    "ids": Kind(L.SparseCategoricalCrossentropy, case_data.class_ids, class_ids=True),
    "pairwise": Kind(L.CosineSimilarity, case_data.vectors, hole=True),
    "stacked": Kind(L.NegativeLogLikelihood, case_data.gaussians),
    "stacked vector": draws(),
    "one draw by one": draws(loop_over_draws=True),
    "sets": Kind(lambda: L.Dice(axis=1), case_data.binary, zero_weight=False),
    "pairs": Kind(L.Circle, embeddings, (6,), zero_weight=False, class_ids=True),
    "wrapped": Kind(lambda: L.Masked(keras.losses.Huber()), case_data.reals),
    "wrapped vector": Kind(
        lambda: L.Masked(keras.losses.CategoricalCrossentropy(), label_axes=1), case_data.one_hot
    ),
}


@dataclasses.dataclass
class Data:
    """What a loss gets, and of which labels nothing may be seen."""

    y: Any
    p: Any
    w: Any
    hidden: Any

    def check_zeros(self, *gradients: Any) -> None:
        """By predictions, labels or weights: exactly 0 at hidden labels, finite elsewhere."""
        for gradient in map(to_numpy, gradients):
            assert np.all(np.isfinite(gradient)) and np.any(gradient != 0)
            if gradient.shape[: self.hidden.ndim] == self.hidden.shape:
                np.testing.assert_array_equal(gradient[self.hidden], 0)


def draw(kind: Kind) -> Data:
    rng = np.random.default_rng(0)
    y, p = (x.astype("float32") for x in kind.data(rng, kind.shape))
    hidden = np.zeros(kind.shape, bool)
    hidden.flat[[1, -1]] = True
    if kind.hole:
        y[2, 0, 0] = np.nan
    y[hidden], p[hidden] = np.nan, np.inf
    w = rng.uniform(0.5, 1.5, kind.shape if kind.zero_weight else kind.shape[:1]).astype("float32")
    if kind.zero_weight:
        w.flat[5], hidden.flat[5] = 0, True
    return Data(y, p, w, hidden)


def weights_of(p: Any, w: Any) -> Any:
    """Weights that are computed from the predictions, and so carry gradients to them."""
    confidence = ops.sigmoid(p)
    return w * ops.mean(confidence, axis=tuple(range(len(w.shape), len(p.shape))))
