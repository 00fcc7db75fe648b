"""Losses of fields such as images and maps: events, windows and slopes."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.fields import check_window, fractions_values, sobel_values
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.losses.segmentation import SetLoss
from keras_masked.observation import Observation
from keras_masked.sets import event_values

Tensor = Any


@register
class CriticalSuccessIndex(SetLoss):
    r"""One minus the soft critical success index (threat score) of each set's observed labels.

    $$L = 1 - \frac{H}{H + F + M + \epsilon}, \quad
      H = \sum_i o_i e_i q_i, \; F = \sum_i o_i (1 - e_i) q_i, \; M = \sum_i o_i e_i (1 - q_i)$$

    hits, false alarms and misses, with the event $e_i = [y_i \ge t]$ and its soft prediction
    $q_i = 1 / (1 + e^{-s (p_i - t)})$. Without a threshold, $e_i = y_i$ and $q_i = p_i$.

    A missing label leaves all sums. A set of which nothing is observed has a loss of 0 and does
    not count. A set without any event has a loss of 1: there was nothing to hit.

    Args:
        threshold: From which value on a label is an event; by default labels are 0 or 1 and
            predictions are probabilities.
        scale: How steeply the prediction turns into an event at the threshold, s.
        axis: The axes that a set spans; by default all, so that the batch is one set.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`; `average=` and `observed_rate=` of sets, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` of one shape; one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan, 1.0]])
    >>> y_pred = np.array([[0.5, 1.0, 0.9, 0.5]])
    >>> loss = keras_masked.losses.CriticalSuccessIndex()
    >>> round(float(loss(y_true, y_pred)), 4)  # 1 - 1.5 / (1.5 + 0.5 + 0.5)
    0.4

    Source: Ebert-Uphoff et al. 2021, CIRA guide to custom loss functions; Donaldson et al. 1975.
    """

    formula = formulas.Formula(formulas.jaccard)

    def __init__(
        self,
        threshold: float | None = None,
        scale: float = 10.0,
        axis: int | tuple[int, ...] | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "critical_success_index",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        options = {"threshold": threshold, "scale": scale, "axis": axis}
        super().__init__(reduction, name, dtype, **options, **masking)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per set, and which sets have any observed label."""
        return event_values(
            y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype, **self._options
        )


@register
class FractionsSkillScore(SetLoss):
    r"""One minus the fractions skill score: events compared by their share of windows.

    $$L = \frac{\sum_k (F^p_k - F^y_k)^2}{\sum_k (F^p_k)^2 + \sum_k (F^y_k)^2 + \epsilon}, \quad
      F^y_k = \frac{\sum_{i \in k} o_i e_i}{\sum_{i \in k} o_i}, \;
      F^p_k = \frac{\sum_{i \in k} o_i q_i}{\sum_{i \in k} o_i}$$

    over all windows $k$ of n by n pixels that hold any observed pixel, with the event
    $e_i = [y_i \ge t]$ and its soft prediction $q_i = 1 / (1 + e^{-s (p_i - t)})$. A prediction
    that is right but for a shift within the window is punished little, where each error of a single
    pixel would count twice, once as a miss and once as a false alarm.

    A missing pixel leaves the means of all its windows, on both sides. A set of which nothing is
    observed has a loss of 0 and does not count; so has one without any event in labels and
    predictions.

    Args:
        window: Side n of the windows, in pixels.
        threshold: From which value on a label is an event; with `None` labels are 0 or 1 and
            predictions are probabilities.
        scale: How steeply the prediction turns into an event at the threshold, s.
        padding: `"valid"`: windows that lie in the field. `"same"`: one around each pixel, where
            what lies outside the field is missing.
        axis: The axes that a set spans; by default all, so that the batch is one set. (1, 2, 3)
            for each field of its own.
        reduction: As in Keras, over sets with any observed label.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`; `average=` and `observed_rate=` of sets, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, height, width)` or `(batch, height, width, channels)`;
    one value per set: the shape without `axis`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, are no fields, or are
            smaller than the window, or on an unknown `padding`.

    Example:

    >>> y_true = np.array([[[1.0, 0.0, 0.0, np.nan]] * 2])
    >>> y_pred = np.array([[[0.0, 1.0, 0.0, 1.0]] * 2])
    >>> loss = keras_masked.losses.FractionsSkillScore(window=2, threshold=None)
    >>> round(float(loss(y_true, y_pred)), 4)  # shares 1/2, 0, 0 and 1/2, 1/2, 0
    0.3333

    Source: Roberts and Lean 2008, equations 5 to 7; Ebert-Uphoff et al. 2021, CIRA guide to custom
    loss functions.
    """

    formula = formulas.Formula(formulas.fractions_skill)

    def __init__(
        self,
        window: int = 3,
        threshold: float | None = 0.5,
        scale: float = 10.0,
        padding: str = "valid",
        axis: int | tuple[int, ...] | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "fractions_skill_score",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        check_window(window, padding)
        options = {"window": window, "threshold": threshold, "scale": scale}
        super().__init__(reduction, name, dtype, **options, padding=padding, axis=axis, **masking)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per set, and which sets have any observed pixel."""
        return fractions_values(
            y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype, **self._options
        )


@register
class SobelMSE(MaskedLoss):
    r"""Mean of squared differences of the slopes of fields, by Sobel's operator.

    $$L = \frac{\sum_i \sum_{d} o_{id} w_i \, (S_d y - S_d p)_i^2}{\sum_i \sum_d o_{id}}, \quad
      S_y = \begin{bmatrix} -1 & -2 & -1 \\ 0 & 0 & 0 \\ 1 & 2 & 1 \end{bmatrix}, \;
      S_x = S_y^\top$$

    over inner pixels $i$ and both directions $d$. A slope counts ($o_{id} = 1$) if all six pixels
    that its stencil uses are observed, and $w_i$ is the weight of the pixel in the middle. Fields
    that differ by a constant have a loss of 0: add a loss of the values.

    Args:
        reduction: As in Keras, over observed slopes.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`; `average=` and `observed_rate=` of slopes, see `MaskedLoss`: a row is
            an inner pixel, and a column a direction.

    Shapes: `y_true` and `y_pred` `(batch, height, width)` or `(batch, height, width, channels)`;
    one row value each `(batch, height - 2, width - 2, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align, are no fields, or are
            smaller than 3 by 3.

    Example:

    >>> y_true = np.zeros((1, 3, 4))
    >>> y_true[0, 0, 3] = np.nan  # leaves both slopes of the second inner pixel
    >>> y_pred = np.broadcast_to(np.arange(4.0), (1, 3, 4))
    >>> loss = keras_masked.losses.SobelMSE()
    >>> float(loss(y_true, y_pred))  # (8^2 + 0^2) / 2
    32.0

    Source: Sobel and Feldman 1968; `tf.image.sobel_edges` has the same scale; Ebert-Uphoff et al.
    2021, CIRA guide to custom loss functions.
    """

    formula = formulas.squared_error

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sobel_mse",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, **masking)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per slope, and which slopes are observed."""
        return sobel_values(y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype)
