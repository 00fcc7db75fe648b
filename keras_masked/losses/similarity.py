"""Losses that compare vectors: with their labels, or with each other."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.missing import CLASS_IDS
from keras_masked.observation import Observation
from keras_masked.pairs import circle_values

Tensor = Any


@register
class CosineSimilarity(MaskedLoss):
    r"""Negative cosine of the angle between label and prediction, over the observed entries.

    $$L = \frac{-\sum_i o_i w_i \, \frac{\sum_k y_{ik} p_{ik}}{|y_i| \, |p_i|}}{\sum_i o_i}$$

    Missing entries of a label, and the predictions for them, leave both the product and the norms
    (pairwise deletion). The label as a whole is missing only if all of its entries are.

    Args:
        axis: The axis of the vectors.
        reduction: As in Keras, over observed labels.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, `average=` and `observed_rate=`, see `MaskedLoss`.

    Shapes: `y_true` and `y_pred` `(batch, ..., entries)`; one row value each `(batch, ...)`.

    Raises:
        ValueError: If the shapes of `y_true` and `y_pred` do not align.

    Example:

    >>> y_true = np.array([[0.0, 1.0, np.nan], [np.nan, np.nan, np.nan]])
    >>> y_pred = np.array([[3.0, 4.0, 9.0], [1.0, 2.0, 3.0]])
    >>> loss = keras_masked.losses.CosineSimilarity()
    >>> round(float(loss(y_true, y_pred)), 4)  # -4 / sqrt(3^2 + 4^2)
    -0.8

    Source: `keras.losses.CosineSimilarity`.
    """

    formula = formulas.cosine_similarity

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis, **masking)


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
        **masking: `missing=`, by default -1 and NaN.

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

    formula = formulas.Formula(circle_values, label_axes=1, class_ids=True)

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        masking.setdefault("missing", CLASS_IDS)
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
