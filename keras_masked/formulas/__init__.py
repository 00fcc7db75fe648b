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
from keras_masked.formulas.bayesian import (
    bayesian_binary_crossentropy,
    bayesian_categorical_crossentropy,
    robust_binary_crossentropy,
    robust_categorical_crossentropy,
)
from keras_masked.formulas.boxes import check_mode, ciou_loss, diou_loss, giou_loss, iou_loss
from keras_masked.formulas.correlation import center, concordance, pearson, row_moments
from keras_masked.formulas.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    flat,
    generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from keras_masked.formulas.draws import check_draws, check_logits
from keras_masked.formulas.fields import events, fractions_skill, sobel, sobel_sees, window_means
from keras_masked.formulas.focal import (
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    check_gamma,
    sigmoid_focal_crossentropy,
)
from keras_masked.formulas.labels import (
    CLASS_ID,
    NUMBER,
    PARAMETERS,
    VECTOR,
    WITH_ERRORS,
    Formula,
    Labels,
    formula,
)
from keras_masked.formulas.likelihood import (
    interval_covers,
    negative_log_likelihood,
    standardized_residual,
)
from keras_masked.formulas.margin import categorical_hinge, hinge, multiclass_hinge, squared_hinge
from keras_masked.formulas.probabilistic import kl_divergence, poisson
from keras_masked.formulas.regression import (
    absolute_error,
    absolute_percentage_error,
    squared_error,
    squared_logarithmic_error,
)
from keras_masked.formulas.robust import huber, log_cosh
from keras_masked.formulas.sets import dice, jaccard, tversky
from keras_masked.formulas.signed import signed_error, signed_percentage_error, zero
from keras_masked.formulas.similarity import cosine_similarity
from keras_masked.formulas.weighted import (
    asymmetric_squared_error,
    dual_weighted_squared_error,
    exponentially_weighted_squared_error,
)

__all__ = [
    "CLASS_ID",
    "NUMBER",
    "PARAMETERS",
    "VECTOR",
    "WITH_ERRORS",
    "Formula",
    "Labels",
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
    "center",
    "check_draws",
    "check_gamma",
    "check_logits",
    "check_mode",
    "ciou_loss",
    "concordance",
    "cosine_similarity",
    "dice",
    "diou_loss",
    "dual_weighted_squared_error",
    "events",
    "exact_match",
    "exponentially_weighted_squared_error",
    "flat",
    "formula",
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
    "pearson",
    "poisson",
    "robust_binary_crossentropy",
    "robust_categorical_crossentropy",
    "row_moments",
    "sigmoid_focal_crossentropy",
    "signed_error",
    "signed_percentage_error",
    "sobel",
    "sobel_sees",
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
    "window_means",
    "zero",
]
