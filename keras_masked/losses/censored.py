"""The base class of losses whose labels may be bounds."""

from __future__ import annotations

from typing import Any

from keras_masked.constructors import DEFAULT
from keras_masked.losses.base import FormulaLoss, Masking
from keras_masked.validation import BOOLEAN, Reduction


class CensoredMasking(Masking, total=False):
    """Keyword arguments that losses of labels which may be bounds take beside those of Keras.

    Attributes:
        censored: Whether labels come as `keras_masked.censored_labels` makes them,
            `(..., labels, 2)`: a lower and an upper end. A prediction between them costs nothing;
            any other costs what it would if the label were the end that is nearest to it.
    """

    censored: bool


class CensoredLoss(FormulaLoss):
    """Base class: a loss of numbers, of which some may be known only to lie between two ends.

    Args:
        reduction: See `MaskedLoss`.
        name: Name of the loss.
        dtype: Dtype of the result.
        censored: Whether labels are lower and upper ends, `(..., labels, 2)`.
        **options: Options of the formula, and those of `MaskedLoss`.
    """

    common = CensoredMasking
    admits = {"censored": BOOLEAN}

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        censored: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(reduction, name, dtype, censored=censored, **options)
