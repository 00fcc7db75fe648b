"""Losses over labels of which some are missing, under Keras's names."""

from __future__ import annotations

from typing import Any

from keras.losses import Loss

from keras_masked import serialization
from keras_masked.losses.asymmetric import AsymmetricLoss, asymmetric_loss
from keras_masked.losses.base import FormulaLoss, MaskedLoss
from keras_masked.losses.bayesian import (
    BayesianBinaryCrossentropy,
    BayesianCategoricalCrossentropy,
    RobustBinaryCrossentropy,
    RobustCategoricalCrossentropy,
    bayesian_binary_crossentropy,
    bayesian_categorical_crossentropy,
    robust_binary_crossentropy,
    robust_categorical_crossentropy,
)
from keras_masked.losses.boxes import (
    CIoULoss,
    DIoULoss,
    GIoULoss,
    IoULoss,
    ciou_loss,
    diou_loss,
    giou_loss,
    iou_loss,
)
from keras_masked.losses.circle import Circle, circle
from keras_masked.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from keras_masked.losses.ctc import CTC, ctc
from keras_masked.losses.ensembles import EnergyScore, EnsembleCRPS, energy_score, ensemble_crps
from keras_masked.losses.events import CriticalSuccessIndex, critical_success_index
from keras_masked.losses.fields import (
    FractionsSkillScore,
    SobelMSE,
    fractions_skill_score,
    sobel_mse,
)
from keras_masked.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    SigmoidFocalCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    sigmoid_focal_crossentropy,
)
from keras_masked.losses.intervals import (
    IntervalScore,
    WeightedIntervalScore,
    interval_score,
    weighted_interval_score,
)
from keras_masked.losses.likelihood import (
    NegativeLogLikelihood,
    negative_log_likelihood,
    robust_mse,
)
from keras_masked.losses.logits import (
    sigmoid_crossentropy_logits,
    softmax_crossentropy_logits,
    sparse_softmax_crossentropy_logits,
    squared_differences,
)
from keras_masked.losses.margin import (
    CategoricalHinge,
    Hinge,
    MulticlassHinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    hinge_loss,
    multiclass_hinge_loss,
    squared_hinge,
)
from keras_masked.losses.masked import Masked
from keras_masked.losses.ordinal import OrdinalCrossentropy, ordinal_crossentropy
from keras_masked.losses.probabilistic import KLDivergence, Poisson, kl_divergence, poisson
from keras_masked.losses.quantiles import Expectile, PinballLoss, expectile, pinball_loss
from keras_masked.losses.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    root_mean_squared_error,
)
from keras_masked.losses.robust import Huber, LogCosh, huber, log_cosh
from keras_masked.losses.scores import (
    ContinuousRankedProbabilityScore,
    continuous_ranked_probability_score,
)
from keras_masked.losses.sets import Dice, Jaccard, Tversky, dice, jaccard, tversky
from keras_masked.losses.signed import (
    MeanError,
    MeanPercentageError,
    ZerosLoss,
    magic_correction_term,
    mean_error,
    mean_percentage_error,
    zeros_loss,
)
from keras_masked.losses.similarity import CosineSimilarity, cosine_similarity
from keras_masked.losses.survival import CoxPartialLikelihood, cox_partial_likelihood
from keras_masked.losses.symmetric import SymmetricCrossentropy, symmetric_crossentropy
from keras_masked.losses.two_outputs import (
    bayesian_binary_crossentropy_var_wrapper,
    bayesian_binary_crossentropy_wrapper,
    bayesian_categorical_crossentropy_var_wrapper,
    bayesian_categorical_crossentropy_wrapper,
    mse_lin_wrapper,
    mse_var_wrapper,
)
from keras_masked.losses.unlabelled import NonNegativePULoss, non_negative_pu_loss
from keras_masked.losses.variational import vae
from keras_masked.losses.variational_mixtures import vae_comp_gmm, vae_gmm
from keras_masked.losses.vocabulary import linear_crossentropy
from keras_masked.losses.weighted import (
    AsymmetricMSE,
    DualWeightedMSE,
    ExponentiallyWeightedMSE,
    asymmetric_mse,
    dual_weighted_mse,
    exponentially_weighted_mse,
)

