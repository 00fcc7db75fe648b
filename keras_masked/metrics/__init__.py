"""Metrics over labels of which some are missing, under Keras's names."""

from __future__ import annotations

import inspect
import re
from typing import Any

from keras.metrics import Metric

from keras_masked import serialization
from keras_masked.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from keras_masked.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from keras_masked.losses.margin import categorical_hinge, hinge, squared_hinge
from keras_masked.losses.probabilistic import kl_divergence, poisson
from keras_masked.losses.regression import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from keras_masked.losses.robust import huber, log_cosh
from keras_masked.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from keras_masked.metrics.agreement import (
    BalancedAccuracy,
    CohenKappa,
    ConfusionMatrix,
    MatthewsCorrelation,
)
from keras_masked.metrics.areas import ROCAUC, AveragePrecision
from keras_masked.metrics.auc import AUC
from keras_masked.metrics.base import MaskedMetric
from keras_masked.metrics.brier import BrierScore, D2BrierScore, D2LogLossScore
from keras_masked.metrics.by_group import ByGroup
from keras_masked.metrics.clustering import ClusteringAccuracy, clustering_accuracy
from keras_masked.metrics.columns import ColumnMetric
from keras_masked.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from keras_masked.metrics.counts import FalseNegatives, FalsePositives, TrueNegatives, TruePositives
from keras_masked.metrics.coverage import CalibrationError, PITHistogram
from keras_masked.metrics.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Perplexity,
    SparseCategoricalCrossentropy,
)
from keras_masked.metrics.ensembles import EnergyScore, EnsembleCRPS
from keras_masked.metrics.expected_calibration import ExpectedCalibrationError
from keras_masked.metrics.f_score import F1Score, FBetaScore
from keras_masked.metrics.fields import FractionsSkillScore
from keras_masked.metrics.hamming import ExactMatch, HammingLoss
from keras_masked.metrics.intervals import (
    IntervalCoverage,
    IntervalScore,
    IntervalWidth,
    WeightedIntervalScore,
)
from keras_masked.metrics.iou import BinaryIoU, IoU, MeanIoU
from keras_masked.metrics.label_ranking import (
    CoverageError,
    LabelRankingAveragePrecision,
    LabelRankingLoss,
)
from keras_masked.metrics.likelihood import NegativeLogLikelihood, StandardizedResidualScatter
from keras_masked.metrics.margin import CategoricalHinge, Hinge, MulticlassHinge, SquaredHinge
from keras_masked.metrics.masked import Masked
from keras_masked.metrics.mean import MeanMetric
from keras_masked.metrics.median_percentages import (
    MedianAbsolutePercentageError,
    MedianPercentageError,
    median_absolute_percentage_error,
    median_percentage_error,
)
from keras_masked.metrics.medians import (
    MADStandardDeviation,
    MedianAbsoluteDeviation,
    MedianError,
    mad_std,
    median_absolute_deviation,
    median_error,
)
from keras_masked.metrics.observed_fraction import ObservedFraction
from keras_masked.metrics.of_mean import OfMean, OfQuantile
from keras_masked.metrics.one_hot_iou import OneHotIoU, OneHotMeanIoU
from keras_masked.metrics.operating_points import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from keras_masked.metrics.per_label import PerLabel
from keras_masked.metrics.precision_recall import Precision, Recall
from keras_masked.metrics.probabilistic import KLDivergence, Poisson
from keras_masked.metrics.quantiles import D2PinballScore, Expectile, MeanPinballLoss
from keras_masked.metrics.r2 import R2Score
from keras_masked.metrics.rank_correlation import KendallTau, SpearmanCorrelation
from keras_masked.metrics.ranking import (
    NDCG,
    MeanAveragePrecision,
    MeanReciprocalRank,
    PrecisionAtK,
    RecallAtK,
)
from keras_masked.metrics.rates import NegativePredictiveValue, Specificity
from keras_masked.metrics.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)
from keras_masked.metrics.robust import LogCoshError
from keras_masked.metrics.scores import ContinuousRankedProbabilityScore
from keras_masked.metrics.signed import MeanError, MeanPercentageError
from keras_masked.metrics.similarity import CosineSimilarity
from keras_masked.metrics.survival import ConcordanceIndex
from keras_masked.metrics.survival_scores import BrierScoreAt, IntegratedBrierScore
from keras_masked.metrics.values import Mean, MeanMetricWrapper, Sum
from keras_masked.metrics.variance import ExplainedVariance, explained_variance
from keras_masked.metrics.verification import (
    CriticalSuccessIndex,
    EquitableThreatScore,
    FalseAlarmRatio,
    FrequencyBias,
    HeidkeSkillScore,
    ProbabilityOfDetection,
)
from keras_masked.metrics.with_interval import WithInterval

