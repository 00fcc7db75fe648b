"""Heads: last layers whose output has the parameters of a distribution on its last axis."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_masked import distributions
from keras_masked.layers.base import StrictLayer, register
from keras_masked.layers.normalization import LabelNormalization
from keras_masked.observation import NAN, Missing
from keras_masked.validation import POSITIVE_INTEGER

Tensor = Any


@register
class DistributionHead(StrictLayer):
    r"""Predicts the parameters of a distribution for each label, stacked on a last axis.

    $$\theta_{lk} = x \cdot W_{lk} + b_{lk}$$

    One dense layer of `labels` times the number of parameters, reshaped: what
    `keras_masked.losses.NegativeLogLikelihood` and the metrics of predicted distributions take. Of
    layers of your own, `keras.ops.stack([mean, log_variance], axis=-1)` makes the same.

    Args:
        labels: Number of labels.
        distribution: The family: its name, `"gaussian"`, say, or a
            `keras_masked.distributions.Distribution`.
        kernel_initializer: Initializer of the weights.
        bias_initializer: Initializer of the biases: by default all 0, which of a Gaussian is a
            variance of 1, but for the components of a `Mixture`, which are apart.
        kernel_regularizer: Regularizer of the weights.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Training starts at the labels' spread where they are known beforehand: `adapt` makes biases of
    which every row is predicted as all labels are spread, by mean and standard deviation, and
    weights of 0. Or else work in normalized units: see `LabelDenormalization`.

    Shapes: input `(batch, ..., features)`, output `(batch, ..., labels, parameters)`; of a
    `MultivariateGaussian`, which is of all labels together, `(batch, ..., parameters)`.

    Raises:
        ValueError: If `labels` is not a positive integer, or not that of a joint distribution.

    Example:

    >>> head = keras_masked.layers.DistributionHead(3)
    >>> head(np.ones((2, 5))).shape == (2, 3, 2)  # a mean and a log-variance for each label
    True
    >>> head = keras_masked.layers.DistributionHead(1, "lognormal")
    >>> head.adapt(np.array([[50.0], [np.nan], [150.0]]))  # 100 +- 50
    >>> mean = keras_masked.distributions.LogNormal().mean(head(np.ones((2, 5))))
    >>> [round(float(m), 2) for m in keras.ops.convert_to_numpy(mean)[:, 0]]
    [100.0, 100.0]

    Source: Nix and Weigend 1994.
    """

    admits = {"labels": POSITIVE_INTEGER}

    def __init__(
        self,
        labels: int,
        distribution: Any = "gaussian",
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = None,
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.labels = labels
        self.distribution = distributions.get(distribution)
        of = self.distribution
        if of.label_axes and getattr(of, "labels", self.labels) != self.labels:
            raise ValueError(
                f"{type(self).__name__}: argument `labels` must be that of the distribution, "
                f"{of.labels}. Received: labels={labels}"  # type: ignore[attr-defined]
            )
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.supports_masking = True
        self._start: np.ndarray | None = None
        self.dense = keras.layers.Dense(
            math.prod(self._last_axes),
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer or "zeros",
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="parameters",
        )

    def build(self, input_shape: Any) -> None:
        """Creates the weights."""
        self.dense.build(input_shape)
        initial = self.distribution.initial
        if self._start is not None:
            self._set(self._start)
        elif self.bias_initializer is None and initial:
            count = 1 if self.distribution.label_axes else self.labels
            self.dense.bias.assign(np.tile(np.asarray(initial, "float32"), count))

    def adapt(self, labels: Any, missing: Missing = NAN, **options: Any) -> None:
        """Starts at the labels' spread: biases of their mean and deviation, and weights of 0.

        Args:
            labels: Labels `(rows, ..., labels)`, or batches of them, as `LabelNormalization.adapt`
                takes them.
            missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
            **options: Of `LabelNormalization.adapt`.

        Raises:
            ValueError: If a label is never observed, or there are not as many as in this layer.
        """
        measured = LabelNormalization(missing)
        measured.build((None, self.labels))
        measured.adapt(labels, **options)
        mean, deviation = measured.mean, measured.standard_deviation
        start = self.distribution.start(*(ops.convert_to_tensor(x) for x in (mean, deviation)))
        self._start = ops.convert_to_numpy(self.distribution.take_in(start)).reshape(-1)
        if self.built:
            self._set(self._start)

    def _set(self, biases: np.ndarray) -> None:
        self.dense.kernel.assign(ops.zeros(self.dense.kernel.shape))
        self.dense.bias.assign(biases)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the parameters.

        Args:
            inputs: Features.
        """
        shape = ops.shape(inputs)[:-1]
        numbers = ops.reshape(self.dense(inputs), (*shape, *self._last_axes))
        return self.distribution.put_out(numbers)

    @property
    def _last_axes(self) -> tuple[int, ...]:
        parameters = len(self.distribution.parameters)
        return (parameters,) if self.distribution.label_axes else (self.labels, parameters)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the features, with labels and parameters in their place."""
        return (*input_shape[:-1], *self._last_axes)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        biases = self.bias_initializer
        own = {
            "labels": self.labels,
            "distribution": distributions.serialize(self.distribution),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": biases and keras.initializers.serialize(biases),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **own}
