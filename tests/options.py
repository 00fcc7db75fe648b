"""What every argument of a constructor admits: good values and hostile ones, by name."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

import keras_masked as km

NAN, INF = float("nan"), float("inf")


@dataclasses.dataclass(frozen=True)
class Option:
    """Values of one argument.

    Attributes:
        good: What is taken, and kept so that a configuration can be saved.
        hostile: What raises `ValueError`, naming the argument.
        beside: Further arguments that it needs.
    """

    good: tuple[Any, ...] = ()
    hostile: tuple[Any, ...] = ()
    beside: tuple[tuple[str, Any], ...] = ()

    def __or__(self, other: Option) -> Option:
        return Option(self.good + other.good, self.hostile + other.hostile, self.beside)

    def but(self, *good: Any) -> Option:
        """With some of the hostile values good."""
        hostile = tuple(h for h in self.hostile if not any(h is g for g in good))
        return Option(self.good + good, hostile, self.beside)


NO_NUMBERS = ("no", "", NAN, -INF, INF, True, np.True_, 1j, [], [[1]], {}, None, object, 1e300,
              np.array([0.5, 0.5]))  # fmt: skip
FINITE = Option((0.5, 1, np.float32(0.25), np.int64(2), np.array(0.5)), NO_NUMBERS)
NON_NEGATIVE = FINITE | Option((), (-1, -0.5, np.float32(-1)))
POSITIVE = NON_NEGATIVE | Option((), (0, 0.0))
FRACTION = Option((0.5, np.float32(0.25)), (*NO_NUMBERS, 0, 1, -0.1, 1.5, 7))
PROBABILITY = Option((0, 1, 0.5, np.float32(0.25)), (*NO_NUMBERS, -0.1, 1.5, 7, np.int64(2)))
INTEGER = Option((-1, np.int64(-1)), (*NO_NUMBERS, 1.5, np.float32(1.5), 2**40))
POSITIVE_INTEGER = Option((3, np.int64(3)), (*NO_NUMBERS, 0, -1, 1.5, 2.0, 2**40))
CLASS_ID = Option((1, np.int32(1)), (*NO_NUMBERS, -1, 1.5, 2**40))
BOOLEAN = Option((True, False, np.True_), ("no", 1, 0, None, 1.0, NAN, [], [True]))
AXES = Option((None, -1, (1, 2), [1], np.array([1])), ("no", NAN, True, 1.5, [], [[1]], (None,)))
THRESHOLDS = Option(
    (None, 0.5, [0.2, 0.6], (0.2,), np.array([0.2, 0.6]), np.float32(0.5)),
    ("no", NAN, True, [], [[0.5]], [NAN], [0.5, 1.5], -0.1, 7, 1j, ["0.5"], np.array([])),
)
DTYPE = Option(
    ("float32", "float64", "float16", "mixed_float16", None, keras.DTypePolicy("bfloat16")),
    ("int32", "complex64", "bool", "uint8", "string", "foo", 3),
)
LABEL_AXES = Option((0, 1, np.int64(1)), (-1, 2, 0.0, True, None, "0", NAN, [0]))
FILL = Option(
    ((0.5, 0.5), [1, 0.5], (np.float32(0.5), np.int64(1)), (np.zeros(2), np.ones(2))),
    (0.5, (1,), "ab", None, (NAN, 0.5), ("a", "b"), (1, 2, 3), ([], [])),
)
SEED = Option((None, 3, np.int64(3)), ("no", 1.5, NAN, [1], True))


def words(*good: Any) -> Option:
    return Option(good, ("foo", "", 3, NAN, True, [], 1j))


LEVELS = Option(
    ([0.5], (0.1, 0.9), np.array([0.25, 0.5])),
    ([], "no", 0.5, [0.5, 0.5], [0.9, 0.1], [0, 0.5], [0.5, 1], [NAN], [[0.5]], None),
)
SEVERAL = LEVELS.hostile[3:]


OPTIONS = {
    "a": FINITE, "alpha": NON_NEGATIVE, "apply_class_balancing": BOOLEAN,
    "assignment": words("majority", "optimal"), "average": words("micro", "macro"),
    "axis": INTEGER, "beta": NON_NEGATIVE, "capacity": POSITIVE_INTEGER.but(None),
    "censored": BOOLEAN,
    "class_aggregation": words("uniform_average", None), "class_id": CLASS_ID.but(None),
    "class_weights": Option((None, [1, 2.0], np.ones(2)), ([], "no", [NAN], [-1.0], [[1]])),
    "clusters": POSITIVE_INTEGER.but(None), "curve": words("ROC", "PR"), "delta": POSITIVE,
    "confidence_level": FRACTION, "replicates": POSITIVE_INTEGER, "start": CLASS_ID,
    "method": words("percentile", "bca"),
    "groups": Option((3, ["a", "b"]), (0, -1, 2.5, True, "ab", [], ["a", "a"], [1], None, 20_000)),
    "distribution": words("gaussian"), "draws": POSITIVE_INTEGER, "dtype": DTYPE, "fill": FILL,
    "gamma_negative": NON_NEGATIVE, "gamma_positive": NON_NEGATIVE,
    "prior": Option((0.5, [0.2, 0.3], np.array([0.2]), np.float32(0.25)),
                    ("no", NAN, 0, 1, -0.1, 1.5, True, [], [0.5, 2], None)),
    "fair": BOOLEAN, "missing_members": BOOLEAN,
    "bins": POSITIVE_INTEGER, "levels": LEVELS, "quantile": FRACTION, "tau": FRACTION,
    "quantiles": Option((0.5, np.float32(0.25), *LEVELS.good), (1, 0, -0.5, True, *SEVERAL)),
    "from_logits": BOOLEAN, "from_sorted_ids": BOOLEAN, "full": BOOLEAN, "gamma": NON_NEGATIVE,
    "ignore_class": INTEGER.but(None), "indicators": BOOLEAN, "k": POSITIVE_INTEGER,
    "label_axes": LABEL_AXES,
    "label_smoothing": PROBABILITY,
    "label_weights": Option((None, [1, 2.0], np.ones(2)), ([], "no", 3, [NAN], [-1.0], [[1]])),
    "labels": Option((["a", "b"], ("a",)), ([], "ab", 3, ["a", "a"], [1], None)),
    "level": FRACTION, "loop_over_draws": BOOLEAN,
    "log": words("all", "macro"),
    "loss": Option((keras.losses.Huber(),), (3, "foo", None, object, [])),
    "fn": Option((keras.losses.huber,), (3, "foo", None, [])),
    "margin": FINITE, "metric": Option((km.metrics.MeanSquaredError(),), (3, "foo", None, [])),
    "miss_weight": NON_NEGATIVE,
    "missing": Option(("nan", -1, (-1, "nan"), np.float32(-1)), (None, True, "foo", [], 1j)),
    "mode": words("giou", "iou"), "multi_label": BOOLEAN,
    "name": Option(("mine", None), (3, True, NAN, [], {})),
    "names": Option((None, ["a", "b"]), ([], "ab", ["a", "a"], [1])),
    "num_classes": Option((4, np.int64(4)), POSITIVE_INTEGER.hostile),
    "num_clusters": POSITIVE_INTEGER.but(None),
    "num_labels": Option((3, np.int64(3), None), POSITIVE_INTEGER.but(None).hostile,
                         (("multi_label", True),)),
    "num_regressors": Option((0, 1, np.int64(1)), CLASS_ID.hostile),
    "num_thresholds": POSITIVE_INTEGER,
    "observed_rate": Option((None, 0.5, 1, np.float32(0.5)),
                            ("no", NAN, 0, -0.5, 1.5, True, 1e-320, 1j, [0.5])),
    "padding": words("valid", "same"), "precision": PROBABILITY, "q": FRACTION,
    "recall": PROBABILITY,
    "reduction": words("sum", "sum_over_batch_size", None),
    "remove_diagonal": BOOLEAN, "scale": POSITIVE, "seed": SEED, "sensitivity": PROBABILITY,
    "show_support": BOOLEAN, "sparse_y_pred": BOOLEAN, "sparse_y_true": BOOLEAN,
    "specificity": PROBABILITY, "summation_method": words("interpolation", "minoring"),
    "target_class_ids": Option(([0, 1], (1,), np.array([0, 1]), range(2)),
                               ([0.7], [], 1, [[0]], [-1], [7], "01", None, [True], [NAN])),
    # Of times to an event
    "ties": words("efron", "breslow"), "estimator": words("harrell", "uno"), "time": POSITIVE,
    "times": Option(([1.0, 2.0], (0, 1, 2.5), np.array([1.0, 2.0])),
                    ([], "no", 0.5, [1.0], [1.0, 1.0], [2, 1], [NAN, 1], [[1, 2]], None)),
    "censoring": Option((None, [[[1.0], [0.5]]], (((), ()), ((1.0, 2.0), (0.5, 0)))),
                        ("no", 3, [], [[1.0]], [[[1.0], []]], [[[1.0], [2.0]]],
                         [[[2.0, 1.0], [0.5, 0.2]]], [[[NAN], [0.5]]], [[[INF], [0.5]]])),
    "threshold": FINITE, "thresholds": THRESHOLDS, "top_k": POSITIVE_INTEGER.but(None),
    "value": Option((0.0, 1, "mean"), ("foo", NAN, INF, None, True, [], 1j)),
    "norm": words("l1", "max"), "binning": words("uniform", "quantile"),
    "weights": words("linear", None),
    "window": POSITIVE_INTEGER, "x_log_var": FINITE,
    # Of `LinearCrossentropy`
    "bias": BOOLEAN, "chunk": POSITIVE_INTEGER.but(None), "soft_cap": POSITIVE.but(None),
    "vocabulary": POSITIVE_INTEGER, "z_loss": NON_NEGATIVE,
    "kernel": Option((None, keras.layers.Dense(4)), (3, "foo", [])),
    "normalization": Option((), (3, "foo", None)),
    "kernel_initializer": Option(("zeros",), ("foo",)),
    "bias_initializer": Option(("zeros",), ("foo",)),
    "kernel_regularizer": Option((None, "l2"), ("foo",)),
}  # fmt: skip
"""By the name of the argument."""

OF_CLASSES = (
    "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "Precision", "Recall",
)  # fmt: skip
OF_CLASS: dict[tuple[str, str], Option] = {
    ("LinearCrossentropy", "reduction"): Option(("sum", "mean"), ("foo", "", 3, NAN, [], None)),
    **{(name, "axis"): AXES for name in ("CriticalSuccessIndex", "Dice", "FractionsSkillScore",
                                         "Jaccard", "RootMeanSquaredError", "Tversky")},
    **{(name, "axis"): INTEGER.but(None) for name in ("PearsonCorrelation",
                                                      "ConcordanceCorrelation")},
    **{(name, "threshold"): Option((None, 0.5, 1, np.float32(0.5)),
                                   (*PROBABILITY.but(None).hostile, 0))
       for name in ("F1Score", "FBetaScore")},
    **{(name, "threshold"): FINITE.but(None)
       for name in ("CriticalSuccessIndex", "EquitableThreatScore", "FalseAlarmRatio",
                    "FractionsSkillScore", "FrequencyBias", "HeidkeSkillScore",
                    "ProbabilityOfDetection")},
    **{(name, "threshold"): FRACTION
       for name in ("BalancedAccuracy", "CohenKappa", "ConfusionMatrix", "ExactMatch",
                    "HammingLoss", "MatthewsCorrelation", "NegativePredictiveValue",
                    "Specificity")},
    **{(name, "num_classes"): POSITIVE_INTEGER.but(None)
       for name in ("AveragePrecision", "BalancedAccuracy", "BrierScore", "CohenKappa",
                    "ConfusionMatrix", "D2BrierScore", "D2LogLossScore",
                    "ExpectedCalibrationError", "HammingLoss", "MatthewsCorrelation", "ROCAUC")},
    **{(name, "average"): words("macro", None) for name in ("AveragePrecision", "ROCAUC")},
    ("ExpectedCalibrationError", "mode"): words("binary", None),
    **{(name, "delta"): NON_NEGATIVE for name in ("Hinge", "MulticlassHinge")},
    **{(name, "average"): words("micro", None) for name in ("F1Score", "FBetaScore")},
    ("AsymmetricLoss", "margin"): Option((0, 0.5, np.float32(0.25)), (*NO_NUMBERS, 1, -0.1, 1.5)),
    **{(name, "class_weights"): OPTIONS["class_weights"] | Option(([[1, 2], [3.0, 4]],),
                                                                  ([[1, 2], [NAN, 1]], [1, 2, 3]))
       for name in ("AsymmetricLoss", "BayesianBinaryCrossentropy", "BinaryCrossentropy",
                    "BinaryFocalCrossentropy", "Hinge", "RobustBinaryCrossentropy",
                    "SigmoidFocalCrossEntropy", "SquaredHinge")},
    ("OrdinalCrossentropy", "mode"): words("cumulative", "corn"),
    ("NonNegativePULoss", "average"): Option(("micro",), ("macro", "foo")),
    ("NonNegativePULoss", "observed_rate"): Option((None,), (0.5,)),
    ("WithInterval", "seed"): INTEGER,
    **{(name, "k"): POSITIVE_INTEGER.but(None)
       for name in ("MeanAveragePrecision", "MeanReciprocalRank", "NDCG", "PrecisionAtK",
                    "RecallAtK")},
    **{(name, "axis"): Option((None, 0), ("no", NAN, 1, -1, True, 1.5, []))
       for name in ("KendallTau", "SpearmanCorrelation")},
    **{(name, "capacity"): POSITIVE_INTEGER for name in ("ConcordanceIndex", "KendallTau",
                                                         "SpearmanCorrelation")},
    ("CoxPartialLikelihood", "average"): words("micro", "macro"),
    ("CoxPartialLikelihood", "observed_rate"): Option((None,), (0.5,)),
    ("FractionsSkillScore", "scale"): Option(  # None for the metric alone
        POSITIVE.good, tuple(each for each in POSITIVE.hostile if each is not None)),
    ("PerLabel", "average"): words("macro", None),
    **{(name, "average"): words("macro", None)
       for name in (*OF_CLASSES, "NegativePredictiveValue", "Specificity")},
    **{(name, "target_class_ids"): Option((None, [0, 1], (1,), np.array([0, 1]), range(2)),
                                          ([0.7], [], 1, [[0]], [-1], "01", [True], [NAN]))
       for name in (*OF_CLASSES, "F1Score", "FBetaScore")},
    ("BinaryAccuracy", "threshold"): FRACTION,
    ("BinaryFocalCrossentropy", "alpha"): PROBABILITY,
    ("CategoricalFocalCrossentropy", "alpha"): Option((0.25, [0.2, 0.8], np.ones(2)),
                                                      ("no", NAN, -1, [], [[1]], None)),
    ("SigmoidFocalCrossEntropy", "alpha"): PROBABILITY.but(None),
    ("Circle", "average"): Option(("micro",), ("macro", "foo")),
    ("CTC", "label_weights"): Option((None,), ([], "no", [NAN])),
    ("Circle", "label_weights"): Option((None,), ([], "no", [NAN])),
    ("Circle", "gamma"): POSITIVE,
    ("Circle", "observed_rate"): Option((None,), (0.5,)),
    ("DistributionHead", "labels"): POSITIVE_INTEGER,
    ("FBetaScore", "beta"): POSITIVE,
    **{(name, "distribution"): words("gaussian", None)
       for name in ("IntervalCoverage", "IntervalScore", "IntervalWidth", "LabelDenormalization",
                    "WeightedIntervalScore")},
    ("OfQuantile", "q"): FRACTION,
    ("Masked", "metric"): Option((keras.metrics.MeanSquaredError(),), (3, "foo", None, [])),
    ("Masked", "reduction"): words("sum", "as_wrapped", None),
    ("BinaryIoU", "target_class_ids"): Option(([0, 1], (1,), np.array([1])), ([0.7], [], [2], 1)),
}  # fmt: skip
"""Where the same name means something else."""

REQUIRED: dict[str, dict[str, Any]] = {
    "ClusteringAccuracy": {"num_classes": 3}, "IoU": {"num_classes": 3, "target_class_ids": [1]},
    "WeightedIntervalScore": {"levels": [0.5]},
    "MeanIoU": {"num_classes": 3}, "OneHotMeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "MeanMetricWrapper": {"fn": keras.losses.huber},
    "NonNegativePULoss": {"prior": 0.3},
    "WithInterval": {"metric": km.metrics.MeanSquaredError()},
    "BrierScoreAt": {"distribution": "weibull", "time": 1.0},
    "IntegratedBrierScore": {"distribution": "weibull", "times": [1.0, 2.0]},
    "ByGroup": {"metric": km.metrics.MeanSquaredError(), "groups": 2},
    "PerLabel": {"metric": km.metrics.MeanSquaredError(), "labels": ["a", "b"]},
    "OfMean": {"metric": km.metrics.MeanSquaredError()},
    "OfQuantile": {"metric": km.metrics.MeanSquaredError()},
    "LinearCrossentropy": {"vocabulary": 4},
    "LossEndpoint": {"loss": keras.losses.Huber()}, "DistributionHead": {"labels": 2},
    "LabelDenormalization": {"normalization": km.layers.LabelNormalization()},
}  # fmt: skip
"""Arguments without a default. `Masked` takes a loss among losses, a metric among metrics."""


def option(cls: type, name: str) -> Option:
    """What an argument of a class admits."""
    return OF_CLASS.get((cls.__name__, name), OPTIONS[name])


OF_FUNCTION: dict[tuple[str, str], Option] = {
    **{(name, "axis"): AXES for name in ("critical_success_index", "dice", "fractions_skill_score",
                                         "jaccard", "root_mean_squared_error", "tversky")},
    **{(name, "axis"): INTEGER.but(None) for name in (
        "mad_std", "median_absolute_deviation", "median_absolute_percentage_error", "median_error",
        "median_percentage_error", "explained_variance")},
    **{(name, "threshold"): FINITE.but(None)
       for name in ("critical_success_index", "fractions_skill_score")},
    **{(name, "delta"): NON_NEGATIVE for name in ("hinge_loss", "multiclass_hinge_loss")},
    ("binary_focal_crossentropy", "alpha"): PROBABILITY,
    ("categorical_focal_crossentropy", "alpha"): OF_CLASS["CategoricalFocalCrossentropy", "alpha"],
    ("sigmoid_focal_crossentropy", "alpha"): PROBABILITY.but(None),
    ("circle", "gamma"): POSITIVE,
    # None: that of the other.
    ("clustering_accuracy", "num_classes"): dataclasses.replace(
        POSITIVE_INTEGER.but(None), beside=(("num_clusters", 2),)),
    ("clustering_accuracy", "num_clusters"): dataclasses.replace(
        POSITIVE_INTEGER.but(None), beside=(("num_classes", 2),)),
}  # fmt: skip


def option_of_function(function: Any, name: str) -> Option:
    """What an option of a function admits: mostly what it does of the class."""
    return OF_FUNCTION.get((function.__name__, name), OPTIONS[name])


def build(cls: Any, **options: Any) -> Any:
    """An object with further options."""
    required = dict(REQUIRED.get(cls.__name__, {}))
    if cls is km.losses.Masked:
        required = {"loss": keras.losses.Huber()}
    if cls is km.metrics.Masked:
        required = {"metric": keras.metrics.MeanSquaredError()}
    return cls(**{**required, **options})
