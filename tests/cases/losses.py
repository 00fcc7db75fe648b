"""Rows of losses, by topic as in the package."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import keras_masked as km
from tests import box_oracles, likelihood_oracles, oracles, plain, symjax_oracles
from tests.case_data import (
    apart_from_0,
    binary,
    binary_and_variance,
    binary_logits,
    boxes,
    class_ids,
    class_ids_logits,
    distributions,
    gaussians,
    mixtures,
    one_hot,
    one_hot_and_variance,
    one_hot_logits,
    positives,
    reals,
    signs,
    vectors,
)
from tests.cases.case import (
    IDS,
    ITS_OWN,
    LOGITS,
    NO_SLOPE,
    SMOOTH,
    STACKED,
    STACKED_VECTOR,
    VECTOR,
    Case,
    with_options,
    wrapping,
)

L, KL = km.losses, keras.losses


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
        new("NegativeLogLikelihood", mixtures, lo.mixture_nll, plain.of_labels(lo.plain_mixture),
            "mixture", options={"distribution": km.distributions.Mixture("gaussian", 2)},
            **STACKED),
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
