"""A loss of several outputs that need each other, added where they meet."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.layers.base import StrictLayer, register
from keras_masked.losses import MaskedLoss
from keras_masked.losses.draws import DrawnLoss
from keras_masked.observation import reject_arrays, stack_parameters
from keras_masked.validation import INTEGER, optional

Tensor = Any


@register
class LossEndpoint(StrictLayer):
    r"""Adds a loss of several tensors to a model's losses; passes the predictions on.

    $$L = \mathrm{loss}(y, [p_1, p_2, \ldots])$$

    Where a loss needs two outputs, the prediction and its variance say, `compile` has no place for
    it: there each output has a loss of its own. Labels are then inputs of the model that is
    trained, which shares its layers with the one that predicts::

        x, y, err = keras.Input((7514,)), keras.Input((20,)), keras.Input((20,))
        hidden = keras.layers.Dense(64, activation="relu")(x)
        output = keras.layers.Dense(20)(hidden)
        variance_output = keras.layers.Dense(20)(hidden)
        loss = km.losses.NegativeLogLikelihood(missing=-9999.0)
        labels = keras.ops.stack([y, err], axis=-1)
        outputs = km.layers.LossEndpoint(loss)([labels, output, variance_output])
        model = keras.Model([x, y, err], outputs)
        model.compile("adam")
        model.fit([spectra, labels, errors])
        predictor = keras.Model(x, [output, variance_output])

    Weights given to `fit` are not seen, as Keras gives them to the losses of `compile` alone: mark
    missing what must not count.

    A loss that is a mean over draws, of `keras_masked.losses`, has no generator and the same draws
    at every step. This layer has one: in training its draws are fresh, at every step and of every
    row; otherwise they are the loss's own.

    Args:
        loss: A loss, ours or Keras's, that takes the predictions stacked on a last axis; its
            `reduction` must make a single number.
        seed: Seed of the draws, which differ at every step all the same.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: a list: labels, as the loss takes them, and one or more tensors of predictions of one
    shape. Several are stacked on a last axis, one is taken as it is. The output is the predictions.

    Raises:
        ValueError: If `loss` is not a loss or does not reduce to one number.

    Example:

    >>> layer = keras_masked.layers.LossEndpoint(keras_masked.losses.NegativeLogLikelihood())
    >>> y, mean = np.array([[1.0, np.nan]]), np.array([[6.0, 7.0]])
    >>> outputs = layer([y, mean, np.log([[25.0, 1.0]])])
    >>> round(float(layer.losses[0]), 4)  # 25 / 2 / 25 + log(25) / 2
    2.1094

    Source: none.
    """

    admits = {"seed": optional(INTEGER)}

    def __init__(self, loss: Any, seed: int | None = None, **kwargs: Any) -> None:
        # Labels of half precision would lose digits, and sentinels their difference from labels.
        super().__init__(**{"autocast": False, **kwargs})
        self.supports_masking = True
        if isinstance(loss, dict):
            loss = keras.saving.deserialize_keras_object(loss)
        if not isinstance(loss, keras.losses.Loss) or loss.reduction in (None, "none"):
            raise ValueError(
                "Argument `loss` must be an instance of `keras.losses.Loss` whose `reduction` "
                f"makes a single number. Received: loss={loss!r}"
            )
        self.loss = loss
        self.seed = seed
        self._generator = keras.random.SeedGenerator(self.seed)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Checks what Keras would convert: a list, and no masked arrays in it."""
        inputs = args[0] if args else kwargs.get("inputs")
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                f"Layer {self.name!r} takes a list: labels and one or more tensors of predictions. "
                f"Received: {inputs!r}"
            )
        reject_arrays(**{f"inputs[{i}]": each for i, each in enumerate(inputs)})
        return super().__call__(*args, **kwargs)

    def call(self, inputs: list[Tensor], training: bool = False) -> Any:
        """Adds the loss and returns the predictions.

        Args:
            inputs: Labels and predictions.
            training: Whether to draw afresh.
        """
        y_true, *predictions = inputs
        named = {f"inputs[{i}]": each for i, each in enumerate(predictions, start=1)}
        y_pred = predictions[0] if len(predictions) == 1 else stack_parameters(**named)
        if training and isinstance(self.loss, DrawnLoss):
            shape = ops.shape(y_pred)[:-1]
            shift = keras.random.uniform(shape, dtype="float32", seed=self._generator)
            losses, seen = self.loss.evaluate(y_true, y_pred, shift=shift)
            _backend.add_to_layer(self, self.loss.reduce(losses, seen))
        else:
            loss = self.loss(y_true, y_pred)
            if isinstance(self.loss, MaskedLoss):
                _backend.add_to_layer(self, loss)
            else:  # it knows nothing of replicas
                self.add_loss(loss)
        return predictions[0] if len(predictions) == 1 else predictions

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks of the predictions."""
        if previous_mask is None:
            return None
        _, *masks = previous_mask
        return masks[0] if len(masks) == 1 else masks

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the predictions."""
        _, *shapes = input_shape
        return shapes[0] if len(shapes) == 1 else list(shapes)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        own = {"loss": serialization.serialize(self.loss), "seed": self.seed}
        return {**super().get_config(), **own}
