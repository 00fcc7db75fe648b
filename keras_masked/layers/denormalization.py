"""The end of a model that works in normalized units: predictions in those of the labels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import distributions, serialization
from keras_masked.layers.base import StrictLayer, register
from keras_masked.layers.normalization import LabelNormalization

Tensor = Any


@register
class LabelDenormalization(StrictLayer):
    r"""Maps a model's predictions of normalized labels to the units of the labels.

    $$p_{il} = z_{il} \sigma_l + \mu_l$$

    with means and standard deviations those of a `LabelNormalization`. As the last layer, it lets a
    network work in normalized units, while labels, loss, metrics and predictions are in the labels'
    own, sentinels untouched. The loss is then in those units, too: one label of large numbers
    outweighs all others in a mean of squares, though not in a likelihood of predicted variances.
    For example::

        normalization = km.layers.LabelNormalization(missing=-9999.0)
        normalization.adapt(labels)
        model = keras.Sequential([
            keras.layers.Dense(64, activation="relu"),
            km.layers.DistributionHead(20),
            km.layers.LabelDenormalization(normalization, "gaussian"),
        ])
        model.compile("adam", loss=km.losses.NegativeLogLikelihood(missing=-9999.0))

    Under a policy of half precision, give `dtype="float32"`: many units overflow float16.

    Args:
        normalization: The `LabelNormalization`, which is saved with this layer. It may be adapted
            after the model has been built, but before it is used.
        distribution: `None` for predictions of labels; for the parameters of distributions their
            family: its name, `"gaussian"`, say, or a `keras_masked.distributions.Distribution`.
            Of families that know no shift, of positive numbers or counts, say, parameters of 0
            become those of the labels' mean and standard deviation.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: input and output `(batch, ..., labels)`, or with a distribution
    `(batch, ..., labels, parameters)`.

    Raises:
        ValueError: If `normalization` is no `LabelNormalization`, `distribution` is unknown, on
            another number of labels than those of `normalization`, or where it is not adapted.

    Example:

    >>> normalization = keras_masked.layers.LabelNormalization()
    >>> normalization.adapt(np.array([[1.0, np.nan], [3.0, 20.0], [np.nan, 40.0]]))
    >>> layer = keras_masked.layers.LabelDenormalization(normalization)
    >>> [float(p) for p in layer(np.array([[0.5, -1.0]]))[0]]
    [2.5, 20.0]
    >>> layer = keras_masked.layers.LabelDenormalization(normalization, "gaussian")
    >>> parameters = layer(np.zeros((1, 2, 2)))  # means 0 and variances 1
    >>> [[round(float(p), 4) for p in row] for row in parameters[0]]  # 4.6052 is 2 log 10
    [[2.0, 0.0], [30.0, 4.6052]]

    Source: none.
    """

    def __init__(self, normalization: Any, distribution: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(normalization, dict):
            normalization = keras.saving.deserialize_keras_object(normalization)
        if not isinstance(normalization, LabelNormalization):
            raise ValueError(
                "Argument `normalization` must be a `keras_masked.layers.LabelNormalization`. "
                f"Received: normalization={normalization!r}"
            )
        self.normalization = normalization
        self.distribution = None if distribution is None else distributions.get(distribution)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Creates the weights of the normalization, if it has none yet."""
        if not self.normalization.built:
            self.normalization.build(self.normalization.shape_of(self._labels_shape(input_shape)))

    def call(self, predictions: Tensor) -> Tensor:
        """Returns the predictions in the labels' units.

        Args:
            predictions: Predictions, or parameters, for normalized labels.
        """
        found = self.normalization._inverse(predictions, self.distribution)
        return ops.cast(found, self.compute_dtype)

    def _labels_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        shape = tuple(input_shape)
        if self.distribution is None:
            return shape
        if self.distribution.label_axes:  # parameters of all labels together
            return (*shape[:-1], getattr(self.distribution, "labels", None))
        return shape[:-1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the predictions."""
        labels = self._labels_shape(input_shape)
        self.normalization.compute_output_shape(self.normalization.shape_of(labels))
        return tuple(input_shape)

    def save_own_variables(self, store: Any) -> None:
        """Saves mean and standard deviation.

        Keras saves a `LabelNormalization` that several layers hold with the first of them alone,
        and in the loaded model each has its own.
        """
        if not self.normalization.built:
            return
        store["mean"] = ops.convert_to_numpy(self.normalization.mean)
        store["standard_deviation"] = ops.convert_to_numpy(self.normalization.standard_deviation)

    def load_own_variables(self, store: Any) -> None:
        """Loads mean and standard deviation."""
        if not len(store.keys()):
            return
        self.normalization.mean.assign(store["mean"])
        self.normalization.standard_deviation.assign(store["standard_deviation"])

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        of = self.distribution
        own = {
            "normalization": serialization.serialize(self.normalization),
            "distribution": None if of is None else distributions.serialize(of),
        }
        return {**super().get_config(), **own}