__all__ = [
    "AsymmetricLoss",
    "AsymmetricMSE",
    "BayesianBinaryCrossentropy",
    "BayesianCategoricalCrossentropy",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CIoULoss",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "ContinuousRankedProbabilityScore",
    "CosineSimilarity",
    "CoxPartialLikelihood",
    "CriticalSuccessIndex",
    "DIoULoss",
    "Dice",
    "DualWeightedMSE",
    "EnergyScore",
    "EnsembleCRPS",
    "Expectile",
    "ExponentiallyWeightedMSE",
    "FormulaLoss",
    "FractionsSkillScore",
    "GIoULoss",
    "Hinge",
    "Huber",
    "IntervalScore",
    "IoULoss",
    "Jaccard",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "Masked",
    "MaskedLoss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanError",
    "MeanPercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "MulticlassHinge",
    "NegativeLogLikelihood",
    "NonNegativePULoss",
    "OrdinalCrossentropy",
    "PinballLoss",
    "Poisson",
    "RobustBinaryCrossentropy",
    "RobustCategoricalCrossentropy",
    "RootMeanSquaredError",
    "SigmoidFocalCrossEntropy",
    "SobelMSE",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "SymmetricCrossentropy",
    "Tversky",
    "WeightedIntervalScore",
    "ZerosLoss",
    "asymmetric_loss",
    "asymmetric_mse",
    "bayesian_binary_crossentropy",
    "bayesian_binary_crossentropy_var_wrapper",
    "bayesian_binary_crossentropy_wrapper",
    "bayesian_categorical_crossentropy",
    "bayesian_categorical_crossentropy_var_wrapper",
    "bayesian_categorical_crossentropy_wrapper",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "ciou_loss",
    "circle",
    "continuous_ranked_probability_score",
    "cosine_similarity",
    "cox_partial_likelihood",
    "critical_success_index",
    "ctc",
    "deserialize",
    "dice",
    "diou_loss",
    "dual_weighted_mse",
    "energy_score",
    "ensemble_crps",
    "expectile",
    "exponentially_weighted_mse",
    "fractions_skill_score",
    "get",
    "giou_loss",
    "hinge",
    "hinge_loss",
    "huber",
    "interval_score",
    "iou_loss",
    "jaccard",
    "kl_divergence",
    "linear_crossentropy",
    "log_cosh",
    "magic_correction_term",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_error",
    "mean_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse_lin_wrapper",
    "mse_var_wrapper",
    "multiclass_hinge_loss",
    "negative_log_likelihood",
    "non_negative_pu_loss",
    "ordinal_crossentropy",
    "pinball_loss",
    "poisson",
    "robust_binary_crossentropy",
    "robust_categorical_crossentropy",
    "robust_mse",
    "root_mean_squared_error",
    "serialize",
    "sigmoid_crossentropy_logits",
    "sigmoid_focal_crossentropy",
    "sobel_mse",
    "softmax_crossentropy_logits",
    "sparse_categorical_crossentropy",
    "sparse_softmax_crossentropy_logits",
    "squared_differences",
    "squared_hinge",
    "symmetric_crossentropy",
    "tversky",
    "vae",
    "vae_comp_gmm",
    "vae_gmm",
    "weighted_interval_score",
    "zeros_loss",
]

bce = BCE = binary_crossentropy
kld = KLD = kl_divergence
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
mse = MSE = mean_squared_error
msle = MSLE = mean_squared_logarithmic_error
crps, CRPS = continuous_ranked_probability_score, ContinuousRankedProbabilityScore

ALIASES = {
    alias: function
    for short, function in (
        ("bce", bce),
        ("kld", kld),
        ("mae", mae),
        ("mape", mape),
        ("mse", mse),
        ("msle", msle),
    )
    for alias in (short, short.upper())
} | {"crps": crps, "CRPS": CRPS}
"""Keras's short names, and one more."""

NOT_BY_NAME = ("FormulaLoss", "Loss", "Masked", "MaskedLoss", "deserialize", "get", "serialize")

KNOWN = ALIASES | {name: globals()[name] for name in __all__ if name not in NOT_BY_NAME}
"""What `get` and `deserialize` find by its short name."""


def serialize(loss: Any) -> Any:
    """Returns the configuration of a loss or loss function."""
    return serialization.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the loss or loss function of a configuration."""
    return serialization.deserialize(name, KNOWN, custom_objects)


def get(identifier: Any) -> Any:
    """Returns a masked loss by name, configuration, class or instance.

    Unlike in `compile`, where a string always means Keras's loss, a string here means ours.

    >>> type(keras_masked.losses.get("MeanSquaredError")).__name__
    'MeanSquaredError'

    Raises:
        ValueError: If nothing is known under this name.
    """
    return serialization.get(identifier, KNOWN, "loss")


def __dir__() -> list[str]:
    """What is public, for completions."""
    return sorted({*__all__, *ALIASES})
