"""Element-wise mathematics of single labels. Knows nothing of masks, weights or batches.

Each formula maps labels and predictions to one value per label; a topic is a module, of the same
name as that of its losses and metrics. Where Keras exports the formula without its mean over the
last axis, Keras's is called; what is written here again says why.
"""

from keras_masked.distributions.support import Domain
from keras_masked.formulas.censored import nearest
from keras_masked.formulas.correlation import Centering, concordance, pearson, row_moments
from keras_masked.formulas.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    flat,
    sparse_categorical_crossentropy,
)
from keras_masked.formulas.draws import check_logits
from keras_masked.formulas.fields import events, fractions_skill, sobel, sobel_sees, window_means
from keras_masked.formulas.labels import (
    ANY_ID,
    CLASS_ID,
    NUMBER,
    PROBABILITY,
    WITH_ERRORS,
    Formula,
    Labels,
)
from keras_masked.formulas.regression import squared_error
from keras_masked.formulas.sets import jaccard

__all__ = [
    "ANY_ID",
    "CLASS_ID",
    "Domain",
    "Formula",
    "Labels",
    "NUMBER",
    "PROBABILITY",
    "WITH_ERRORS",
    "binary_crossentropy",
    "categorical_crossentropy",
    "Centering",
    "check_logits",
    "concordance",
    "events",
    "flat",
    "fractions_skill",
    "jaccard",
    "nearest",
    "pearson",
    "row_moments",
    "sobel",
    "sobel_sees",
    "sparse_categorical_crossentropy",
    "squared_error",
    "window_means",
]
