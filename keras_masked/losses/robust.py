"""Losses that grow only linearly with large errors: classes and functions."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked.formulas import robust as formulas
from keras_masked.losses.base import register
from keras_masked.losses.censored import CensoredLoss, CensoredMasking
from keras_masked.observation import NAN, Missing, row_values
from keras_masked.validation import POSITIVE, Reduction

Tensor = Any


@register
class Huber(CensoredLoss):
    r"""Mean of Huber's loss over the observed labels.

    $$L = \frac{\sum_i o_i w_i \, h_\delta(p_i - y_i)}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.
    Quadratic near zero, linear beyond: $h_\delta(e) = e^2 / 2$ for $|e| \le \delta$, else
    $\delta |e| - \delta^2 / 2$.

    Args:
        delta: Where the loss turns from quadratic to linear, in the units of the labels.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`. With
    `censored=True`, `y_true` `(batch, ..., labels, 2)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.Huber()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.6667

    Source: `keras.losses.Huber`; Huber 1964.
    """

    formula = formulas.huber

    admits = {"delta": POSITIVE}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
        **masking: Unpack[CensoredMasking],
    ) -> None:
        super().__init__(reduction, name, dtype, delta=delta, **masking)


@register
class LogCosh(CensoredLoss):
    r"""Mean of log-cosh of the differences over the observed labels.

    $$L = \frac{\sum_i o_i w_i \log \cosh (p_i - y_i)}{\sum_i o_i}$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight.

    Args:
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)`; one row value each `(batch, ...)`. With
    `censored=True`, `y_true` `(batch, ..., labels, 2)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.LogCosh()
    >>> round(float(loss(y_true, y_pred)), 4)
    0.5863

    Source: `keras.losses.LogCosh`.
    """

    formula = formulas.log_cosh


@register
def huber(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    delta: float = 1.0,
    missing: Missing = NAN,
    censored: bool = False,
) -> Tensor:
    """Returns the mean Huber loss of each row, over its observed labels.

    See `Huber`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.huber(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.5, 0.75]
    """
    return row_values(
        formulas.huber,
        y_true,
        y_pred,
        missing,
        **Huber.checked(delta=delta, censored=censored),
    )


@register
def log_cosh(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    missing: Missing = NAN,
    censored: bool = False,
) -> Tensor:
    """Returns the mean log-cosh of each row, over its observed labels.

    See `LogCosh`.

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> rows = keras_masked.losses.log_cosh(y_true, y_pred)
    >>> [round(float(row), 4) for row in rows]
    [0.4338, 0.6625]
    """
    return row_values(
        formulas.log_cosh,
        y_true,
        y_pred,
        missing,
        **LogCosh.checked(censored=censored),
    )
