"""Heads: last layers whose output has the parameters of a distribution on its last axis."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import distributions
from keras_masked.layers.base import StrictLayer, register
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
        distribution: `"gaussian"`, or a `keras_masked.distributions.Distribution`.
        kernel_initializer: Initializer of the weights.
        bias_initializer: Initializer of the biases: all 0 by default, which of a Gaussian is a
            variance of 1.
        kernel_regularizer: Regularizer of the weights.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: input `(batch, ..., features)`, output `(batch, ..., labels, parameters)`.

    Raises:
        ValueError: If `labels` is not a positive integer.

    Example:

    >>> head = keras_masked.layers.DistributionHead(3)
    >>> head(np.ones((2, 5))).shape == (2, 3, 2)  # a mean and a log-variance for each label
    True

    Source: Nix and Weigend 1994.
    """

    admits = {"labels": POSITIVE_INTEGER}

    def __init__(
        self,
        labels: int,
        distribution: Any = "gaussian",
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.labels = labels
        self.distribution = distributions.get(distribution)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.supports_masking = True
        self.dense = keras.layers.Dense(
            self.labels * len(self.distribution.parameters),
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="parameters",
        )

    def build(self, input_shape: Any) -> None:
        """Creates the weights."""
        self.dense.build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the parameters.

        Args:
            inputs: Features.
        """
        shape = ops.shape(inputs)[:-1]
        numbers = ops.reshape(self.dense(inputs), (*shape, *self._last_axes))
        return self.distribution.put_out(numbers)

    @property
    def _last_axes(self) -> tuple[int, int]:
        return (self.labels, len(self.distribution.parameters))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the features, with labels and parameters in their place."""
        return (*input_shape[:-1], *self._last_axes)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        own = {
            "labels": self.labels,
            "distribution": distributions.serialize(self.distribution),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **own}
