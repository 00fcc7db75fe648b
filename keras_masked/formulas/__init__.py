"""Element-wise mathematics of single labels. Knows nothing of masks, weights or batches.

Each formula maps labels and predictions to one value per label. Where Keras exports the formula
without its mean over the last axis, Keras's is called; what is written here again says why.
"""

from keras_masked.formulas.accuracy import (
    binary_match,
    categorical_match,
    sparse_categorical_match,
)
from keras_masked.formulas.base import Formula
from keras_masked.formulas.margin import categorical_hinge, hinge, squared_hinge
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
    squared_error,
    squared_logarithmic_error,
)
from keras_masked.formulas.sets import dice, tversky
from keras_masked.formulas.similarity import cosine_similarity

__all__ = [
    "Formula",
    "absolute_error",
    "absolute_percentage_error",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "binary_match",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "categorical_match",
    "cosine_similarity",
    "dice",
    "generalized_cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "poisson",
    "sparse_categorical_crossentropy",
    "sparse_categorical_match",
    "squared_error",
    "squared_hinge",
    "squared_logarithmic_error",
    "tversky",
]
