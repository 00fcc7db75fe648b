"""Labels in units of their standard deviations, and predictions back in the labels' units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_masked import distributions
from keras_masked.layers import label_moments, label_streams
from keras_masked.layers.base import StrictLayer, is_set, register
from keras_masked.observation import (
    NAN,
    Missing,
    as_number,
    find_missing,
    only_ends,
    receive_labels,
)
from keras_masked.observation import standardize_missing as standardize
from keras_masked.validation import BOOLEAN, NAMES, optional

Tensor = Any

EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}


@register
class LabelNormalization(StrictLayer):
    r"""Subtracts the mean of each label and divides by its standard deviation, those of observed.

    $$z_{il} = \frac{y_{il} - \mu_l}{\sigma_l}, \quad
      \mu_l = \frac{\sum_i o_{il} y_{il}}{\sum_i o_{il}}, \quad
      \sigma_l^2 = \frac{\sum_i o_{il} (y_{il} - \mu_l)^2}{\sum_i o_{il}}$$

    with $o_{il}$ 1 where label $l$ of row $i$ is observed, else 0. A missing label stays what it
    is, NaN or the sentinel, exactly, so that the losses and metrics that follow take the same
    `missing`. An observed label that would become equal to a sentinel, 0 say, is moved by a
    rounding error. A label that is the same in all rows is divided by 1.

    `adapt` measures means and standard deviations; the methods below map predictions, parameters
    of distributions and errors back. For a model that does so itself, see `LabelDenormalization`.

    With `censored=True` labels come as `keras_masked.censored_labels` makes them, two ends each,
    and both are mapped. Of an interval its middle enters mean and standard deviation, of a bound
    the bound: a matter of scale, and no estimate of what lies beyond.

    All is computed in float32 at least. For labels with more digits, such as dates, give
    `dtype="float64"`.

    Args:
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        names: Names of the labels, for messages.
        censored: Whether labels are lower and upper ends, and perhaps errors.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: input and output `(batch, ..., labels)`, with `censored=True` `(batch, ..., labels, 2)`,
    or `(batch, ..., labels, 3)` with errors. Where a model puts out `(batch, steps, 1)`, all
    steps are one label: give `labels[..., None]` of labels `(batch, steps)`.

    Raises:
        ValueError: If `names` are no distinct strings, on a number of labels other than that in
            `adapt`, on NumPy masked arrays, or where the layer is used before `adapt`; within a
            compiled graph, where nobody can look, the result is NaN then.

    Example:

    >>> normalization = keras_masked.layers.LabelNormalization(missing=-9999.0)
    >>> labels = np.array([[1.0, 20.0], [3.0, -9999.0], [-9999.0, 40.0]])
    >>> normalization.adapt(labels)
    >>> [[float(z) for z in row] for row in normalization(labels)]
    [[-1.0, -1.0], [1.0, -9999.0], [-9999.0, 1.0]]
    >>> [float(y) for y in normalization.inverse(np.array([[0.5, 0.5]]))[0]]
    [2.5, 35.0]

    Source: Leung and Bovy 2019 (astroNN), who keep the magic number of missing labels where they
    normalise; Chan, Golub and LeVeque 1979 for means and variances of batches.
    """

    admits = {"names": optional(NAMES), "censored": BOOLEAN}

    def __init__(
        self,
        missing: Missing = NAN,
        names: Sequence[str] | None = None,
        *,
        censored: bool = False,
        **kwargs: Any,
    ) -> None:
        # Keras would round the labels before a marker has been found among them.
        super().__init__(**{"autocast": False, **kwargs})
        self.missing = standardize(missing)
        self.names = None if names is None else tuple(names)
        self.censored = censored
        self.supports_masking = True
        self.labels: int | None = None
        self.mean: Any = None
        self.standard_deviation: Any = None
        self._adapted = False

    def build(self, input_shape: Any) -> None:
        """Creates mean and standard deviation, NaN until `adapt`."""
        own = 1 + self.censored  # how many last axes there are from that of the labels on
        labels = input_shape[-own] if len(input_shape) >= own else None
        if labels is None or (self.names is not None and len(self.names) != labels):
            expected = "(..., labels)" if self.names is None else f"(..., {len(self.names)})"
            raise ValueError(
                f"Labels must have the shape {expected}, the last axis known. "
                f"Received: shape={tuple(input_shape)}"
            )
        self.labels = int(labels)
        dtype = "float64" if self.variable_dtype == "float64" else "float32"
        self.mean, self.standard_deviation = (
            self.add_weight(
                shape=(self.labels,),
                initializer=keras.initializers.Constant(float("nan")),
                dtype=dtype,
                trainable=False,
                autocast=False,
                name=name,
            )
            for name in ("mean", "standard_deviation")
        )

    def adapt(
        self,
        data: Any,
        batch_size: int | None = None,
        steps: int | None = None,
        verbose: str | int = "auto",
    ) -> None:
        """Measures mean and standard deviation of each label; what was measured before is gone.

        Args:
            data: An array of labels `(rows, ..., labels)`, or anything that yields batches: a
                `tf.data.Dataset`, a `DataLoader`, a `keras.utils.PyDataset`, a generator, a list.
                Batches are arrays of labels or tuples `(x, y)` or `(x, y, sample_weight)`, whose y
                is taken and weighed alike. Of labels stacked with their errors, give the labels.
            batch_size: How many rows of an array are taken at once: a matter of memory alone.
                Streams have batches of their own.
            steps: How many batches are taken at most; infinite streams need it.
            verbose: 0 for no progress bar, 1 for one; `"auto"` for one over streams of known
                length or of more than a few batches.

        Raises:
            ValueError: If a label is never observed, infinite where it is observed, or too large
                for the layer's dtype, if there are no labels at all, or if batches differ in their
                number of labels. The layer then stays as it was.
        """
        moments = label_moments.LabelMoments(
            self.missing, self.names, self.labels, censored=self.censored
        )
        for labels in label_streams.label_batches(data, batch_size, steps, verbose):
            moments.update(labels)
        dtype = "float64" if self.variable_dtype == "float64" else "float32"
        mean, deviation = moments.result(dtype)
        if not self.built:
            self.build(self.shape_of((None, len(mean))))
        self.mean.assign(mean)
        self.standard_deviation.assign(deviation)
        self._adapted = True

    def __call__(self, labels: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Converts the labels itself: Keras would lose NumPy's masks and, on JAX, wide integers."""
        return super().__call__(receive(labels, self.missing), *args, **kwargs)

    def call(self, labels: Tensor) -> Tensor:
        """Returns the normalized labels, missing ones as they are.

        Args:
            labels: Labels `(..., labels)`.
        """
        if not self.censored:
            return self._map_observed(labels, lambda y, mean, std: (y - mean) / std)
        labels = receive(labels, self.missing)
        ends = self._map_observed(only_ends(labels), lambda y, mean, std: (y - mean) / std, ends=1)
        if labels.shape[-1] == 2:
            return ends
        return ops.concatenate([ends, ops.expand_dims(self.errors(labels[..., 2]), -1)], axis=-1)

    def inverse(self, predictions: Tensor) -> Tensor:
        """Returns predictions in the labels' units, p std + mean.

        Args:
            predictions: Predictions of normalized labels `(..., labels)`.
        """
        return ops.cast(self._inverse(predictions), self.compute_dtype)

    def inverse_log_variances(self, log_variances: Tensor) -> Tensor:
        """Returns logarithms of variances in the labels' units, s + 2 log std.

        Args:
            log_variances: Logarithms of the variances of normalized labels `(..., labels)`.
        """
        s, _, std = self._prepare(log_variances)
        return ops.cast(s + 2.0 * ops.log(std), self.compute_dtype)

    def errors(self, errors: Tensor) -> Tensor:
        """Returns standard deviations of the labels' errors in normalized units, e / std.

        Args:
            errors: Errors in the labels' units `(..., labels)`; missing ones stay what they are.
        """
        return self._map_observed(errors, lambda e, mean, std: e / std)

    def inverse_errors(self, errors: Tensor) -> Tensor:
        """Returns errors in the labels' units, e std.

        Args:
            errors: Errors in normalized units `(..., labels)`; missing ones stay what they are.
        """
        return self._map_observed(errors, lambda e, mean, std: e * std)

    def inverse_parameters(self, parameters: Tensor, distribution: Any = "gaussian") -> Tensor:
        """Returns the parameters of distributions in the labels' units.

        Args:
            parameters: Parameters for normalized labels `(..., labels, parameters)`.
            distribution: The family: its name, `"gaussian"`, say, or a
                `keras_masked.distributions.Distribution`.
        """
        found = self._inverse(parameters, distributions.get(distribution))
        return ops.cast(found, self.compute_dtype)

    def _inverse(self, predictions: Tensor, distribution: Any = None) -> Tensor:
        """Predictions or parameters in the labels' units, not rounded to the layer's dtype."""
        if distribution is None:
            p, mean, std = self._prepare(predictions)
            return p * std + mean
        p, mean, std = self._prepare(predictions, axis=None if distribution.label_axes else -2)
        distribution.check(p)
        return distribution.denormalize(p, mean, std)

    def shape_of(self, labels: Any) -> tuple[int | None, ...]:
        """The shape of what this layer takes, of that of labels `(..., labels)`."""
        return (*labels, 2) if self.censored else tuple(labels)

    def _map_observed(
        self, labels: Tensor, function: Callable[..., Tensor], ends: int = 0
    ) -> Tensor:
        labels = receive(labels, self.missing)
        y, mean, std = self._prepare(labels, axis=-1 - ends)
        if ends:
            mean, std = mean[:, None], std[:, None]
        mapped = ops.cast(function(y, mean, std), self.compute_dtype)
        markers = self.missing if isinstance(self.missing, tuple) else (self.missing,)
        numbers = tuple(marker for marker in markers if marker != NAN)
        if numbers:  # an observed label must not come to look missing
            # Markers are found in float32 among labels of float64, too.
            epsilon = EPSILON.get(self.compute_dtype, EPSILON["float32"])
            step = epsilon * (1.0 + ops.abs(mapped))
            mapped = ops.where(find_missing(mapped, numbers), mapped + step, mapped)
        for marker in markers:
            absent = find_missing(labels, marker, ends)
            if absent is not None and ends:  # of which both are the marker, or any is NaN
                absent = ops.expand_dims(absent, -1)
            if absent is not None:  # the marker, for labels of another dtype may be another number
                value = as_number(marker, self.compute_dtype)
                value = ops.convert_to_tensor(value, dtype=self.compute_dtype)
                mapped = ops.where(absent, value, mapped)
        return mapped

    def _prepare(self, x: Tensor, axis: int | None = -1) -> tuple[Tensor, Tensor, Tensor]:
        """A tensor, mean and standard deviation in one dtype, float32 at least."""
        if not self._is_adapted():
            raise ValueError(
                f"Layer {self.name!r} does not know mean and standard deviation of the labels yet: "
                "call `adapt` with labels first."
            )
        x = x if ops.is_tensor(x) else receive(x, ())
        if axis is not None:  # else the last axis holds parameters of all labels together
            self._check_shape(tuple(x.shape), axis)
        received = keras.backend.standardize_dtype(x.dtype)
        dtype = "float64" if "float64" in (received, self.mean.dtype) else "float32"
        x, mean, std = (ops.cast(each, dtype) for each in (x, self.mean, self.standard_deviation))
        return x, mean, std

    def _is_adapted(self) -> bool:
        self._adapted = self._adapted or is_set(self.mean)
        return self._adapted

    def _check_shape(self, shape: tuple[int | None, ...], axis: int = -1) -> None:
        form = f"(..., {self.labels})" if axis == -1 else f"(..., {self.labels}, parameters)"
        if len(shape) < -axis or shape[axis] not in (None, self.labels):
            hint = ""
            if len(shape) >= -axis and 1 in (self.labels, shape[axis]):
                hint = (
                    " Labels (..., steps) are one column where the model puts out (..., steps, 1): "
                    "give `labels[..., None]`, in `adapt` too."
                )
            raise ValueError(
                f"Layer {self.name!r} is adapted to {self.labels} labels and expects the shape "
                f"{form}. Received: shape={shape}.{hint}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the labels."""
        if self.labels is not None:
            self._check_shape(tuple(input_shape), -1 - self.censored)
        return tuple(input_shape)

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the number of labels, once it is known."""
        return None if self.labels is None else {"labels": self.labels}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Creates the weights for the number of labels, into which a file is loaded."""
        if not self.built:
            self.build(self.shape_of((None, config["labels"])))

    def load_own_variables(self, store: Any) -> None:
        """Loads the weights, unless the layer that holds this one has them and has loaded them."""
        if len(store.keys()) or not self._is_adapted():
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        names = None if self.names is None else list(self.names)
        own = {"missing": self.missing, "names": names, "censored": self.censored}
        return {**super().get_config(), **own}


def receive(labels: Any, missing: Missing) -> Tensor:
    """A tensor of what no backend has converted yet, with nothing lost by it."""
    if ops.is_tensor(labels) or isinstance(labels, keras.KerasTensor):
        return labels
    return receive_labels(labels, missing, "labels")
