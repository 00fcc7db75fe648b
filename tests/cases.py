"""The case table: one row per public loss or metric. Every law runs over every row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

import keras_masked as km
from tests import box_oracles, likelihood_oracles, median_oracles, oracles, plain, symjax_oracles
from tests.case_data import (
    apart_from_0,
    binary,
    binary_and_variance,
    binary_logits,
    binary_off_grid,
    boxes,
    class_ids,
    class_ids_logits,
    distributions,
    gaussians,
    grid_reals,
    id_pairs,
    one_hot,
    one_hot_and_variance,
    one_hot_logits,
    positives,
    reals,
    signs,
    vectors,
)

Array = np.ndarray
L, M, KL, KM = km.losses, km.metrics, keras.losses, keras.metrics


@dataclasses.dataclass(frozen=True)
class Case:
    """One public object under one set of options.

    Attributes:
        make: Builds ours; takes `missing=`, `reduction=` (losses), `dtype=` and so on.
        keras: Builds Keras's of the same name, if there is one.
        data: Draws labels and predictions.
        oracle: Of a loss: label losses of deleted data. Of a metric: its value on deleted data.
        label_axes: How many axes of `y_pred` are one label.
        stacked: Whether the last of them holds parameters.
        blind: Whether the value is the same for any prediction.
        represents: The kind of row that this one stands for: see `tests/laws.py`.
        without: Laws that this row cannot have, by the name of the test (`test_x`, or
            `test_x@torch` on one backend), and why. A reason that names a file has a test there.
        no_best: Whether the best value of a metric is in the middle.
        infinite: The value at an infinite prediction, where it is not that of Keras.
        half_error: How far a metric may be off in half precision beside its relative rounding:
            (data, precision) -> error.
        class_ids: Whether labels are class ids.
        per_column: Whether the value is a mean over columns that each have one.
        per_row: Whether the value is a mean over rows that each have one.
        empty: The value where nothing is observed.
        keras_weighs_rows: Whether Keras's takes weights of shape `(batch,)`.
        min_rank: How many axes the labels must have.
        covers: The public name.
    """

    covers: str
    make: Callable[..., Any]
    data: Callable[..., tuple[Array, Array]]
    oracle: Callable[..., Any]
    keras: Callable[..., Any] | None = None
    label: str = ""
    label_axes: int = 0
    class_ids: bool = False
    per_column: bool = False
    per_row: bool = False
    empty: float = np.nan
    wrapped: bool = False
    keras_weighs_rows: bool = True
    min_rank: int = 1
    stacked: bool = False
    blind: bool = False
    represents: str = ""
    without: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)
    no_best: bool = False
    infinite: float | None = None
    half_error: Callable[[Draw, float], float] = lambda data, precision: 0.0

    def __str__(self) -> str:
        return self.covers + (f"-{self.label}" if self.label else "")

    @property
    def rows_are_labels(self) -> bool:
        return self.label_axes > self.stacked

    @property
    def vector(self) -> bool:
        """Whether one label is a vector in `y_true`."""
        return self.label_axes > self.stacked and not self.class_ids

    @property
    def logits(self) -> bool:
        """Whether predictions are logits."""
        return "logits" in self.label


def with_options(cls: Any, **options: Any) -> Callable[..., Any]:
    return lambda **kwargs: cls(**options, **kwargs)


def wrapping(cls: Any, inner: Callable[[], Any], **options: Any) -> Callable[..., Any]:
    return lambda **kwargs: cls(inner(), **options, **kwargs)


VECTOR = {"label_axes": 1}
STACKED = {"label_axes": 1, "stacked": True}
STACKED_VECTOR = {"label_axes": 2, "stacked": True}
NO_SLOPE = {"test_gradient_of_labels": "class ids have no gradient"}
ITS_OWN = {"test_half_gradients_are_finite": "the wrapped formula's own affair",
           "test_counters_do_not_saturate": "the wrapped metric's own affair"}  # fmt: skip
TOP_K = {"test_infinite_predictions_are_as_in_keras@tensorflow":
         "TensorFlow's op calls every row with an infinity wrong"}  # fmt: skip
ARGMAX = dict.fromkeys(("test_visibility", "test_divergence_stays_visible"),
                       "Keras's own argmax swallows NaN: a listed limit")  # fmt: skip
IDS = {"label_axes": 1, "class_ids": True, "without": NO_SLOPE}
LOGITS = {"from_logits": True}
SMOOTH = {"label_smoothing": 0.2}


def losses() -> list[Case]:
    o, lo = oracles, likelihood_oracles

    def row(name: str, data: Any, oracle: Any, label: str = "", **kwargs: Any) -> Case:
        options = kwargs.pop("options", {})
        ours, theirs = getattr(L, name), getattr(KL, name)
        make = with_options(ours, **options)
        return Case(name, make, data, oracle, with_options(theirs, **options), label, **kwargs)

    def new(name: str, data: Any, oracle: Any, keras: Any, label: str = "", **kw: Any) -> Case:
        """A loss that Keras does not have."""
        make = with_options(getattr(L, name), **kw.pop("options", {}))
        return Case(name, make, data, oracle, keras, label, **kw)

    def box(name: str, oracle: Any, kind: str, label: str = "", **options: Any) -> Case:
        oracle = box_oracles.of_each(oracle)
        return new(name, boxes, oracle, plain.box(kind), label, options=options, **VECTOR)

    def drawn(name: str, label: str = "", **options: Any) -> Case:
        """A loss that is a mean over draws; few, since compilers unroll loops over them."""
        draws, classes, exact = 4, "Categorical" in name, name.startswith("Bayesian")
        oracle = (lo.bayesian if exact else lo.robust)(draws, classes)
        rows = (plain.of_rows if classes else plain.of_labels)(
            lo.plain_drawn(draws, classes, exact)
        )
        data = one_hot_and_variance if classes else binary_and_variance
        axes = STACKED_VECTOR if classes else STACKED
        kind = "stacked vector" if name == "RobustCategoricalCrossentropy" else ""
        options = {"draws": draws, **options}
        return new(name, data, oracle, rows, label, options=options, represents=kind, **axes)

    return [
        row("MeanSquaredError", reals, o.squared_error, represents="residual"),
        row("MeanAbsoluteError", reals, o.absolute_error),
        row("BinaryCrossentropy", binary, o.binary_crossentropy, represents="element-wise"),
        row("BinaryCrossentropy", binary_logits, o.binary_crossentropy_of_logits, "logits",
            options=LOGITS),
        row("BinaryCrossentropy", binary, lambda y, p: o.binary_crossentropy(y, p, 0.2),
            "smooth", options=SMOOTH),
        row("CategoricalCrossentropy", one_hot, o.categorical_crossentropy, represents="vector",
            **VECTOR),
        row("CategoricalCrossentropy", one_hot_logits, o.categorical_crossentropy_of_logits,
            "logits", options=LOGITS, **VECTOR),
        row("CategoricalCrossentropy", one_hot,
            lambda y, p: o.categorical_crossentropy(y, p, 0.2), "smooth", options=SMOOTH,
            **VECTOR),
        row("SparseCategoricalCrossentropy", class_ids, o.sparse_crossentropy, represents="ids",
            **IDS),
        row("SparseCategoricalCrossentropy", class_ids_logits, o.sparse_crossentropy_of_logits,
            "logits", options=LOGITS, **IDS),
        row("MeanAbsolutePercentageError", positives, o.absolute_percentage_error),
        row("MeanSquaredLogarithmicError", positives, o.squared_logarithmic_error),
        row("Huber", reals, o.huber),
        row("LogCosh", reals, o.log_cosh),
        row("Poisson", positives, o.poisson),
        row("Hinge", signs, o.hinge, represents="filled"),
        new("Hinge", signs, symjax_oracles.hinge(0.3), plain.hinge(0.3), "0.3",
            options={"delta": 0.3}),
        row("SquaredHinge", signs, o.squared_hinge),
        new("MulticlassHinge", class_ids_logits, symjax_oracles.multiclass_hinge(1.0),
            plain.of_rows(plain.multiclass_hinge(1.0)), **IDS),
        new("MulticlassHinge", class_ids_logits, symjax_oracles.multiclass_hinge(2.5),
            plain.of_rows(plain.multiclass_hinge(2.5)), "2.5", options={"delta": 2.5}, **IDS),
        row("BinaryFocalCrossentropy", binary, o.binary_focal),
        row("BinaryFocalCrossentropy", binary, lambda y, p: o.binary_focal(y, p, 0.3, 1.5),
            "balanced", options={"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}),
        row("CategoricalFocalCrossentropy", one_hot, o.categorical_focal, **VECTOR),
        row("CategoricalHinge", one_hot, o.categorical_hinge, **VECTOR),
        row("KLDivergence", distributions, o.kl_divergence, **VECTOR),
        row("CosineSimilarity", vectors, o.cosine_similarity, represents="pairwise", **VECTOR),
        row("CategoricalGeneralizedCrossEntropy", class_ids, o.generalized_crossentropy, **IDS),
        new("ExponentiallyWeightedMSE", positives, o.exponentially_weighted_squared_error,
            plain.exponentially_weighted(0.7), options={"a": 0.7}),
        new("DualWeightedMSE", reals, o.dual_weighted_squared_error, plain.dual_weighted(1.0)),
        new("DualWeightedMSE", reals, lambda y, p: o.dual_weighted_squared_error(y, p, 2.5),
            plain.dual_weighted(2.5), "2.5", options={"gamma": 2.5}),
        new("AsymmetricMSE", reals, o.asymmetric_squared_error, plain.asymmetric(3.0),
            options={"miss_weight": 3.0}),
        new("MeanError", reals, lambda y, p: p - y, plain.of_labels(lambda y, p: p - y)),
        new("MeanPercentageError", apart_from_0, lo.signed_percentage_error,
            plain.of_labels(lo.signed_percentage_error)),
        new("ZerosLoss", reals, lambda y, p: 0 * y, plain.of_labels(lambda y, p: 0 * p),
            blind=True, without=dict.fromkeys(
                ("test_visibility", "test_gradient_of_labels",
                 "test_a_diverged_prediction_is_seen"), "the same for any label and prediction")),
        new("NegativeLogLikelihood", gaussians, lo.gaussian_nll,
            plain.of_labels(lo.plain_gaussian), represents="stacked", **STACKED),
        new("NegativeLogLikelihood", gaussians,
            lambda y, p: lo.gaussian_nll(y, p) + np.log(2 * np.pi) / 2,
            plain.of_labels(lambda y, p: lo.plain_gaussian(y, p) + np.log(2 * np.pi) / 2),
            "full", options={"full": True}, **STACKED),
        drawn("RobustCategoricalCrossentropy"),
        drawn("RobustBinaryCrossentropy"),
        drawn("BayesianCategoricalCrossentropy", "loop", loop_over_draws=True),
        drawn("BayesianBinaryCrossentropy"),
        box("IoULoss", box_oracles.iou_loss, "iou"),
        box("GIoULoss", box_oracles.giou_loss, "giou"),
        box("GIoULoss", box_oracles.iou_loss, "iou", "iou", mode="iou"),
        box("DIoULoss", box_oracles.diou_loss, "diou"),
        box("CIoULoss", box_oracles.ciou_loss, "ciou"),
        Case("Masked", wrapping(L.Masked, KL.Huber), reals, o.huber, with_options(KL.Huber),
             "huber", wrapped=True, represents="wrapped", without=ITS_OWN),
        Case("Masked", wrapping(L.Masked, KL.BinaryCrossentropy), binary, o.binary_crossentropy,
             with_options(KL.BinaryCrossentropy), "bce", wrapped=True,
             without={**ITS_OWN,
                      "test_compile@torch": "Keras's formula breaks the graph, wrapped or not",
                      "test_visibility@torch": "Keras's own formula raises: test_loss_values.py"}),
        Case("Masked", wrapping(L.Masked, KL.CategoricalCrossentropy, label_axes=1), one_hot,
             o.categorical_crossentropy, with_options(KL.CategoricalCrossentropy), "cce",
             wrapped=True, without=ITS_OWN, **VECTOR),
        Case("Masked", wrapping(L.Masked, KL.SparseCategoricalCrossentropy, label_axes=1),
             class_ids, o.sparse_crossentropy, with_options(KL.SparseCategoricalCrossentropy),
             "sparse", wrapped=True, **IDS | {"without": {
                 **NO_SLOPE, **ITS_OWN,
                 "test_half@torch": "Keras's own formula cannot gather in half precision"}}),
    ]  # fmt: skip


def metrics() -> list[Case]:
    o, lo = oracles, likelihood_oracles

    def row(name: str, data: Any, oracle: Any, label: str = "", **kwargs: Any) -> Case:
        options = kwargs.pop("options", {})
        ours, theirs = getattr(M, name), getattr(KM, name)
        make = with_options(ours, **options)
        return Case(name, make, data, oracle, with_options(theirs, **options), label, **kwargs)

    def mean(name: str, data: Any, formula: Any, label: str = "", **kwargs: Any) -> Case:
        return row(name, data, o.mean_of(formula), label, **kwargs)

    def new(name: str, data: Any, oracle: Any, label: str = "", **kwargs: Any) -> Case:
        """A metric that Keras does not have."""
        make = with_options(getattr(M, name), **kwargs.pop("options", {}))
        theirs = with_options(plain.OfBatches, value=symjax_oracles.of_batch(oracle),
                              per_column=kwargs.get("per_column", False),
                              parameters=2 if kwargs.get("stacked") else 0)  # fmt: skip
        return Case(name, make, data, oracle, kwargs.pop("keras", theirs), label, **kwargs)

    def median(name: str, bins: bool = False) -> Case:
        oracle = median_oracles.ORACLES[name]
        theirs = with_options(plain.OfBatches, value=oracle)
        kind: dict[str, Any] = {"no_best": name == "MedianError"}
        if name == "MedianError":
            kind["represents"] = "bins" if bins else "medians"
        if bins:
            return new(name, grid_reals, oracle, "bins", keras=theirs, **kind)
        return new(name, reals, oracle, options={"capacity": 2000}, keras=theirs, **kind)

    return [
        mean("MeanSquaredError", reals, o.squared_error, represents="residual"),
        mean("MeanAbsoluteError", reals, o.absolute_error),
        new("MeanError", reals, o.mean_of(lambda y, p: p - y),
            keras=plain.mean_of_labels(lambda y, p: p - y), no_best=True),
        new("MeanPercentageError", apart_from_0, o.mean_of(lo.signed_percentage_error),
            keras=plain.mean_of_labels(lo.signed_percentage_error), no_best=True),
        new("NegativeLogLikelihood", gaussians, o.mean_of(lo.gaussian_nll),
            keras=plain.mean_of_labels(lo.plain_gaussian), represents="stacked", **STACKED),
        new("IntervalCoverage", gaussians, o.mean_of(lo.gaussian_covers(0.9)),
            keras=plain.mean_of_labels(lo.plain_covers(0.9)), no_best=True, **STACKED),
        new("IntervalCoverage", gaussians, o.mean_of(lo.gaussian_covers(0.6)), "0.6",
            options={"level": 0.6}, keras=plain.mean_of_labels(lo.plain_covers(0.6)),
            no_best=True, **STACKED),
        new("StandardizedResidualScatter", gaussians, lo.scatter, no_best=True, **STACKED),
        row("RootMeanSquaredError", reals, o.root_mean_squared_error),
        mean("BinaryCrossentropy", binary, o.binary_crossentropy, represents="element-wise"),
        mean("BinaryCrossentropy", binary_logits, o.binary_crossentropy_of_logits, "logits",
             options=LOGITS),
        mean("CategoricalCrossentropy", one_hot, o.categorical_crossentropy, **VECTOR),
        mean("SparseCategoricalCrossentropy", class_ids, o.sparse_crossentropy, **IDS),
        mean("SparseCategoricalCrossentropy", class_ids_logits, o.sparse_crossentropy_of_logits,
             "logits", options=LOGITS, **IDS),
        mean("BinaryAccuracy", binary, o.binary_match),
        new("BinaryAccuracy", binary_logits,
            o.mean_of(lambda y, p: o.binary_match(y, 1 / (1 + np.exp(-p)))), "logits",
            options=LOGITS, keras=plain.mean_of_labels(
                lambda y, p: keras.ops.cast((keras.ops.sigmoid(p) > 0.5) == (y > 0), "float32"))),
        mean("CategoricalAccuracy", one_hot, o.categorical_match, represents="vector", **VECTOR),
        mean("SparseCategoricalAccuracy", class_ids, o.sparse_match, represents="ids", **IDS),
        mean("Accuracy", id_pairs, o.exact_match),
        mean("TopKCategoricalAccuracy", one_hot, o.top_2_match, options={"k": 2},
             without=TOP_K, **VECTOR),
        mean("SparseTopKCategoricalAccuracy", class_ids, o.sparse_top_2_match, options={"k": 2},
             **IDS | {"without": TOP_K}),
        mean("MeanAbsolutePercentageError", positives, o.absolute_percentage_error),
        mean("MeanSquaredLogarithmicError", positives, o.squared_logarithmic_error),
        mean("LogCoshError", reals, o.log_cosh),
        mean("Poisson", positives, o.poisson),
        mean("Hinge", signs, o.hinge, represents="filled"),
        mean("SquaredHinge", signs, o.squared_hinge),
        mean("CategoricalHinge", one_hot, o.categorical_hinge, **VECTOR),
        mean("KLDivergence", distributions, o.kl_divergence, **VECTOR),
        mean("CosineSimilarity", vectors, lambda y, p: -o.cosine_similarity(y, p),
             represents="pairwise", **VECTOR),
        Case("MeanMetricWrapper", wrapping(M.MeanMetricWrapper, lambda: KL.huber), reals,
             o.mean_of(o.huber), wrapping(KM.MeanMetricWrapper, lambda: KL.huber)),
        row("AUC", binary, o.roc_auc, represents="thresholds", half_error=o.share_of_close_pairs),
        row("AUC", binary, o.roc_auc, "multi_label", options={"multi_label": True},
            per_column=True, half_error=o.share_of_close_pairs),
        row("AUC", binary, o.average_precision, "pr",
            options={"curve": "PR", "summation_method": "minoring"},
            half_error=o.share_of_close_pairs),
        row("Precision", binary, o.precision, represents="counts"),
        row("Recall", binary, o.recall),
        row("TruePositives", binary, o.count(1, 1), empty=0),
        row("FalsePositives", binary, o.count(0, 1), empty=0),
        row("TrueNegatives", binary, o.count(0, 0), empty=0),
        row("FalseNegatives", binary, o.count(1, 0), empty=0),
        row("SensitivityAtSpecificity", binary_off_grid,
            o.best_where("recall", "specificity", 0.6), options={"specificity": 0.6}),
        row("SpecificityAtSensitivity", binary_off_grid,
            o.best_where("specificity", "recall", 0.6), options={"sensitivity": 0.6}),
        row("PrecisionAtRecall", binary_off_grid,
            o.best_where("precision", "recall", 0.6), options={"recall": 0.6}),
        row("RecallAtPrecision", binary_off_grid,
            o.best_where("recall", "precision", 0.6), options={"precision": 0.6}),
        row("F1Score", binary, o.f_score(1.0), options={"threshold": 0.5, "average": "macro"},
            per_column=True, min_rank=2),
        row("FBetaScore", binary, o.f_score(2.0), "micro",
            options={"threshold": 0.5, "average": "micro", "beta": 2.0}, min_rank=2),
        row("IoU", id_pairs, o.iou([0, 2]), options={"num_classes": 4, "target_class_ids": [0, 2]},
            keras_weighs_rows=False, infinite=np.nan),
        row("MeanIoU", id_pairs, o.iou([0, 1, 2, 3]), options={"num_classes": 4},
            keras_weighs_rows=False, infinite=np.nan, represents="contingency"),
        row("BinaryIoU", binary, lambda y, p, w: o.iou([0, 1])(y, p > 0.5, w),
            keras_weighs_rows=False),
        row("OneHotIoU", one_hot, o.of_greatest(o.iou([1])),
            options={"num_classes": 4, "target_class_ids": [1]}, **VECTOR),
        row("OneHotMeanIoU", one_hot, o.of_greatest(o.iou([0, 1, 2, 3])),
            options={"num_classes": 4}, **VECTOR),
        *(median(name) for name in median_oracles.ORACLES),
        *(median(name, bins=True) for name in median_oracles.ORACLES),
        row("R2Score", reals, o.r2, per_column=True, represents="columns", infinite=-np.inf,
            half_error=lambda data, precision: precision),  # 1 minus a ratio: absolute
        new("ExplainedVariance", reals, symjax_oracles.explained_variance, per_column=True),
        new("ClusteringAccuracy", id_pairs, symjax_oracles.majority_accuracy,
            options={"num_classes": 4, "num_clusters": 5}, keras_weighs_rows=False),
        new("ClusteringAccuracy", id_pairs, symjax_oracles.optimal_accuracy(4, 5), "optimal",
            options={"num_classes": 4, "num_clusters": 5, "assignment": "optimal"},
            keras_weighs_rows=False,
            without={"test_compile": "SciPy solves it outside of graphs: test_symjax.py"}),
        new("MulticlassHinge", class_ids_logits, o.mean_of(symjax_oracles.multiclass_hinge(2.5)),
            options={"delta": 2.5},
            keras=wrapping(KM.MeanMetricWrapper, lambda: plain.multiclass_hinge(2.5)), **IDS),
        row("PearsonCorrelation", reals, o.pearson, per_row=True, min_rank=2,
            represents="rows"),
        row("PearsonCorrelation", reals, o.pearson, "columns", options={"axis": 0},
            per_column=True, keras_weighs_rows=False),
        row("PearsonCorrelation", reals, o.pearson, "all", options={"axis": None},
            keras_weighs_rows=False),
        row("ConcordanceCorrelation", reals, o.concordance, per_row=True, min_rank=2),
        row("ConcordanceCorrelation", reals, o.concordance, "columns", options={"axis": 0},
            per_column=True, keras_weighs_rows=False),
        row("ConcordanceCorrelation", reals, o.concordance, "all", options={"axis": None},
            keras_weighs_rows=False),
        Case("Masked", wrapping(M.Masked, KM.MeanAbsoluteError), reals,
             o.mean_of(o.absolute_error), with_options(KM.MeanAbsoluteError), "mae", wrapped=True,
             represents="wrapped", without=ITS_OWN),
        Case("Masked", wrapping(M.Masked, KM.SparseCategoricalAccuracy, label_axes=1), class_ids,
             o.mean_of(o.sparse_match), with_options(KM.SparseCategoricalAccuracy), "sparse",
             wrapped=True, **IDS | {"without": {**ITS_OWN, **ARGMAX}}),
    ]  # fmt: skip


LOSSES = losses()
METRICS = metrics()


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """Public names without a row, why they cannot have one, and the file that tests them."""

    why: str
    file: str
    names: str

    def __iter__(self) -> Iterator[str]:
        return iter(self.names.split())


ELSEWHERE = {
    "losses": [
        Elsewhere("bases", "test_public.py", "FormulaLoss MaskedLoss Loss"),
        Elsewhere("look-ups", "test_configs.py", "get serialize deserialize"),
        Elsewhere("labels that depend on each other", "test_special_losses.py",
                  "CTC Circle Dice Tversky circle ctc dice tversky"),
        Elsewhere("sums over rows, sets, windows and stencils", "test_fields.py field_cases.py",
                  "CriticalSuccessIndex FractionsSkillScore Jaccard RootMeanSquaredError "
                  "SigmoidFocalCrossEntropy SobelMSE critical_success_index "
                  "fractions_skill_score jaccard root_mean_squared_error "
                  "sigmoid_focal_crossentropy sobel_mse"),
        Elsewhere("one value per label", "test_symjax.py",
                  "hinge_loss sigmoid_crossentropy_logits squared_differences"),
        Elsewhere("of several tensors", "test_variational.py", "vae vae_comp_gmm vae_gmm"),
        Elsewhere("of several tensors, or of labels alone", "test_astronn.py",
                  "magic_correction_term mse_lin_wrapper mse_var_wrapper robust_mse "
                  "robust_binary_crossentropy robust_categorical_crossentropy "
                  "bayesian_binary_crossentropy_var_wrapper bayesian_binary_crossentropy_wrapper "
                  "bayesian_categorical_crossentropy_var_wrapper "
                  "bayesian_categorical_crossentropy_wrapper"),
    ],
    "metrics": [
        Elsewhere("bases", "test_public.py", "MaskedMetric MeanMetric Metric ColumnMetric"),
        Elsewhere("look-ups", "test_configs.py", "get serialize deserialize"),
        Elsewhere("of labels alone", "test_observed_fraction.py", "ObservedFraction"),
        Elsewhere("has a dict for a result", "test_per_label.py", "PerLabel"),
        Elsewhere("around other metrics", "test_likelihood.py", "OfMean"),
        Elsewhere("of values without predictions", "test_reduction_metrics.py", "Mean Sum"),
        Elsewhere("of a batch", "test_symjax.py", "clustering_accuracy explained_variance"),
        Elsewhere("medians of rows, of columns or of all", "test_median_functions.py",
                  "mad_std median_absolute_deviation median_error"),
    ],
}  # fmt: skip
OTHER_TESTS = {kind: {name for each in rows for name in each} for kind, rows in ELSEWHERE.items()}
"""Public names without a row: bases, look-ups, and what has no predictions."""

LABELS = (5, 5)
"""Shape of the labels in most laws: as many rows as columns, so that axes mixed up show."""


@dataclasses.dataclass
class Draw:
    """Complete data, and which labels to take away."""

    y: Array
    p: Array
    observed: Array

    def with_missing(self, marker: float = np.nan) -> Array:
        """Labels with `marker` where missing."""
        y = self.y.copy()
        y[~self.observed] = marker
        return y


def draw(case: Case, shape: tuple[int, ...] = LABELS, seed: int = 0, missing: float = 0.4) -> Draw:
    """Labels and predictions in float32 (as float64 values), of which some are to be missing."""
    rng = np.random.default_rng(seed)
    y, p = case.data(rng, shape)
    observed = rng.random(shape) >= missing
    if len(shape) > 1 and missing:
        observed[0] = False  # a row with no label
        observed[1] = True
    if case.per_column:
        observed[1:3] = True
        y[1:3] = np.array([0.0, 1.0])[:, None]
    return Draw(y.astype("float32"), p.astype("float32"), observed)
