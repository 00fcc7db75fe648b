"""What a formula is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

Tensor = Any


@dataclasses.dataclass(frozen=True)
class Formula:
    """A formula and what it takes for one label.

    Attributes:
        call: Maps `y_true`, `y_pred` and options to one value per label.
        label_axes: How many last axes of `y_pred` form one label; `call` consumes them.
        stacked: Whether the last of these holds the parameters that are predicted for each number.
        errors: Whether `call` takes `error=`, what is known of the labels' errors.
        class_ids: Whether a label is the id of a class on the last axis of `y_pred`.
        any_id: Whether ids may be of classes that are not on that axis.
        pairwise: Whether a vector label is missing only if all its entries are; the formula then
            gets 0 for the missing ones, label and prediction, which must change none of its sums.
        label_fill: What hidden labels are replaced by, where the formula looks at all labels of
            a batch at once.
        residual: Whether `call` takes y - p alone, of which value and slope are exactly 0 at 0.
            Then a hidden label needs its residual set to 0 and no more: the cheapest way to hide.
    """

    call: Callable[..., Tensor]
    label_axes: int = 0
    stacked: bool = False
    errors: bool = False
    class_ids: bool = False
    any_id: bool = False
    pairwise: bool = False
    label_fill: float | None = None
    residual: bool = False

    def __call__(self, y_true: Tensor, y_pred: Tensor, **options: Any) -> Tensor:
        """Returns one value per label."""
        if self.residual:
            return self.call(y_true - y_pred, **options)
        return self.call(y_true, y_pred, **options)


def formula(**attributes: Any) -> Callable[[Callable[..., Tensor]], Formula]:
    """Decorates a function with what it takes for a label: see `Formula`."""

    def decorate(call: Callable[..., Tensor]) -> Formula:
        return Formula(call, **attributes)

    return decorate
