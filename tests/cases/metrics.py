"""Rows of metrics, by topic as in the package."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import keras_masked as km
from tests import likelihood_oracles, median_oracles, oracles, plain, symjax_oracles
from tests.case_data import (
    apart_from_0,
    binary,
    binary_logits,
    binary_off_grid,
    class_ids,
    class_ids_logits,
    distributions,
    gaussians,
    grid_reals,
    id_pairs,
    mixtures,
    one_hot,
    positives,
    reals,
    signs,
    vectors,
)
from tests.cases.case import (
    ARGMAX,
    IDS,
    ITS_OWN,
    LOGITS,
    STACKED,
    TOP_K,
    VECTOR,
    Case,
    with_options,
    wrapping,
)

M, KL, KM = km.metrics, keras.losses, keras.metrics


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
        new("NegativeLogLikelihood", mixtures, o.mean_of(lo.mixture_nll), "mixture",
            keras=plain.mean_of_labels(lo.plain_mixture),
            options={"distribution": km.distributions.Mixture("gaussian", 2)}, **STACKED),
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
        new("Perplexity", class_ids, o.perplexity, keras=plain.Perplexity, **IDS),
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
            without={"test_compile": "SciPy solves it outside of graphs: test_clustering.py"}),
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
