"""Features with holes: what stands in for them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked.layers import label_moments, label_streams
from keras_masked.layers.base import StrictLayer, is_set, register
from keras_masked.layers.normalization import receive
from keras_masked.observation import NAN, Missing, find_missing, standardize_missing
from keras_masked.validation import BOOLEAN, number_or

Tensor = Any


@register
class FillMissing(StrictLayer):
    r"""Fills missing features, and on request says which they were.

    $$z_{if} = \begin{cases} x_{if} & \text{where feature } f \text{ of row } i \text{ is known} \\
      v_f & \text{elsewhere} \end{cases}$$

    A missing *label* needs nothing; a missing *feature* does: a NaN among the inputs makes every
    weight NaN in one step, though the loss of that step is finite. As the first layer of a model,
    this one cures it. The gradient by a filled entry is exactly 0.

    Args:
        value: What is filled in: a number, or `"mean"` for the mean of the known entries of each
            feature, which `adapt` measures.
        missing: Which features are missing: `"nan"`, a number, or a tuple of these.
        indicators: Whether to append a column for each feature, 1 where it was missing, else 0:
            that it is missing may tell something.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: input `(batch, ..., features)`; output of the same shape, or
    `(batch, ..., 2 * features)` with `indicators`.

    Raises:
        ValueError: If `value` is neither a finite number nor `"mean"`, on another number of
            features than in `adapt`, on NumPy masked arrays, or where the layer needs means that it
            does not have; within a compiled graph, where nobody can look, it fills in NaN then.

    Example:

    >>> layer = keras_masked.layers.FillMissing("mean", indicators=True)
    >>> x = np.array([[1.0, np.nan], [3.0, 8.0]])
    >>> layer.adapt(x)
    >>> [[float(z) for z in row] for row in layer(x)]
    [[1.0, 8.0, 0.0, 1.0], [3.0, 8.0, 0.0, 0.0]]

    Source: `sklearn.impute.SimpleImputer` and `sklearn.impute.MissingIndicator(features="all")`.
    """

    admits = {"value": number_or("mean"), "indicators": BOOLEAN}

    def __init__(
        self,
        value: float | str = 0.0,
        missing: Missing = NAN,
        indicators: bool = False,
        **kwargs: Any,
    ) -> None:
        # Keras would round the features before a marker has been found among them.
        super().__init__(**{"autocast": False, **kwargs})
        self.value = value
        self.missing = standardize_missing(missing)
        self.indicators = indicators
        self.supports_masking = True
        self.features: int | None = None
        self.mean: Any = None
        self._adapted = False

    def build(self, input_shape: Any) -> None:
        """Creates the means, NaN until `adapt`, where they are wanted."""
        if self.value != "mean":
            return
        if not len(input_shape) or input_shape[-1] is None:
            raise ValueError(
                "Features must have the shape (..., features), the last axis known. "
                f"Received: shape={tuple(input_shape)}"
            )
        self.features = int(input_shape[-1])
        self.mean = self.add_weight(
            shape=(self.features,),
            initializer=keras.initializers.Constant(float("nan")),
            dtype=self._wide_dtype,
            trainable=False,
            autocast=False,
            name="mean",
        )

    @property
    def _wide_dtype(self) -> str:
        return "float64" if self.variable_dtype == "float64" else "float32"

    def adapt(
        self,
        data: Any,
        batch_size: int | None = None,
        steps: int | None = None,
        verbose: str | int = "auto",
    ) -> None:
        """Measures the mean of the known entries of each feature.

        Args:
            data: An array of features `(rows, ..., features)`, or anything that yields batches: a
                `tf.data.Dataset`, a `DataLoader`, a `keras.utils.PyDataset`, a generator, a list.
                Batches are arrays of features or tuples `(x, y)` or `(x, y, sample_weight)`, whose
                x is taken.
            batch_size: How many rows of an array are taken at once: a matter of memory alone.
            steps: How many batches are taken at most; infinite streams need it.
            verbose: 0 for no progress bar, 1 for one; `"auto"` for one over streams of known
                length or of more than a few batches.

        Raises:
            ValueError: If the layer fills in a number, or if a feature is never known, infinite
                where it is known, or too large for the layer's dtype. The layer then stays as it
                was.
        """
        if self.value != "mean":
            raise ValueError(
                f"There is nothing to adapt: `value` is a number. Received: value={self.value!r}. "
                "Pass `value='mean'` to fill in means."
            )
        moments = label_moments.LabelMoments(self.missing, None, self.features, noun="feature")
        batches = label_streams.label_batches(
            data, batch_size, steps, verbose, label_streams.features_of
        )
        for features in batches:
            moments.update(features)
        mean, _ = moments.result(self._wide_dtype)
        if not self.built:
            self.build((None, len(mean)))
        self.mean.assign(mean)
        self._adapted = True

    def __call__(self, features: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Converts the features itself: Keras would lose NumPy's masks and, on JAX, wide ints."""
        return super().__call__(receive(features, self.missing), *args, **kwargs)

    def call(self, features: Tensor) -> Tensor:
        """Returns the features without holes.

        Args:
            features: Features `(..., features)`.
        """
        features = receive(features, self.missing)
        wide = self._wide_dtype
        absent = find_missing(features, self.missing)
        filled = ops.cast(features, wide)
        if absent is not None:
            filled = ops.where(absent, ops.cast(self._fill(features), wide), filled)
        filled = ops.cast(filled, self.compute_dtype)
        if not self.indicators:
            return filled
        if absent is None:
            return ops.concatenate([filled, ops.zeros_like(filled)], axis=-1)
        return ops.concatenate([filled, ops.cast(absent, self.compute_dtype)], axis=-1)

    def _fill(self, features: Tensor) -> Any:
        if self.value != "mean":
            return self.value
        self._adapted = self._adapted or is_set(self.mean)
        if not self._adapted:
            raise ValueError(
                f"Layer {self.name!r} does not know the means of the features yet: call `adapt` "
                "with features first."
            )
        self._check_features(tuple(features.shape))
        return self.mean

    def _check_features(self, shape: tuple[int | None, ...]) -> None:
        if self.features is not None and (not shape or shape[-1] not in (None, self.features)):
            raise ValueError(
                f"Layer {self.name!r} knows the means of {self.features} features and expects the "
                f"shape (..., {self.features}). Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the features, with the indicators."""
        shape = tuple(input_shape)
        self._check_features(shape)
        if not self.indicators:
            return shape
        return (*shape[:-1], None if shape[-1] is None else 2 * shape[-1])

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the number of features, once it is known."""
        return None if self.features is None else {"features": self.features}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Creates the means, into which a file is loaded."""
        if not self.built and "features" in config:
            self.build((None, config["features"]))

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        own = {"value": self.value, "missing": self.missing, "indicators": self.indicators}
        return {**super().get_config(), **own}
