"""Losses whose minimum is a quantile or an expectile: classes and functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from keras_masked.formulas import Formula
from keras_masked.formulas import quantiles as formulas
from keras_masked.losses.base import FormulaLoss, Masking, register
from keras_masked.losses.censored import CensoredLoss, CensoredMasking
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import FRACTION, QUANTILE_OR_SEVERAL, Reduction

Tensor = Any


@register
class PinballLoss(CensoredLoss):
    r"""Mean of the pinball losses of the observed labels, which quantiles make least.

    $$L = \frac{\sum_i o_i w_i \, \rho_q(y_i - p_i)}{\sum_i o_i}, \quad
      \rho_q(e) = \begin{cases} q \, e & e \ge 0 \\ (q - 1) \, e & e < 0 \end{cases}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Of several quantiles the
    loss of a label is the mean over them.

    Quantiles that are predicted one by one may cross: a layer
    `DistributionHead(labels, Quantiles(levels, ordered=True))` puts out such as do not.

    Args:
        quantiles: The quantile, in (0, 1), that each prediction is; or several that increase, all
            of which are predicted for each label, on the last axis. 0.5, the median, is half the
            absolute error.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: of one quantile, `y_true` and `y_pred` `(batch, ..., labels)`; of several, `y_pred`
    `(batch, ..., labels, quantiles)`. One row value each `(batch, ...)`. With `censored=True`,
    `y_true` `(batch, ..., labels, 2)`.

    Raises:
        ValueError: If a quantile is not in (0, 1), or several do not increase, or the last axis of
            `y_pred` does not hold as many.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> loss = keras_masked.losses.PinballLoss(0.9)
    >>> round(float(loss(y_true, y_pred)), 4)  # (0.1 * 1 + 0 + 0.9 * 2) / 3
    0.6333
    >>> loss = keras_masked.losses.PinballLoss((0.1, 0.5, 0.9))
    >>> round(float(loss(np.array([[3.0]]), np.array([[[1.0, 2.0, 5.0]]]))), 4)
    0.3

    Source: Koenker and Bassett 1978, "Regression quantiles", equation 3.1.
    """

    admits = {"quantiles": QUANTILE_OR_SEVERAL}

    def __init__(
        self,
        quantiles: float | Sequence[float] = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "pinball_loss",
        dtype: Any = None,
        **masking: Unpack[CensoredMasking],
    ) -> None:
        super().__init__(reduction, name, dtype, quantiles=quantiles, **masking)

    @property
    def formula(self) -> Formula:  # type: ignore[override]
        """That of a single quantile, or of several."""
        return formulas.pinball_of(self._options["quantiles"])


@register
class Expectile(FormulaLoss):
    r"""Mean of squared differences, which count more on one side: expectiles make it least.

    $$L = \frac{\sum_i o_i w_i \, |\tau - [y_i < p_i]| \, (y_i - p_i)^2}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. An expectile is to the
    mean what a quantile is to the median.

    Args:
        tau: The expectile, in (0, 1), that the predictions are. 0.5 is the mean, of half the
            squared error.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If `tau` is not in (0, 1).

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> loss = keras_masked.losses.Expectile(0.9)
    >>> round(float(loss(y_true, y_pred)), 4)  # (0.1 * 1 + 0 + 0.9 * 4) / 3
    1.2333

    Source: Newey and Powell 1987, "Asymmetric least squares estimation and testing".
    """

    formula = formulas.expectile

    admits = {"tau": FRACTION}

    def __init__(
        self,
        tau: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "expectile",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, tau=tau, **masking)


@register
def pinball_loss(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    quantiles: float | Sequence[float] = 0.5,
    missing: Missing = NAN,
    censored: bool = False,
) -> Tensor:
    """Returns the mean pinball loss of each row, over its observed labels.

    See `PinballLoss`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> rows = keras_masked.losses.pinball_loss(y_true, y_pred, quantiles=0.9)
    >>> [round(float(row), 4) for row in rows]
    [0.1, 0.9]
    """
    options = PinballLoss.checked(quantiles=quantiles, censored=censored)
    formula = formulas.pinball_of(options["quantiles"])
    return row_values(formula, y_true, y_pred, missing, **options)


@register
def expectile(
    y_true: Tensor, y_pred: Tensor, *, tau: float = 0.5, missing: Missing = NAN
) -> Tensor:
    """Returns the mean of squared differences, weighed by their sides, of each row.

    See `Expectile`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 2.0]])
    >>> rows = keras_masked.losses.expectile(y_true, y_pred, tau=0.9)
    >>> [round(float(row), 4) for row in rows]
    [0.1, 1.8]
    """
    return row_values(formulas.expectile, y_true, y_pred, missing, **Expectile.checked(tau=tau))
