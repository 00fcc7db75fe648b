"""Which entry of one tensor belongs to which entry of another, and errors where none does."""

from __future__ import annotations

from typing import Any

from keras import ops

Tensor = Any


Shape = tuple[int | None, ...]


def squeeze_to_same_rank(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Keras's rule: where the ranks differ by one, a last axis of one comes or goes."""
    ranks = len(y_true.shape), len(y_pred.shape)
    if ranks[0] == ranks[1] + 1 and y_true.shape[-1] == 1:
        if ranks[1] == 1:
            return y_true, ops.expand_dims(y_pred, axis=-1)
        return ops.squeeze(y_true, axis=-1), y_pred
    if ranks[1] == ranks[0] + 1 and y_pred.shape[-1] == 1:
        if ranks[0] == 1:
            return ops.expand_dims(y_true, axis=-1), y_pred
        return y_true, ops.squeeze(y_pred, axis=-1)
    return y_true, y_pred


def align_labels(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and predictions of one shape, by Keras's squeeze rule and no other broadcasting."""
    shapes = y_true.shape, y_pred.shape
    y_true, y_pred = squeeze_to_same_rank(y_true, y_pred)
    if not compatible(y_true.shape, y_pred.shape):
        hint = ""
        if _are_ids(*shapes):
            hint = (
                " If `y_true` holds class ids, use the object with `Sparse` in its name, or "
                "`sparse_y_true=True` where that is an argument."
            )
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape, or differ by a last axis of one. "
            f"Received: y_true.shape={tuple(shapes[0])}, y_pred.shape={tuple(shapes[1])}.{hint}"
        )
    return y_true, y_pred


def _are_ids(of_labels: Shape, of_predictions: Shape) -> bool:
    """Whether labels have the shape of class ids."""
    if len(of_labels) == len(of_predictions) and len(of_labels) and of_labels[-1] == 1:
        of_labels = of_labels[:-1]
    return len(of_labels) == len(of_predictions) - 1 and compatible(of_labels, of_predictions[:-1])


def aligned(y_true: Tensor, y_pred: Tensor) -> bool:
    """Whether `align_labels` can align them."""
    y_true, y_pred = squeeze_to_same_rank(y_true, y_pred)
    return compatible(y_true.shape, y_pred.shape)


def align_class_ids(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Class ids of the shape of `y_pred` without its last axis, that of the classes."""
    shape = y_true.shape
    if len(shape) == len(y_pred.shape) and len(shape) and shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if not len(y_pred.shape) or not compatible(y_true.shape, y_pred.shape[:-1]):
        hint = ""
        if len(shape) and compatible(shape, y_pred.shape):
            hint = " If `y_true` is one-hot, use the object without `Sparse` in its name."
        raise ValueError(
            "`y_true` must hold one class id per prediction: the shape of `y_pred` without its "
            f"class axis, or with an axis of one there. Received: y_true.shape={tuple(shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}.{hint}"
        )
    return y_true


def expand_from_left(x: Tensor, shape: Shape, *, name: str) -> Tensor:
    """Adds axes of one on the right of `x`, so that it broadcasts to `shape` from the left.

    A weight of shape `(B,)` belongs to the rows of labels `(B, T)`, also when B == T.
    """
    given = tuple(x.shape)
    if len(given) == len(shape) + 1 and given[-1] == 1:
        x = ops.squeeze(x, axis=-1)
    missing_axes = len(shape) - len(x.shape)
    if missing_axes < 0 or any(
        ours not in (1, None) and theirs is not None and ours != theirs
        for ours, theirs in zip(x.shape, shape, strict=False)
    ):
        raise ValueError(
            f"`{name}` must align from the left with the labels: scalar, one value per row, or one "
            f"per label. Received: {name}.shape={given} for labels of shape {tuple(shape)}."
        )
    if missing_axes:
        x = ops.expand_dims(x, axis=tuple(range(len(x.shape), len(shape))))
    return x


def compatible(a: Shape, b: Shape) -> bool:
    """Whether two static shapes can be equal; an unknown size can be any."""
    return a == b or (
        len(a) == len(b)
        and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))
    )


def move_to_end(x: Tensor, axis: int, rank: int) -> Tensor:
    """Moves `axis` of tensors of the given rank to the end; leaves others as they are."""
    if len(x.shape) != rank or axis in (-1, rank - 1):
        return x
    return ops.moveaxis(x, axis, -1)
