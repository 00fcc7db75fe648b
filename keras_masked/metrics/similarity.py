"""Metrics of vectors compared with vectors."""

from __future__ import annotations

from typing import Any

from keras_masked.formulas import similarity as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import NAN, Missing, Observation, prepare
from keras_masked.validation import INTEGER

Tensor = Any


@register
class CosineSimilarity(MeanMetric):
    r"""Cosine of the angle between labels and predictions, over the entries observed.

    $$M = \frac{\sum_i w_i \cos_i}{\sum_i w_i}, \quad
      \cos_i = \frac{\sum_k o_{ik} y_{ik} p_{ik}}
                    {\sqrt{\sum_k o_{ik} y_{ik}^2} \sqrt{\sum_k o_{ik} p_{ik}^2}}$$

    with $o_{ik}$ 1 where entry $k$ of label vector $i$ is observed, else 0; the sums over $i$ are
    over the vectors with an observed entry, and $w_i$ is the weight of one. NaN where nothing is
    observed.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: The axis of the vectors.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_true` and `y_pred` `(batch, ..., entries)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.CosineSimilarity()
    >>> y_true = np.array([[3.0, 4.0, np.nan], [1.0, 0.0, 0.0]])
    >>> y_pred = np.array([[3.0, 4.0, 9.0], [0.0, 1.0, 0.0]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 0) / 2
    0.5

    Source: `keras.metrics.CosineSimilarity`.
    """

    formula = formulas.cosine_similarity
    _direction = "up"

    admits = {"axis": INTEGER}

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        axis: int = -1,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, axis=axis)

    def label_values(self, seen: Observation) -> Tensor:
        """The cosines: the loss is their negative."""
        y_true, y_pred, _ = prepare(self.formula, seen)
        return formulas.cosines(y_true, y_pred)
