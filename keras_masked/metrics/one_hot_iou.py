"""Intersection over union of classes, from one-hot labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_masked.metrics.base import register
from keras_masked.metrics.iou import IoU
from keras_masked.observation import NAN, Missing


@register
class OneHotIoU(IoU):
    r"""Intersection over union of one-hot labels, averaged over the target classes.

    $$M = \frac{1}{|T|} \sum_{c \in T} \frac{C_{cc}}{\sum_k C_{ck} + \sum_k C_{kc} - C_{cc}}, \quad
      C_{jk} = \sum_i o_i w_i \, [\arg\max_c y_{ic} = j, \, \arg\max_c p_{ic} = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Target classes that
    occur neither among the observed labels nor the predictions made for them leave the mean; NaN if
    all do.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes whose mean is taken.
        name: Name of the metric.
        dtype: Dtype of the result.
        ignore_class: One more class that is missing, as in Keras.
        sparse_y_pred: Whether predictions are ids; else one score per class.
        axis: The axis of the classes.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these. A label is if
            any of its entries is.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Raises:
        ValueError: If a target class is none of the classes.

    Example:

    >>> metric = keras_masked.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
    >>> y_true = np.array([[1.0, 0.0], [0.0, 1.0], [np.nan, np.nan], [1.0, 0.0]])
    >>> y_pred = np.array([[0.8, 0.2], [0.6, 0.4], [0.9, 0.1], [0.7, 0.3]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # 2 / (2 + 3 - 2)
    0.6667

    Source: `keras.metrics.OneHotIoU`.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(
            num_classes,
            target_class_ids,
            name,
            dtype,
            ignore_class,
            False,
            sparse_y_pred,
            axis,
            missing=missing,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config


@register
class OneHotMeanIoU(OneHotIoU):
    r"""Intersection over union of one-hot labels, averaged over all classes.

    $$M = \frac{1}{K} \sum_{c} \frac{C_{cc}}{\sum_k C_{ck} + \sum_k C_{kc} - C_{cc}}, \quad
      C_{jk} = \sum_i o_i w_i \, [\arg\max_c y_{ic} = j, \, \arg\max_c p_{ic} = k]$$

    with $o_i$ 1 where label $i$ is observed, else 0, and $w_i$ its weight. Classes that occur
    neither among the observed labels nor the predictions made for them leave the mean; NaN if all
    do.

    Args:
        num_classes: Number of classes.
        name: Name of the metric.
        dtype: Dtype of the result.
        ignore_class: One more class that is missing, as in Keras.
        sparse_y_pred: Whether predictions are ids; else one score per class.
        axis: The axis of the classes.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these. A label is if
            any of its entries is.

    Shapes: `y_true` and `y_pred` `(batch, ..., classes)`; the result is a scalar.

    Example:

    >>> metric = keras_masked.metrics.OneHotMeanIoU(num_classes=2)
    >>> y_true = np.array([[1.0, 0.0], [0.0, 1.0], [np.nan, np.nan], [1.0, 0.0]])
    >>> y_pred = np.array([[0.8, 0.2], [0.6, 0.4], [0.9, 0.1], [0.7, 0.3]])
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 4)  # (2 / 3 + 0) / 2
    0.3333

    Source: `keras.metrics.OneHotMeanIoU`.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
        *,
        missing: Missing = NAN,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_pred,
            axis,
            missing=missing,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal metric."""
        config = super().get_config()
        del config["target_class_ids"]
        return config
