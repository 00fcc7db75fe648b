"""The base classes of all losses: where hiding meets `keras.losses.Loss`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import keras
from keras import ops

from keras_masked import serialization
from keras_masked.constructors import DEFAULT, Named, check_keywords
from keras_masked.formulas import NUMBER, Formula, Labels
from keras_masked.observation import (
    AVERAGES,
    CLASS_IDS,
    NAN,
    OF_OBSERVATION,
    Missing,
    Observation,
    check_average,
    join_markers,
    label_values,
    observe,
    reduce_losses,
    standardize_class_weights,
    standardize_missing,
    standardize_rate,
    standardize_weights,
    weigh_classes,
    weigh_columns,
)
from keras_masked.validation import FLOAT_DTYPE, STRING, Average, Reduction, one_of, optional

Tensor = Any

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)

register = serialization.register("keras_masked.losses")


class Masking(TypedDict, total=False):
    """Keyword arguments that every loss takes beside those of Keras.

    Attributes:
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these.
        average: Of what the loss is the mean: `"micro"`, labels; `"samples"`, samples (the first
            axis); or `"macro"`, columns (the last axis of the predictions).
        observed_rate: The expected share of observed labels, or one per column, to divide by
            instead of the count of this batch.
        label_weights: Weights of the columns, one each: of each of their labels; with `"macro"`,
            of their means.
    """

    missing: Missing
    average: Average
    observed_rate: float | Sequence[float] | None
    label_weights: Sequence[float] | None


class ClassMasking(Masking, total=False):
    """Keyword arguments that losses of classes take beside those of Keras.

    Attributes:
        class_weights: Weights of the classes, one each: of each of their labels. Of binary labels
            a pair, of 0 and of 1, or one pair per column.
    """

    class_weights: Sequence[float] | Sequence[Sequence[float]] | None


class MaskedLoss(Named, keras.losses.Loss):
    """Base class: a loss over labels of which some are missing.

    A subclass implements `evaluate`: one loss per label, and which labels count. It passes its
    options to this constructor by name; without any it needs no constructor of its own.

    Args:
        reduction: `"sum_over_batch_size"` (the default) or `"mean"`: the mean over observed
            labels. `"mean_with_sample_weight"`: divided by their weights instead of their number.
            `"sum"`: sum of the rows' means. `None` or `"none"`: one value per row.
        name: Name of the loss.
        dtype: Dtype of the result. float16 and bfloat16 are computed in float32.
        missing: Which labels are missing: `"nan"`, a number, or a tuple of these. Only what is
            named is missing.
        average: Of what the loss is the mean: `"micro"` (the default) of the observed labels,
            `"samples"` of the samples (the first axis), `"macro"` of the columns (the last axis of
            the predictions) that have any.
        observed_rate: The expected share of observed labels, or with `"macro"` one per column. The
            loss divides by it instead of the count of the batch, and so becomes additive: the same
            however the data are split, and with one rate per column an unbiased estimate of the
            loss of complete labels (inverse probability weighting; Horvitz and Thompson 1952).
        label_weights: Weights of the columns, one each, 0 or greater: each label has that of its
            column, beside its `sample_weight`. With `"macro"` the loss is the weighted mean of the
            columns.
        **options: Options of the formula, which become attributes and part of the config.
    """

    label: Labels = NUMBER
    """What a label is."""
    default_missing: Missing = NAN
    """What is missing where the user does not say."""
    has_columns = True
    """Whether labels lie in columns, which can be weighed."""
    common = Masking
    """Keyword arguments that constructors pass on; they are documented here."""

    admits = {
        "reduction": one_of(*REDUCTIONS),
        "name": optional(STRING),
        "dtype": FLOAT_DTYPE,
        "average": one_of(*AVERAGES),
    }

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        missing: Missing = DEFAULT,
        average: Average = "micro",
        observed_rate: float | Sequence[float] | None = None,
        label_weights: Sequence[float] | None = None,
        **options: Any,
    ) -> None:
        check_keywords(self, options)
        super().__init__(
            name=self.default_name if name is DEFAULT else name, reduction=reduction, dtype=dtype
        )
        self.missing = standardize_missing(self.default_missing if missing is DEFAULT else missing)
        check_average(average, reduction)
        self.average = average
        self.observed_rate = standardize_rate(observed_rate, average, reduction)
        self.label_weights = standardize_weights(label_weights, "label_weights")
        if self.label_weights is not None and not self.has_columns:
            raise ValueError(
                "Argument `label_weights` weighs columns, of which "
                f"{type(self).__name__} has none. Received: label_weights={label_weights!r}"
            )
        self._options = options
        for option, value in options.items():
            setattr(self, option, value)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Returns the loss, reduced as `reduction` says.

        Args:
            y_true: Labels, some of them missing.
            y_pred: Predictions.
            sample_weight: Weights: a scalar, one per row, or one per label.
        """
        with keras.name_scope(self.name):
            return self.reduce(*self.evaluate(y_true, y_pred, sample_weight))

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns one value per row, as `reduction="none"` without weights."""
        losses, seen = self.evaluate(y_true, y_pred)
        return ops.cast(reduce_losses(losses, seen, None, self.rows_are_labels), self.dtype)

    def reduce(self, losses: Tensor, seen: Observation) -> Tensor:
        """Reduces what `evaluate` returns, as `reduction` says."""
        loss = reduce_losses(
            losses,
            seen,
            self.reduction,
            self.rows_are_labels,
            self.average,
            self.observed_rate,
            self.column_weights,
        )
        return ops.cast(loss, self.dtype)

    @property
    def column_weights(self) -> tuple[float, ...] | None:
        """Weights of the columns of what `evaluate` returns."""
        return self.label_weights

    def weigh(self, losses: Tensor, seen: Observation) -> tuple[Tensor, Observation]:
        """What `evaluate` returns where losses are not of single labels, columns weighed."""
        return losses, weigh_columns(seen, self.label_weights, losses)

    @property
    def rows_are_labels(self) -> bool:
        """Whether each label is a row of its own, so that no axis is averaged."""
        return self.label.are_rows

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per label, 0 where hidden, and which labels count."""
        raise NotImplementedError

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels, and weighs their columns."""
        seen = observe(
            y_true,
            y_pred,
            sample_weight,
            self.label.along(self._options.get("axis", -1)),
            missing=join_markers(self.missing, self._options.get("ignore_class")),
            dtype=self.dtype,
        )
        if self.label_weights is None:
            return seen
        first = (slice(None),) * (len(seen.y_pred.shape) - self.label.axes)
        labels = seen.y_pred[(*first, *(0,) * self.label.axes)]
        return weigh_columns(seen, self.label_weights, labels)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal loss."""
        config = {"reduction": self.reduction, "name": self.name, "dtype": self.dtype}
        masking = {
            "missing": self.missing,
            "average": self.average,
            "observed_rate": self.observed_rate,
            "label_weights": self.label_weights,
        }
        return {**config, **masking, **serialization.plain(self._options)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedLoss:
        """Builds a loss from its config; unknown keys raise `ValueError`."""
        serialization.check_config_keys(cls, config)
        return cls(**config)


class FormulaLoss(MaskedLoss):
    """Base class: the mean of a formula over all observed labels.

    A subclass sets `formula`, and passes the formula's options to this constructor by name.
    """

    formula: Formula

    @property
    def label(self) -> Labels:  # type: ignore[override]
        """What a label is for the formula, and for the distribution that is predicted of it."""
        return self.formula.label.under(self._options)

    def evaluate(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Observation]:
        """One loss per label: 0 where hidden, with a gradient of exactly 0 there."""
        seen = self.observe(y_true, y_pred, sample_weight)
        options = {k: v for k, v in self._options.items() if k not in OF_OBSERVATION}
        return label_values(self.formula, seen, **options), seen


class WeighsClasses(MaskedLoss):
    """Base class: a loss of class ids, of vectors over classes, or of binary labels.

    Args:
        reduction: See `MaskedLoss`.
        name: Name of the loss.
        dtype: Dtype of the result.
        class_weights: Weights of the classes, one each, 0 or greater. They multiply the weights of
            labels; a soft label has the mean of them, by its shares. For binary labels a pair, of 0
            and of 1, or one pair per column.
        **options: Options of the formula, and those of `MaskedLoss`.
    """

    common = ClassMasking

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = DEFAULT,
        dtype: Any = None,
        *,
        class_weights: Sequence[float] | Sequence[Sequence[float]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(reduction, name, dtype, **options)
        self.class_weights = standardize_class_weights(class_weights, self.label)

    def observe(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Observation:
        """Finds what is observed among the labels, and weighs their columns and classes."""
        seen = super().observe(y_true, y_pred, sample_weight)
        return weigh_classes(seen, self.class_weights, self.label)

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal loss."""
        return {**super().get_config(), "class_weights": self.class_weights}


def of_ids(sparse: bool, masking: Any) -> Any:
    """The common arguments; where nobody says what is missing, of class ids -1 and NaN are."""
    return {"missing": CLASS_IDS, **masking} if sparse else masking


class ClassLoss(WeighsClasses, FormulaLoss):
    """Base class: the mean of a formula over labels whose classes can be weighed."""
