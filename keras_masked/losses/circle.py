"""The circle loss, over pairs of rows: a row whose label is missing forms no pair."""

from __future__ import annotations

from typing import Any, Unpack

from keras import ops

from keras_masked.formulas import ANY_ID
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.observation import (
    CLASS_IDS,
    Missing,
    Observation,
    observe,
    replace,
    standardize_missing,
    with_mask,
)
from keras_masked.validation import BOOLEAN, FINITE, POSITIVE, Reduction

Tensor = Any


def circle_values(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    *,
    missing: Missing,
    dtype: str | None = None,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    gamma: float = 80.0,
    margin: float = 0.4,
    remove_diagonal: bool = True,
) -> tuple[Tensor, Observation]:
    """The loss of each anchor, and which anchors count: those of a positive loss, as in Keras."""
    seen = _observe(y_true, y_pred, missing, dtype)
    others = seen
    if ref_embeddings is not None or ref_labels is not None:
        others = _observe(
            y_true if ref_labels is None else ref_labels,
            y_pred if ref_embeddings is None else ref_embeddings,
            missing,
            seen.dtype,
        )
    same = ops.equal(ops.expand_dims(seen.y_true, 1), ops.expand_dims(others.y_true, 0))
    different = ops.logical_not(same)
    if remove_diagonal:
        rows, columns = (ops.arange(size, dtype="int32") for size in ops.shape(same))
        itself = ops.equal(ops.expand_dims(rows, 1), ops.expand_dims(columns, 0))
        same = ops.logical_and(same, ops.logical_not(itself))
    for observed, axis in ((seen.observed, 1), (others.observed, 0)):
        if observed is not None:
            pairs = ops.expand_dims(observed, axis)
            same, different = ops.logical_and(same, pairs), ops.logical_and(different, pairs)
    # The embeddings of rows in no pair still meet the others in the product: 0 times NaN is NaN.
    anchors = replace(seen.y_pred, seen.hidden, 0.0)
    references = replace(others.y_pred, others.hidden, 0.0)
    distances = ops.relu(1.0 - ops.matmul(anchors, ops.transpose(references)))
    losses = _anchor_losses(distances, same, different, gamma, margin)
    # "Not <= 0" rather than "> 0": a NaN loss must count.
    seen = seen.restrict(ops.logical_not(ops.less_equal(losses, 0)))
    return losses, seen.weighted(sample_weight, losses)


def _observe(y_true: Tensor, y_pred: Tensor, missing: Missing, dtype: str | None) -> Observation:
    return observe(y_true, y_pred, None, ANY_ID, missing=missing, dtype=dtype)


def _anchor_losses(
    distances: Tensor, positive: Tensor, negative: Tensor, gamma: float, margin: float
) -> Tensor:
    """Circle loss of each anchor from its cosine distances; 0 without a pair of either kind.

    Keras's takes labels instead of pairs, and with labels a row is always in some pair.
    """
    positive_weights = ops.relu(margin + distances)
    negative_weights = ops.relu(1.0 + margin - distances)
    attract = -gamma * positive_weights * (margin - distances)
    repel = gamma * negative_weights * (1.0 - margin - distances)
    total = _logsumexp(attract, positive) + _logsumexp(repel, negative)
    paired = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return ops.where(paired, ops.softplus(total), ops.zeros_like(total))


def _logsumexp(x: Tensor, where: Tensor) -> Tensor:
    """Over the true entries of each row; finite, with finite slope, where there is none."""
    none = ops.logical_not(ops.any(where, axis=1, keepdims=True))
    x = ops.where(none, ops.zeros_like(x), x)
    inside = ops.where(ops.logical_or(where, none), x, ops.full_like(x, float("-inf")))
    return ops.logsumexp(inside, axis=1)


@register
class Circle(MaskedLoss):
    r"""Circle loss of embeddings: pairs of one class attract, others repel.

    $$L_i = \log\left(1 + \sum_{j \in P_i} e^{-\gamma [m + d_{ij}]_+ (m - d_{ij})}
                          \sum_{j \in N_i} e^{\gamma [1 + m - d_{ij}]_+ (1 - m - d_{ij})}\right)$$

    with $d_{ij} = [1 - p_i \cdot p_j]_+$, and $P_i$ and $N_i$ the rows of the same and of other
    classes. A row whose id is missing forms no pair, as an anchor or otherwise. As in Keras, the
    mean is over the anchors of a positive loss, and weights multiply.

    Args:
        gamma: Scale of the exponents.
        margin: The margin m.
        remove_diagonal: Whether a row forms no pair with itself.
        reduction: As in Keras, over observed anchors.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: See `MaskedLoss`.

    Shapes: `y_true` `(batch,)` class ids, `y_pred` `(batch, dimensions)` embeddings of length 1.

    Raises:
        ValueError: If `y_true` has not one id per embedding, or on `average=` or `observed_rate=`:
            which anchors count depends on the embeddings.

    Example:

    >>> y_true = np.array([0, 0, 1, -1])
    >>> y_pred = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [np.nan, np.nan]])
    >>> loss = keras_masked.losses.Circle(gamma=2.0)
    >>> complete = keras.losses.Circle(gamma=2.0)(y_true[:3], y_pred[:3])
    >>> abs(float(loss(y_true, y_pred)) - float(complete)) < 1e-5
    True

    Source: `keras.losses.Circle`; Sun et al. 2020, equation 6.
    """

    label = ANY_ID
    default_missing = CLASS_IDS
    has_columns = False

    admits = {"gamma": POSITIVE, "margin": FINITE, "remove_diagonal": BOOLEAN}

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        if masking.get("average", "micro") != "micro" or masking.get("observed_rate") is not None:
            raise ValueError(
                "Circle has one mean, that of the anchors of a positive loss. "
                f"Received: {dict(masking)}"
            )
        super().__init__(
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
            **masking,
        )

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per anchor, and which anchors count."""
        return circle_values(
            y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype, **self._options
        )


@register
def circle(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
    missing: Missing = CLASS_IDS,
) -> Tensor:
    """Returns the circle loss of each anchor, 0 where its id is missing.

    See `Circle`. Anchors may be compared with reference embeddings instead of each other.

    >>> y_true = np.array([0, 1, -1])
    >>> y_pred = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> rows = keras_masked.losses.circle(y_true, y_pred)  # no two rows of one class
    >>> [float(row) for row in rows]
    [0.0, 0.0, 0.0]
    """
    losses, seen = circle_values(
        y_true,
        y_pred,
        missing=standardize_missing(missing),
        ref_labels=ref_labels,
        ref_embeddings=ref_embeddings,
        **Circle.checked(remove_diagonal=remove_diagonal, gamma=gamma, margin=margin),
    )
    return with_mask(losses, seen)
