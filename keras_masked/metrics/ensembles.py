"""Scores of ensembles, several predictions for each label."""

from __future__ import annotations

from typing import Any

from keras_masked.formulas import ensembles as formulas
from keras_masked.metrics.base import register
from keras_masked.metrics.mean import MeanMetric
from keras_masked.observation import NAN, Missing
from keras_masked.validation import BOOLEAN


@register
class EnsembleCRPS(MeanMetric):
    r"""Continuous ranked probability score of ensembles, on average over the observed labels.

    $$M = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i w_i}, \quad
      s_i = \frac{1}{m} \sum_j |x_{ij} - y_i|
            - \frac{1}{2 m^2} \sum_j \sum_k |x_{ij} - x_{ik}|$$

    with $x_{ij}$ the $m$ members predicted for label $i$, $o_i$ 1 where it is observed, else 0,
    and $w_i$ its weight. The `fair` score divides by $2 m (m - 1)$ instead of $2 m^2$. NaN where
    nothing is observed.

    Args:
        fair: Whether to score the distribution from which the members are drawn, rather than the
            members themselves.
        missing_members: Whether a member that is NaN is missing, and the others are an ensemble of
            fewer. By default it makes the result NaN, as any diverged prediction does.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_pred` `(batch, ..., labels, members)`, `y_true` `(batch, ..., labels)`. The result is
    a scalar.

    Raises:
        ValueError: If shapes do not align, or `fair` meets a single member.

    Example:

    >>> metric = keras_masked.metrics.EnsembleCRPS()
    >>> y_true = np.array([[2.0, np.nan]])
    >>> y_pred = np.array([[[1.0, 3.0, 5.0], [0.0, 0.0, 0.0]]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (1 + 1 + 3) / 3 - (2 + 2 + 4) / 9
    0.7778

    Source: Gneiting and Raftery 2007, equation 21; Ferro 2014, "Fair scores for ensemble
    forecasts".
    """

    formula = formulas.ensemble_crps
    _direction = "down"

    admits = {"fair": BOOLEAN, "missing_members": BOOLEAN}

    def __init__(
        self,
        fair: bool = False,
        missing_members: bool = False,
        name: str | None = "ensemble_crps",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        options = {"fair": fair, "missing_members": missing_members}
        super().__init__(name, dtype, missing=missing, **options)


@register
class EnergyScore(MeanMetric):
    r"""Energy score of ensembles of whole rows, over the observed labels of each.

    $$M = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i w_i}, \quad
      s_i = \frac{1}{m} \sum_j \|x_{ij} - y_i\|
            - \frac{1}{2 m^2} \sum_j \sum_k \|x_{ij} - x_{ik}\|$$

    with $x_{ij}$ the $m$ members predicted for row $i$, vectors of labels of which only those
    observed count in the lengths, $o_i$ 1 where any is, else 0, and $w_i$ the weight of the row.
    The `fair` score divides by $2 m (m - 1)$. NaN where nothing is observed.

    All pairs of members are compared: time and memory grow as rows x labels x m^2.

    Args:
        fair: Whether to score the distribution from which the members are drawn, rather than the
            members themselves.
        name: Name of the metric.
        dtype: Dtype of the result.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.

    Shapes: `y_pred` `(batch, ..., labels, members)`, `y_true` `(batch, ..., labels)`. Weights
    belong to rows. The result is a scalar.

    Raises:
        ValueError: If shapes do not align, or `fair` meets a single member.

    Example:

    >>> metric = keras_masked.metrics.EnergyScore()
    >>> y_true = np.array([[1.0, 2.0, np.nan]])
    >>> y_pred = np.array([[[1.0, 4.0], [2.0, 6.0], [7.0, 7.0]]])  # (1, 2) and (4, 6)
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())  # (0 + 5) / 2 - (5 + 5) / 8
    1.25

    Source: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation",
    equation 22.
    """

    formula = formulas.energy_score
    _direction = "down"

    admits = {"fair": BOOLEAN}

    def __init__(
        self,
        fair: bool = False,
        name: str | None = "energy_score",
        dtype: Any = None,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(name, dtype, missing=missing, fair=fair)
