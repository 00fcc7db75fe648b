"""`Masked`: any other loss, lifted over missing labels."""

from __future__ import annotations

from typing import Any, Literal, Unpack

import keras
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.formulas import Labels, flat
from keras_masked.losses.base import REDUCTIONS, MaskedLoss, Masking, register
from keras_masked.observation import (
    Observation,
    compatible,
    expand_from_left,
    gate_output,
    replace,
)
from keras_masked.validation import FILL, LABEL_AXES, Reduction, one_of

Tensor = Any

ACROSS_ROWS = ("Circle", "CTC", "Dice", "Tversky", "circle", "ctc", "dice", "tversky")
"""Keras losses that are not independent across rows: hiding one row changes the others' values."""

OF_VECTORS = (
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "KLDivergence",
    "SparseCategoricalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "kl_divergence",
    "sparse_categorical_crossentropy",
    "categorical_generalized_cross_entropy",
)
"""Keras losses of a whole vector, which make no sense of single entries."""

BATCH_DETECTING = ("Hinge", "SquaredHinge", "hinge", "squared_hinge")
"""Keras losses that look for 0/1 labels in the whole batch: a fill of 0.5 would hide them."""


@register
class Masked(MaskedLoss):
    r"""Lifts another Keras or third-party loss, or a function of two arguments.

    $$L = \frac{\sum_i o_i w_i \, \ell(y_i, p_i)}{\sum_i o_i}$$

    where $\ell$ is what the wrapped loss's `call` returns for one row. Hidden labels and
    predictions are replaced by `fill` before the call, so the formula must be independent across
    rows. Single labels are passed on a last axis of one.

    There are no `class_weights`: what the numbers that are passed on stand for, the wrapped loss
    alone knows. Give a `sample_weight` for each label.

    Args:
        loss: A `keras.losses.Loss`, or a function of `(y_true, y_pred)` that returns one value
            per row. To be saved, a function must be registered.
        label_axes: How many last axes of `y_pred` form one label: 0 for element-wise losses, 1 for
            losses of vectors (one-hot labels, class ids).
        fill: What stands in for hidden (labels, predictions): numbers at which the wrapped formula
            and its slope are finite, or vectors.
        reduction: As in Keras, over observed labels. By default, that of the wrapped loss.
        name: Name of the loss; by default, that of the wrapped one.
        dtype: Dtype of the result; by default, that of the wrapped loss.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., labels)` with `label_axes=0`; with `label_axes=1`,
    `y_pred` `(batch, ..., classes)` and `y_true` of that shape or without the last axis.

    Raises:
        ValueError: If the wrapped loss is known not to be independent across rows (Circle, CTC,
            Dice, Tversky), is one of ours, or does not return one value per row.

    Example:

    >>> y_true = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> y_pred = np.array([[2.0, 7.0], [3.0, 6.0]])
    >>> loss = keras_masked.losses.Masked(keras.losses.Huber(delta=1.0))
    >>> round(float(loss(y_true, y_pred)), 4)  # (0.5 + 0 + 1.5) / 3
    0.6667

    Source: none; the counterpart of `keras_masked.metrics.Masked`.
    """

    refuses = {
        "censored": "what is wrapped takes one number a label, and knows of no bounds. Use a "
        "loss of keras_masked with that argument."
    }
    admits = {
        "reduction": one_of("as_wrapped", *REDUCTIONS),
        "label_axes": LABEL_AXES,
        "fill": FILL,
    }

    def __init__(
        self,
        loss: Any,
        label_axes: int = 0,
        fill: tuple[Any, Any] = (0.5, 0.5),
        reduction: Reduction | Literal["as_wrapped"] = "as_wrapped",
        name: str | None = None,
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        check_wrapped(loss, label_axes, fill)
        wrapped: Reduction = getattr(loss, "reduction", "sum_over_batch_size")
        own = wrapped if reduction == "as_wrapped" else reduction
        name = name or getattr(loss, "name", None) or getattr(loss, "__name__", None)
        super().__init__(own, name, dtype or getattr(loss, "dtype", None), **masking)
        self.loss = loss
        self.label_axes = label_axes
        self.fill = tuple(fill)
        self.label = Labels(axes=label_axes, by_shape=label_axes == 1, any_id=True)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per label, and what is observed of them once the wrapped loss has masked."""
        seen = self.observe(y_true, y_pred, sample_weight)
        # Keras passes class ids, too, in the dtype of the loss.
        y_true = ops.cast(replace(seen.y_true, seen.hidden, self.fill[0]), seen.y_pred.dtype)
        y_pred = replace(seen.y_pred, seen.hidden, self.fill[1])
        rank = len(y_pred.shape) - self.label_axes
        shape, rows = tuple(y_pred.shape[:rank]), ops.shape(y_pred)[:rank]
        in_a_row = self.label_axes and rank > 1
        if in_a_row:  # PyTorch cannot differentiate all of Keras's losses of images: see `flat`
            y_true, y_pred = flat(y_true, len(y_true.shape) - rank), flat(y_pred, self.label_axes)
        losses = self._call_wrapped(y_true, y_pred)
        mask = _backend.get_keras_mask(losses)
        if in_a_row and tuple(losses.shape[1:]) in ((), (1,)):
            losses = ops.reshape(losses, rows)
            mask = None if mask is None else ops.reshape(mask, rows)
        if mask is not None:
            seen = seen.restrict(expand_from_left(mask, shape, name="mask"))
        if len(losses.shape) == len(shape) + 1 and losses.shape[-1] == 1:
            losses = ops.squeeze(losses, axis=-1)
        if not compatible(tuple(losses.shape), shape):
            raise ValueError(
                f"`loss` must return one value per row. For rows of shape {shape}, "
                f"{self.loss!r} returned the shape {tuple(losses.shape)}."
            )
        return gate_output(losses, seen.hidden), seen

    def _call_wrapped(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if not self.label_axes:
            y_true, y_pred = ops.expand_dims(y_true, -1), ops.expand_dims(y_pred, -1)
        call = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        return call(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs, the wrapped loss included."""
        config = {"loss": serialization.serialize(self.loss), "label_axes": self.label_axes}
        return {**super().get_config(), **config, "fill": self.fill}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Masked:
        """Builds the loss from its config."""
        wrapped = keras.saving.deserialize_keras_object(config["loss"])
        loss = super().from_config({**config, "loss": wrapped})
        assert isinstance(loss, cls)
        return loss


def check_wrapped(loss: Any, label_axes: int, fill: Any) -> None:
    """Raises on what cannot be lifted."""
    if isinstance(loss, MaskedLoss):
        raise ValueError(f"Argument `loss` is masked already. Received: loss={loss!r}")
    if not callable(loss) or isinstance(loss, type):
        raise ValueError(
            "Argument `loss` must be an instance of `keras.losses.Loss`, or a function of "
            f"`(y_true, y_pred)`. Received: loss={loss!r}"
        )
    if is_keras(loss, ACROSS_ROWS):
        raise ValueError(
            f"{loss!r} cannot be lifted: its value for one row depends on the other rows. "
            "Use the masked loss of that name."
        )
    if label_axes == 0 and is_keras(loss, OF_VECTORS):
        raise ValueError(
            f"{loss!r} is a loss of whole vectors. Pass `label_axes=1`. Received: label_axes=0"
        )
    if is_keras(loss, BATCH_DETECTING) and fill[0] != 1:
        raise ValueError(
            f"{loss!r} looks for 0/1 labels in the whole batch, hidden ones included. "
            f"Pass `fill=(1, 0.5)`. Received: fill={fill!r}"
        )


def is_keras(loss: Any, names: tuple[str, ...]) -> bool:
    """Whether `loss` is one of Keras's losses of these names, a class's instance or a function."""
    found = [getattr(keras.losses, name, None) for name in names]
    classes = tuple(each for each in found if isinstance(each, type))
    return isinstance(loss, classes) or getattr(loss, "fn", loss) in found
