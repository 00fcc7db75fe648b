"""What may be seen of labels, predictions and weights, and by what a loss is divided.

`missing` says which labels are missing, `observe` finds them and aligns everything else to the
labels, `hiding` keeps what is hidden away from a formula, `evaluation` applies the formula, and
`reduction` divides by what counts.
"""

from keras_masked.observation.censored import (
    find_missing_ends,
    find_missing_ends_in_array,
    only_ends,
    take_ends_apart,
)
from keras_masked.observation.censored_labels import censored_labels
from keras_masked.observation.evaluation import (
    OF_OBSERVATION,
    label_values,
    prepare,
    row_values,
    values,
    with_mask,
    with_row_mask,
)
from keras_masked.observation.hiding import gate_input, gate_output, replace
from keras_masked.observation.joint import JOINT, joint_values, observe_joint
from keras_masked.observation.missing import (
    CLASS_IDS,
    NAN,
    Missing,
    as_number,
    find_missing,
    find_missing_in_array,
    join_markers,
    standardize_missing,
)
from keras_masked.observation.observe import (
    WITH_AXES,
    Observation,
    compute_dtype,
    holds_class_ids,
    observe,
)
from keras_masked.observation.observed_rate import observed_rate
from keras_masked.observation.one_hot import one_hot, one_versus_rest
from keras_masked.observation.received import (
    check_class_ids,
    check_probabilities,
    receive_labels,
)
from keras_masked.observation.reduction import (
    AVERAGES,
    check_average,
    reduce_losses,
    row_means,
    shares_of,
    standardize_rate,
)
from keras_masked.observation.rejected import reject_arrays, reject_misread
from keras_masked.observation.shapes import align_labels, compatible, expand_from_left
from keras_masked.observation.stacked import (
    align_errors,
    stack_parameters,
    standardize_errors,
    take_apart,
)
from keras_masked.observation.weights import (
    standardize_class_weights,
    standardize_weights,
    weigh_classes,
    weigh_columns,
)

__all__ = [
    "AVERAGES",
    "CLASS_IDS",
    "JOINT",
    "Missing",
    "NAN",
    "OF_OBSERVATION",
    "Observation",
    "WITH_AXES",
    "align_errors",
    "align_labels",
    "as_number",
    "censored_labels",
    "check_average",
    "check_class_ids",
    "check_probabilities",
    "compatible",
    "compute_dtype",
    "expand_from_left",
    "find_missing",
    "find_missing_ends",
    "find_missing_ends_in_array",
    "find_missing_in_array",
    "gate_input",
    "gate_output",
    "holds_class_ids",
    "join_markers",
    "joint_values",
    "label_values",
    "observe",
    "observe_joint",
    "observed_rate",
    "one_hot",
    "only_ends",
    "one_versus_rest",
    "receive_labels",
    "reduce_losses",
    "reject_arrays",
    "reject_misread",
    "replace",
    "row_means",
    "prepare",
    "row_values",
    "shares_of",
    "stack_parameters",
    "standardize_class_weights",
    "standardize_errors",
    "standardize_missing",
    "standardize_rate",
    "standardize_weights",
    "take_apart",
    "take_ends_apart",
    "values",
    "weigh_classes",
    "weigh_columns",
    "with_mask",
    "with_row_mask",
]
