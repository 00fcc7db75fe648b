"""`OfMean` and `OfQuantile`: any metric, of one number of each predicted distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from keras_masked import _backend, distributions, serialization
from keras_masked.formulas import WITH_ERRORS
from keras_masked.metrics.base import MaskedMetric, register
from keras_masked.observation import (
    align_errors,
    expand_from_left,
    standardize_errors,
    take_apart,
    take_ends_apart,
)
from keras_masked.validation import FRACTION

Tensor = Any


class OfDistribution(MaskedMetric):
    """Base class: another metric, of one number of each predicted distribution.

    A subclass implements `number`.
    """

    label = WITH_ERRORS

    def __init__(
        self,
        metric: MaskedMetric,
        distribution: Any = "gaussian",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        if not isinstance(metric, MaskedMetric) or metric.label.stacked:
            raise ValueError(
                "Argument `metric` must be a metric of keras_masked that takes one number per "
                "label; wrap others in `keras_masked.metrics.Masked`. "
                f"Received: metric={metric!r}"
            )
        super().__init__(name or metric.name, dtype or metric.dtype, missing=metric.missing)
        self.distribution = distributions.get(distribution)
        self.metric = metric
        if hasattr(metric, "_direction"):
            self._direction = metric._direction

    def number(self, parameters: Tensor) -> Tensor:
        """What stands for the distribution of each label."""
        raise NotImplementedError

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: Labels, some of them missing, with errors or without.
            y_pred: Parameters of their distributions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        mask, error = _backend.get_keras_mask(y_pred), None
        if not self.distribution.label_axes:  # else labels have no errors
            censored = _innermost(self.metric).label.censored
            y_true, error, first = (take_ends_apart if censored else take_apart)(y_true, y_pred)
        y_pred = ops.convert_to_tensor(y_pred)
        self.distribution.check(y_pred)
        number = self.number(y_pred)
        if error is not None:  # infinite ones say that nothing is known of the label
            known = mask is None and sample_weight is None
            value = y_true[..., 0] if censored else y_true
            error, certain = standardize_errors(error, value, self.missing, known)
            if certain is not None:
                certain = align_errors(certain, first)
                mask = certain if mask is None else _both(mask, certain)
                wrong = _backend.isnan(align_errors(error, first))  # negative
                number = ops.where(wrong, ops.full_like(number, float("nan")), number)
        if mask is not None:
            _backend.set_keras_mask(number, mask)
        self.metric.update_state(y_true, number, sample_weight)

    def result(self) -> Any:
        """Returns the metric's result."""
        return self.metric.result()

    def support(self) -> Tensor:
        """Returns how many labels the result rests on: the sum of their weights, if any."""
        return self.metric.support()

    def logged(self) -> list[str]:
        """The keys of the metric's result, if it is a dict."""
        return self.metric.logged()

    def is_defined(self) -> Tensor:
        """Whether the labels observed define the result."""
        return self.metric.is_defined()

    def reset_state(self) -> None:
        """Forgets what has been seen."""
        self.metric.reset_state()

    def merge_state(self, metrics: Iterable[MaskedMetric]) -> None:
        """Adds what other metrics have seen, of other parts of the data.

        Args:
            metrics: Metrics of the same class and options, around the same metric.

        Raises:
            ValueError: If one is of another class, or has other options.
        """
        metrics = list(metrics)
        super().merge_state(metrics)
        self.metric.merge_state(each.metric for each in metrics if isinstance(each, OfDistribution))

    def _shape_of_state(self) -> Any:
        return self.metric._shape_of_state()

    def _create_state(self, shape: Any) -> None:
        self.metric._create_state(shape)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the inner metric included."""
        return {
            "metric": serialization.serialize(self.metric),
            "distribution": serialization.serialize(self.distribution),
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OfDistribution:
        """Builds the metric from its config."""
        inner = keras.saving.deserialize_keras_object(config["metric"])
        metric = super().from_config({**config, "metric": inner})
        assert isinstance(metric, cls)
        return metric


@register
class OfMean(OfDistribution):
    r"""Another metric, of the means of the predicted distributions.

    $$M = M(\{(y_i, \mu_i) : o_i = 1\})$$

    with $\mu_i$ the mean of the distribution predicted for label $i$, and $o_i$ 1 where the label
    is observed. With parameters stacked on the last axis of the output, the one output serves the
    likelihood and ordinary metrics alike.

    Args:
        metric: One of our metrics, `PerLabel` included; wrap Keras's own in `Masked`. It says which
            labels are missing.
        distribution: The family: its name, `"gaussian"`, say, or a
            `keras_masked.distributions.Distribution`.
        name: Name of the metric; by default, that of `metric`.
        dtype: Dtype of the result; by default, that of `metric`.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or
    `(batch, ..., labels, 2)` with errors, which make no difference here, unless infinite: such a
    label is missing; with lower and upper ends, and perhaps errors, where `metric` is `censored`.
    The result is that of `metric`.

    Raises:
        ValueError: If `metric` is none of ours, shapes do not align, or an error is negative; in
            graphs, such an error makes the result NaN.

    Example:

    >>> metric = keras_masked.metrics.OfMean(keras_masked.metrics.MeanAbsoluteError())
    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[6.0, 0.0], [7.0, 0.0]]])  # means and log-variances
    >>> metric.update_state(y_true, y_pred)
    >>> float(metric.result())
    5.0

    Source: none.
    """

    def number(self, parameters: Tensor) -> Tensor:
        """The mean."""
        return self.distribution.mean(parameters)


@register
class OfQuantile(OfDistribution):
    r"""Another metric, of one quantile of the predicted distributions.

    $$M = M(\{(y_i, q_i) : o_i = 1\}), \quad F_i(q_i) = q$$

    with $F_i$ the distribution function predicted for label $i$, and $o_i$ 1 where the label is
    observed. The median, `q=0.5`, is what makes mean absolute errors least; a mean is not, nor does
    every distribution have one.

    Args:
        metric: One of our metrics, `PerLabel` included; wrap Keras's own in `Masked`. It says which
            labels are missing.
        q: The probability of less, between 0 and 1.
        distribution: The family: its name, `"gaussian"`, say, or a
            `keras_masked.distributions.Distribution`.
        name: Name of the metric; by default, that of `metric`.
        dtype: Dtype of the result; by default, that of `metric`.

    Shapes: `y_pred` `(batch, ..., labels, parameters)`; `y_true` `(batch, ..., labels)`, or
    `(batch, ..., labels, 2)` with errors, which make no difference here, unless infinite: such a
    label is missing; with lower and upper ends, and perhaps errors, where `metric` is `censored`.
    The result is that of `metric`.

    Raises:
        ValueError: If `metric` is none of ours, `q` is not between 0 and 1, shapes do not align, or
            an error is negative; in graphs, such an error makes the result NaN.

    Example:

    >>> inner = keras_masked.metrics.MeanAbsoluteError()
    >>> metric = keras_masked.metrics.OfQuantile(inner, 0.5, "lognormal")
    >>> y_true = np.array([[1.0, np.nan]])
    >>> y_pred = np.array([[[np.log(6.0), 0.0], [7.0, 0.0]]])  # of medians 6 and exp(7)
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)
    5.0

    Source: none.
    """

    admits = {"q": FRACTION}

    def __init__(
        self,
        metric: MaskedMetric,
        q: float = 0.5,
        distribution: Any = "gaussian",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(metric, distribution, name, dtype)
        self.q = q

    def number(self, parameters: Tensor) -> Tensor:
        """The quantile."""
        return self.distribution.quantile(self.q, parameters)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the inner metric included."""
        return {**super().get_config(), "q": self.q}


def _innermost(metric: Any) -> Any:
    """The metric that looks at labels, of those around it."""
    while isinstance(getattr(metric, "metric", None), MaskedMetric):
        metric = metric.metric
    return metric


def _both(mask: Tensor, certain: Tensor) -> Tensor:
    """A Keras mask without the labels that are not certain."""
    mask = expand_from_left(mask, tuple(certain.shape), name="mask")
    return ops.logical_and(ops.cast(mask, "bool"), certain)
