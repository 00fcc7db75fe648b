"""Correlation coefficients, from sums of products of deviations from the means."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_masked import _backend

Tensor = Any


def pearson(
    yy: Tensor, pp: Tensor, yp: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Pearson's coefficient, and where it is defined or a prediction has diverged.

    Args:
        yy: Sums of squared deviations of the labels from their mean.
        pp: Those of the predictions.
        yp: Sums of products of both deviations.
        weight: Sums of weights.
        bias: Differences of the means.
        labels: Numbers of labels.
    """
    # Two roots: the product of two variances overflows sooner.
    scale = ops.sqrt(yy) * ops.sqrt(pp)
    defined = ops.logical_or(ops.not_equal(yy, 0), ops.isnan(yp))
    return yp / ops.where(defined, scale, ops.ones_like(scale)), defined


def concordance(
    yy: Tensor, pp: Tensor, yp: Tensor, weight: Tensor, bias: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Lin's coefficient, and where it is known, as `pearson`."""
    scale = yy + pp + weight * ops.square(bias)
    defined = ops.logical_and(ops.greater(labels, 1), ops.not_equal(scale, 0))
    defined = ops.logical_or(defined, ops.isnan(yp))
    return 2 * yp / ops.where(defined, scale, ops.ones_like(scale)), defined


def row_moments(
    y_true: Tensor, y_pred: Tensor, hidden: Tensor | None, weight: Tensor | None
) -> tuple[Tensor, ...]:
    """What a coefficient takes, of each row.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        hidden: Where there is none, or `None`.
        weight: Weights, 0 where hidden, or `None`.
    """
    of_rows = Centering(hidden, weight, ops.ones_like(y_true), axis=-1)
    (center_y, y), (center_p, p) = (of_rows(of_rows.show(x)) for x in (y_true, y_pred))
    sum_y, sum_p, yy, pp, yp = (of_rows.add_up(x) for x in (y, p, y * y, p * p, y * p))
    weights = of_rows.weights
    safe = ops.where(ops.equal(weights, 0), ops.ones_like(weights), weights)
    # The difference of the centers first: both may be large.
    bias = center_y - center_p + (sum_y - sum_p) / safe
    yy, pp = yy - sum_y * sum_y / safe, pp - sum_p * sum_p / safe
    return yy, pp, yp - sum_y * sum_p / safe, safe, bias, of_rows.labels


class Centering:
    """Means of what is shown, and the deviations from them.

    The mean is that by the magnitudes of the weights: one label far off that hardly counts must
    not take the digits of the others. Of equal entries it is exactly theirs: they must vary by 0.
    A mean of equal numbers can be off by a rounding or two; the mean of what is left then is that
    error, to the last digit that counts.

    Args:
        hidden: Where nothing is shown, or `None`.
        weight: Weights, 0 where hidden, or `None`.
        ones: A tensor of ones, of the shape of what is centered.
        axis: The axis of the means.
        labels: How many entries are shown, if that is known.
    """

    def __init__(
        self,
        hidden: Tensor | None,
        weight: Tensor | None,
        ones: Tensor,
        axis: int,
        labels: Tensor | None = None,
    ) -> None:
        self._hidden, self._weight, self._axis = hidden, weight, axis
        if labels is None:
            shown = ones if hidden is None else _backend.zero_where(hidden, ones)
            labels = ops.sum(shown, axis=axis)
        self.labels = labels
        self.weights = labels if weight is None else ops.sum(weight, axis=axis)
        self._magnitude = None if weight is None else ops.abs(weight)
        size = labels if weight is None else ops.sum(self._magnitude, axis=axis)
        self._size = ops.expand_dims(ops.where(ops.equal(size, 0), ops.ones_like(size), size), axis)

    def show(self, x: Tensor) -> Tensor:
        """The entries, 0 where hidden."""
        return x if self._hidden is None else _backend.zero_where(self._hidden, x)

    def __call__(self, shown: Tensor) -> tuple[Tensor, Tensor]:
        """The mean, and the deviations; with weights, these are anything finite where hidden."""
        first = self._mean(shown)
        center = first + self._mean(self._deviations(shown, first))
        return ops.squeeze(center, self._axis), self._deviations(shown, center)

    def _deviations(self, shown: Tensor, center: Tensor) -> Tensor:
        deviations = shown - center
        return deviations if self._weight is not None else self.show(deviations)

    def add_up(self, x: Tensor) -> Tensor:
        """The weighted sum of what is shown, of a product of deviations."""
        return ops.sum(x if self._weight is None else x * self._weight, axis=self._axis)

    def _mean(self, x: Tensor) -> Tensor:
        x = x if self._magnitude is None else x * self._magnitude
        return ops.sum(x, axis=self._axis, keepdims=True) / self._size
