"""Losses of whole sequences."""

from __future__ import annotations

from typing import Any, Unpack

from keras_masked import formulas
from keras_masked.losses.base import MaskedLoss, Masking, register
from keras_masked.missing import CLASS_IDS
from keras_masked.observation import Observation
from keras_masked.sequences import ctc_values

Tensor = Any


@register
class CTC(MaskedLoss):
    r"""Connectionist temporal classification, averaged over the observed sequences.

    $$L = \frac{-\sum_i o_i w_i \log P(y_i \mid p_i)}{\sum_i o_i}$$

    with $P$ the sum over all alignments of the sequence $y_i$ with the time steps of $p_i$. A
    sequence is one label, missing if any of its ids is; id 0 is the blank and pads, as in Keras.

    Outside JAX, Keras's formula runs outside compiled graphs. A Keras mask of time steps raises, as
    it has no value per sequence.

    Args:
        reduction: As in Keras, over observed sequences.
        name: Name of the loss.
        dtype: Dtype of the result.
        **masking: `missing=`, by default -1 and NaN, and more; see `MaskedLoss`.

    Shapes: `y_true` `(batch, length)` ids, `y_pred` `(batch, steps, classes)` logits; one row
    value per sequence.

    Raises:
        ValueError: If `y_true` has not two axes, or `y_pred` not three.

    Example:

    >>> y_true = np.array([[1, 2], [-1, -1]])
    >>> y_pred = np.zeros((2, 3, 3))
    >>> loss = keras_masked.losses.CTC()
    >>> round(float(loss(y_true, y_pred)), 4)  # -log(5 / 27): five alignments of 27
    1.6864

    Source: `keras.losses.CTC`; Graves et al. 2006.
    """

    formula = formulas.Formula(ctc_values, label_axes=1, class_ids=True)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
        **masking: Unpack[Masking],
    ) -> None:
        masking.setdefault("missing", CLASS_IDS)
        super().__init__(reduction, name, dtype, **masking)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per sequence, and which sequences are observed."""
        return ctc_values(y_true, y_pred, sample_weight, missing=self.missing, dtype=self.dtype)
