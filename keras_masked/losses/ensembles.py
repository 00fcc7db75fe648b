"""Scores of ensembles, several predictions for each label: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import ensembles as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import BOOLEAN, Reduction

Tensor = Any


@register
class EnsembleCRPS(FormulaLoss):
    r"""Continuous ranked probability score of ensembles, on average over the observed labels.

    $$L = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i}, \quad
      s_i = \frac{1}{m} \sum_j |x_{ij} - y_i|
            - \frac{1}{2 m^2} \sum_j \sum_k |x_{ij} - x_{ik}|$$

    with $x_{ij}$ the $m$ members predicted for label $i$, $o_i$ 1 where it is observed, else 0,
    and $w_i$ its weight. In the units of the labels; of one member, the absolute error. The `fair`
    score divides by $2 m (m - 1)$ instead of $2 m^2$: its expectation is that of an ensemble with
    infinitely many members, and it does not reward small ensembles for a spread too small.

    Members are sorted, so that m of them cost O(m log m) in time and O(m) in memory.

    Args:
        fair: Whether to score the distribution from which the members are drawn, rather than the
            members themselves.
        missing_members: Whether a member that is NaN is missing, and the others are an ensemble of
            fewer. By default it makes the loss NaN, as any diverged prediction does.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_pred` `(batch, ..., labels, members)`, `y_true` `(batch, ..., labels)`; one row value
    each `(batch, ...)`.

    Raises:
        ValueError: If shapes do not align, or `fair` meets a single member.

    Example:

    >>> y_true = np.array([[2.0, np.nan]])
    >>> y_pred = np.array([[[1.0, 3.0, 5.0], [0.0, 0.0, 0.0]]])
    >>> loss = keras_masked.losses.EnsembleCRPS()
    >>> round(float(loss(y_true, y_pred)), 4)  # (1 + 1 + 3) / 3 - (2 + 2 + 4) / 9
    0.7778
    >>> round(float(keras_masked.losses.EnsembleCRPS(fair=True)(y_true, y_pred)), 4)
    0.3333

    Source: Gneiting and Raftery 2007, equation 21; Ferro 2014, "Fair scores for ensemble
    forecasts".
    """

    formula = formulas.ensemble_crps

    admits = {"fair": BOOLEAN, "missing_members": BOOLEAN}

    def __init__(
        self,
        fair: bool = False,
        missing_members: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "ensemble_crps",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"fair": fair, "missing_members": missing_members}
        super().__init__(reduction, name, dtype, **options, **masking)


@register
class EnergyScore(FormulaLoss):
    r"""Energy score of ensembles of whole rows, over the observed labels of each.

    $$L = \frac{\sum_i o_i w_i \, s_i}{\sum_i o_i}, \quad
      s_i = \frac{1}{m} \sum_j \|x_{ij} - y_i\|
            - \frac{1}{2 m^2} \sum_j \sum_k \|x_{ij} - x_{ik}\|$$

    with $x_{ij}$ the $m$ members predicted for row $i$, vectors of labels of which only those
    observed count in the lengths, $o_i$ 1 where any is, else 0, and $w_i$ the weight of the row.
    It sees whether labels depend on each other as the members say; of rows of one label it is
    `EnsembleCRPS`. The `fair` score divides by $2 m (m - 1)$.

    All pairs of members are compared: time and memory grow as rows x labels x m^2.

    Args:
        fair: Whether to score the distribution from which the members are drawn, rather than the
            members themselves.
        reduction: As in Keras, over rows with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_pred` `(batch, ..., labels, members)`, `y_true` `(batch, ..., labels)`; one row value
    each `(batch, ...)`. Weights belong to rows.

    Raises:
        ValueError: If shapes do not align, or `fair` meets a single member.

    Example:

    >>> y_true = np.array([[1.0, 2.0, np.nan]])
    >>> y_pred = np.array([[[1.0, 4.0], [2.0, 6.0], [7.0, 7.0]]])  # (1, 2) and (4, 6)
    >>> loss = keras_masked.losses.EnergyScore()
    >>> float(loss(y_true, y_pred))  # (0 + 5) / 2 - (5 + 5) / 8
    1.25

    Source: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation",
    equation 22.
    """

    formula = formulas.energy_score

    admits = {"fair": BOOLEAN}

    def __init__(
        self,
        fair: bool = False,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "energy_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, fair=fair, **masking)


@register
def ensemble_crps(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    fair: bool = False,
    missing_members: bool = False,
    missing: Missing = NAN,
) -> Tensor:
    """Returns the continuous ranked probability score of ensembles, the mean of each row.

    See `EnsembleCRPS`.

    >>> y_true = np.array([[2.0, np.nan]])
    >>> y_pred = np.array([[[1.0, 3.0, 5.0], [0.0, 0.0, 0.0]]])
    >>> rows = keras_masked.losses.ensemble_crps(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.7778]
    """
    options = EnsembleCRPS.checked(fair=fair, missing_members=missing_members)
    return row_values(formulas.ensemble_crps, y_true, y_pred, missing, **options)


@register
def energy_score(
    y_true: Tensor, y_pred: Tensor, *, fair: bool = False, missing: Missing = NAN
) -> Tensor:
    """Returns the energy score of each row, over its observed labels.

    See `EnergyScore`.

    >>> y_true = np.array([[1.0, 2.0, np.nan]])
    >>> y_pred = np.array([[[1.0, 4.0], [2.0, 6.0], [7.0, 7.0]]])
    >>> [float(row) for row in keras_masked.losses.energy_score(y_true, y_pred)]
    [1.25]
    """
    options = EnergyScore.checked(fair=fair)
    return row_values(formulas.energy_score, y_true, y_pred, missing, **options)