__all__ = [
    "AUC",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "BrierScore",
    "BrierScoreAt",
    "ByGroup",
    "CalibrationError",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ClusteringAccuracy",
    "CohenKappa",
    "ColumnMetric",
    "ConcordanceCorrelation",
    "ConcordanceIndex",
    "ConfusionMatrix",
    "ContinuousRankedProbabilityScore",
    "CosineSimilarity",
    "CoverageError",
    "CriticalSuccessIndex",
    "D2BrierScore",
    "D2LogLossScore",
    "D2PinballScore",
    "EnergyScore",
    "EnsembleCRPS",
    "EquitableThreatScore",
    "ExactMatch",
    "ExpectedCalibrationError",
    "Expectile",
    "ExplainedVariance",
    "F1Score",
    "FBetaScore",
    "FalseAlarmRatio",
    "FalseNegatives",
    "FalsePositives",
    "FractionsSkillScore",
    "FrequencyBias",
    "HammingLoss",
    "HeidkeSkillScore",
    "Hinge",
    "IntegratedBrierScore",
    "IntervalCoverage",
    "IntervalScore",
    "IntervalWidth",
    "IoU",
    "KLDivergence",
    "KendallTau",
    "LabelRankingAveragePrecision",
    "LabelRankingLoss",
    "LogCoshError",
    "MADStandardDeviation",
    "Masked",
    "MaskedMetric",
    "MatthewsCorrelation",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanAveragePrecision",
    "MeanError",
    "MeanIoU",
    "MeanMetric",
    "MeanMetricWrapper",
    "MeanPercentageError",
    "MeanPinballLoss",
    "MeanReciprocalRank",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "MedianAbsoluteDeviation",
    "MedianAbsolutePercentageError",
    "MedianError",
    "MedianPercentageError",
    "Metric",
    "MulticlassHinge",
    "NDCG",
    "NegativeLogLikelihood",
    "NegativePredictiveValue",
    "ObservedFraction",
    "OfMean",
    "OfQuantile",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PITHistogram",
    "PearsonCorrelation",
    "PerLabel",
    "Perplexity",
    "Poisson",
    "Precision",
    "PrecisionAtK",
    "PrecisionAtRecall",
    "ProbabilityOfDetection",
    "R2Score",
    "ROCAUC",
    "Recall",
    "RecallAtK",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpearmanCorrelation",
    "Specificity",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "StandardizedResidualScatter",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "WeightedIntervalScore",
    "WithInterval",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "clustering_accuracy",
    "concordance_correlation",
    "deserialize",
    "explained_variance",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mad_std",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "median_absolute_deviation",
    "median_absolute_percentage_error",
    "median_error",
    "median_percentage_error",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

bce = BCE = binary_crossentropy
kld = KLD = kl_divergence
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
mse = MSE = mean_squared_error
msle = MSLE = mean_squared_logarithmic_error
CRPS = ContinuousRankedProbabilityScore

NOT_BY_NAME = (
    "ByGroup",
    "ColumnMetric",
    "Masked",
    "MaskedMetric",
    "MeanMetric",
    "Metric",
    "OfMean",
    "OfQuantile",
    "PerLabel",
    "WithInterval",
    "deserialize",
    "get",
    "serialize",
)

ALIASES = {
    alias: cls
    for short, cls in (
        ("bce", BinaryCrossentropy),
        ("kld", KLDivergence),
        ("mae", MeanAbsoluteError),
        ("mape", MeanAbsolutePercentageError),
        ("mse", MeanSquaredError),
        ("msle", MeanSquaredLogarithmicError),
        ("crps", CRPS),
    )
    for alias in (short, short.upper())
}
"""Keras's short names, and `crps`. They mean objects; `mse`, the attribute, is the function."""

PUBLIC = {name: globals()[name] for name in __all__ if name not in NOT_BY_NAME}


def _snake_case(name: str) -> str:
    """The name of a class as Keras's look-ups write it: `R2Score` is `r2_score`."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _short_names() -> dict[str, Any]:
    """The classes under the names for which Keras, too, gives an object rather than a function.

    In `compile`, a function is averaged over all rows, those without labels too.
    """
    found = {}
    for name, each in PUBLIC.items():
        # A class that needs arguments leaves its name to a function, where there is one.
        if inspect.isclass(each) and not (_needs_options(each) and _snake_case(name) in PUBLIC):
            found[_snake_case(name)] = each
    return found | ALIASES


def _needs_options(cls: type) -> bool:
    options = inspect.signature(cls).parameters.values()
    return any(each.default is each.empty and each.kind < each.VAR_KEYWORD for each in options)


KNOWN = PUBLIC | _short_names()
"""What `get` and `deserialize` find by name."""


def serialize(metric: Any) -> Any:
    """Returns the configuration of a metric or metric function."""
    return serialization.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the metric or metric function of a configuration, or of a name."""
    return serialization.deserialize(config, KNOWN, custom_objects)


def get(identifier: Any) -> Any:
    """Returns a masked metric by name, configuration, class or instance.

    Unlike in `compile`, where a string always means Keras's metric, a string here means ours. As in
    Keras, `"mse"` and `"mean_squared_error"` are the object, not the function.

    >>> keras_masked.metrics.get("R2Score").name
    'r2_score'
    >>> keras_masked.metrics.get("mse").name
    'mean_squared_error'

    Raises:
        ValueError: If nothing is known under this name.
    """
    return serialization.get(identifier, KNOWN, "metric")


def __dir__() -> list[str]:
    """What is public, for completions."""
    return sorted({*__all__, *ALIASES})
