"""What a label is, and what a formula is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_masked.distributions.support import Domain

Tensor = Any

ROUNDING = 2.0**-7
"""How far soft labels may be outside [0, 1]: a mean of ones in bfloat16 need not be 1."""


UNIT = Domain("in [0, 1]", lambda y: (y >= -ROUNDING) & (y <= 1 + ROUNDING))


SIGNS = Domain("-1, 0 or 1", lambda y: (y == -1) | (y == 0) | (y == 1))


@dataclasses.dataclass(frozen=True)
class Labels:
    """What a label is: the unit that can be missing.

    Formulas, losses and metrics hold one, and `observe` finds by it what is observed.

    Attributes:
        axes: How many last axes of `y_pred` form one label.
        stacked: Whether the last of these holds the parameters that are predicted for each number.
        errors: Whether labels may come stacked with their errors.
        class_ids: Whether a label is the id of a class on the last axis of `y_pred`.
        more_classes: How many classes there are beside those on that axis: of ordinal ones, whose
            axis is of the thresholds between them, one more.
        any_id: Whether ids may be of classes that are not on that axis.
        by_shape: Whether labels are class ids if they have the shape of such, else vectors.
        pairwise: Whether a vector label is missing only if all its entries are. The other holes
            are then 0 for the formula, label and prediction, which must change none of its sums.
        axis: The axis of the classes or labels, which is moved to the end. Weights and masks of
            fewer axes than the labels belong to rows, as in Keras: to what is left without it.
        censored: Whether a label is two numbers on the last axis of `y_true`, between which it is
            known to lie: see `keras_masked.censored_labels`.
        domain: What values labels can have; `None` for any. What `missing` does not name and is
            none of them raises as far as values are at hand, and is NaN elsewhere.
    """

    axes: int = 0
    stacked: bool = False
    errors: bool = False
    class_ids: bool = False
    more_classes: int = 0
    any_id: bool = False
    by_shape: bool = False
    pairwise: bool = False
    axis: int = -1
    censored: bool = False
    domain: Domain | None = None

    @property
    def are_rows(self) -> bool:
        """Whether each label is a row of its own; else the last axis is averaged to one."""
        # Not compared with the bool itself: PyTorch's compiler knows the axes as a symbol.
        return self.class_ids or self.axes > (1 if self.stacked else 0)

    @property
    def of_first_parameter(self) -> Labels:
        """The labels of one number each, where several parameters are predicted for it."""
        return Labels(
            axes=self.axes - 1,
            pairwise=self.pairwise,
            censored=self.censored,
            domain=self.domain,
        )

    def under(self, options: dict[str, Any]) -> Labels:
        """The same labels, which can be what the distribution among the options supports.

        And they are censored if the options say so.
        """
        support = getattr(options.get("distribution"), "support", None)
        found = self if support is None else dataclasses.replace(self, domain=support)
        return dataclasses.replace(found, censored=True) if options.get("censored") else found

    def are_ids(self, y_true: Tensor, y_pred: Tensor) -> bool:
        """Whether aligned labels are class ids: by their shape, where that says it."""
        return self.class_ids or (self.by_shape and len(y_true.shape) < len(y_pred.shape))

    def along(self, axis: int) -> Labels:
        """The same labels, with their classes or columns on another axis."""
        return dataclasses.replace(self, axis=axis)


NUMBER = Labels()
"""One entry of `y_true`."""
PROBABILITY = Labels(domain=UNIT)
"""One entry of `y_true` that is 0 or 1, or in between."""
SIGN = Labels(domain=SIGNS)
"""One entry of `y_true` that is -1 or 1, or 0 or 1."""
VECTOR = Labels(axes=1)
"""The last axis: one-hot rows, distributions, boxes."""
CLASS_ID = Labels(axes=1, class_ids=True)
"""The id of a class on the last axis of the predictions."""
RANK = Labels(axes=1, class_ids=True, more_classes=1)
"""The id of an ordinal class, for which the last axis of the predictions holds thresholds."""
ANY_ID = Labels(axes=1, class_ids=True, any_id=True)
"""The id of a class that need not be on that axis: of embeddings, or among predicted ids."""
ONE_HOT_OR_ID = Labels(axes=1, by_shape=True)
"""A vector over classes, or the id of one, whatever the shapes say."""
PARAMETERS = Labels(axes=1, stacked=True)
"""One entry of `y_true`, for which the last axis of `y_pred` holds several parameters."""
PROBABILITY_PARAMETERS = Labels(axes=1, stacked=True, domain=UNIT)
"""The same, where the entry is 0 or 1, or in between."""
WITH_ERRORS = Labels(axes=1, stacked=True, errors=True)
"""One entry of `y_true`, which may come with its error, and several parameters for it."""


@dataclasses.dataclass(frozen=True)
class Formula:
    """A formula and what it takes for one label.

    Attributes:
        call: Maps `y_true`, `y_pred` and options to one value per label.
        label: What a label is; `call` consumes the axes that form one.
        label_fill: What hidden labels are replaced by, where the formula looks at all labels of
            a batch at once.
        residual: Whether `call` takes y - p alone, of which value and slope are exactly 0 at 0.
            Then a hidden label needs its residual set to 0 and no more: the cheapest way to hide.
        takes_ends: Whether `call` takes `upper`, the upper ends of censored labels, of which
            `y_true` is the lower ones. Any other compares predictions with the nearest value that
            a label can have.
    """

    call: Callable[..., Tensor]
    label: Labels = NUMBER
    label_fill: float | None = None
    residual: bool = False
    takes_ends: bool = False

    def __call__(self, y_true: Tensor, y_pred: Tensor, **options: Any) -> Tensor:
        """Returns one value per label."""
        if self.residual:
            return self.call(y_true - y_pred, **options)
        return self.call(y_true, y_pred, **options)


def formula(
    label: Labels = NUMBER, **attributes: Any
) -> Callable[[Callable[..., Tensor]], Formula]:
    """Decorates a function with what it takes for a label: see `Formula`."""

    def decorate(call: Callable[..., Tensor]) -> Formula:
        return Formula(call, label, **attributes)

    return decorate
