"""Element-wise mathematics of single labels. Knows nothing of masks, weights or batches.

Each formula maps labels and predictions to one value per label. Where Keras exports the formula
without its mean over the last axis, Keras's is called; what is written here again says why.
"""

from keras_masked.formulas.accuracy import (
    binary_match,
    categorical_match,
    exact_match,
    sorted_ids_match,
    sparse_categorical_match,
    sparse_top_k_match,
    top_k_match,
)
from keras_masked.formulas.base import Formula
from keras_masked.formulas.bayesian import (
    bayesian_binary_crossentropy,
    bayesian_categorical_crossentropy,
    robust_binary_crossentropy,
    robust_categorical_crossentropy,
)
from keras_masked.formulas.boxes import ciou_loss, diou_loss, giou_loss, iou_loss
from keras_masked.formulas.fields import fractions_skill, jaccard
from keras_masked.formulas.likelihood import (
    interval_covers,
    negative_log_likelihood,
    standardized_residual,
)
from keras_masked.formulas.margin import (
    categorical_hinge,
    hinge,
    multiclass_hinge,
    squared_hinge,
)
from keras_masked.formulas.probabilistic import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    generalized_cross_entropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from keras_masked.formulas.regression import (
    absolute_error,
    absolute_percentage_error,
    huber,
    log_cosh,
    poisson,
    signed_error,
    signed_percentage_error,
    squared_error,
    squared_logarithmic_error,
    zero,
)
from keras_masked.formulas.sets import dice, tversky
from keras_masked.formulas.similarity import cosine_similarity
from keras_masked.formulas.weighted import (
    asymmetric_squared_error,
    dual_weighted_squared_error,
    exponentially_weighted_squared_error,
    sigmoid_focal_crossentropy,
)

__all__ = [
    "Formula",
    "absolute_error",
    "absolute_percentage_error",
    "asymmetric_squared_error",
    "bayesian_binary_crossentropy",
    "bayesian_categorical_crossentropy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "binary_match",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "categorical_match",
    "ciou_loss",
    "cosine_similarity",
    "dice",
    "diou_loss",
    "dual_weighted_squared_error",
    "exact_match",
    "exponentially_weighted_squared_error",
    "fractions_skill",
    "generalized_cross_entropy",
    "giou_loss",
    "hinge",
    "huber",
    "interval_covers",
    "iou_loss",
    "jaccard",
    "kl_divergence",
    "log_cosh",
    "multiclass_hinge",
    "negative_log_likelihood",
    "poisson",
    "robust_binary_crossentropy",
    "robust_categorical_crossentropy",
    "sigmoid_focal_crossentropy",
    "signed_error",
    "signed_percentage_error",
    "sorted_ids_match",
    "sparse_categorical_crossentropy",
    "sparse_categorical_match",
    "sparse_top_k_match",
    "squared_error",
    "squared_hinge",
    "squared_logarithmic_error",
    "standardized_residual",
    "top_k_match",
    "tversky",
    "zero",
]
