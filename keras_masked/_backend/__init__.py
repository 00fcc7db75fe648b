"""The one place that knows about backends and about what Keras does not export.

Everything else in the package is written against `keras.ops`. What is leaned on here and promised
by nobody, each with a test in tests/test_backend.py, tests/test_replicas.py or as named:

- where Keras keeps masks (`masks`); if it moves them, layers of our own read and write them;
- what it makes of bfloat16 labels (`as_received`);
- what compilers make of NaN (`isnan`), of sums (`totals`, `count`, `add_up`) and of two branches
  that are the same (`stop_gradient_where`): values and gradients are tested, speed is not;
- the bits of floats (`set_where`);
- that what holds the metrics of a model is called `CompileMetrics`, and that a metric tracks its
  variables (`state`; tests/test_per_label.py, tests/test_metric_streams.py);
- what losses and metrics were made with, and models compiled (`objects`);
- that trainers add up or average over replicas (`combine`).
"""

from keras_masked._backend import choice as choice  # first of all
from keras_masked._backend.engine import eager_torch, is_stale, repeat, torch_func
from keras_masked._backend.gates import set_where, shut_where, stop_gradient_where, zero_where
from keras_masked._backend.incomplete import (
    gauss_legendre,
    log_beta_density,
    log_beta_tails,
    log_gamma_density,
    log_gamma_tails,
)
from keras_masked._backend.masks import get_keras_mask, set_keras_mask
from keras_masked._backend.objects import compiled_with, function_of, options_of
from keras_masked._backend.replicas import (
    add_to_layer,
    combine,
    place,
    replicated,
    torch_group,
    total,
)
from keras_masked._backend.special import (
    expm1mx,
    lgamma,
    log1mexp,
    log1pmx,
    log_beta_peak,
    log_gamma_half,
    log_gamma_peak,
    log_ndtr,
    ndtri,
)
from keras_masked._backend.state import compiled_together, forget, unused
from keras_masked._backend.sums import add_up, count, count_columns, totals, two_sum
from keras_masked._backend.tensors import (
    absolute,
    amax,
    amin,
    arctan2,
    argmax,
    as_received,
    ceil,
    clip,
    cumsum,
    cumulative_logsumexp,
    entries,
    floor,
    form_of,
    isnan,
    maximum,
    mean,
    minimum,
    segment_sum,
)
from keras_masked._backend.vocabulary import (
    Head,
    accumulating,
    losses_in_two_passes,
    product,
    sum_in_one_pass,
    waiting,
)

__all__ = [
    "Head",
    "gauss_legendre",
    "expm1mx",
    "log1mexp",
    "log1pmx",
    "log_beta_peak",
    "log_gamma_half",
    "log_gamma_peak",
    "ndtri",
    "log_beta_density",
    "log_beta_tails",
    "log_gamma_density",
    "log_gamma_tails",
    "absolute",
    "accumulating",
    "add_to_layer",
    "add_up",
    "amax",
    "amin",
    "arctan2",
    "argmax",
    "as_received",
    "ceil",
    "clip",
    "combine",
    "compiled_together",
    "compiled_with",
    "count",
    "count_columns",
    "cumsum",
    "cumulative_logsumexp",
    "eager_torch",
    "entries",
    "floor",
    "forget",
    "form_of",
    "function_of",
    "get_keras_mask",
    "is_stale",
    "repeat",
    "isnan",
    "lgamma",
    "log_ndtr",
    "losses_in_two_passes",
    "maximum",
    "mean",
    "minimum",
    "options_of",
    "product",
    "place",
    "replicated",
    "segment_sum",
    "set_keras_mask",
    "set_where",
    "shut_where",
    "stop_gradient_where",
    "sum_in_one_pass",
    "torch_func",
    "torch_group",
    "total",
    "totals",
    "two_sum",
    "unused",
    "waiting",
    "zero_where",
]
