"""Keras losses and metrics that are right in the presence of missing labels.

A missing label neither counts nor can be seen: every number is the one you would get had the
missing labels been deleted by hand, in the loss, its gradient and every metric.

```python
import keras_masked as km

model.compile(
    optimizer="adam",
    loss=km.losses.MeanSquaredError(missing=-9999.0),
    metrics=[km.metrics.MeanAbsoluteError(missing=-9999.0)],
)
```
"""

from keras_masked import _backend as _backend  # first, to say what is wrong with it
from keras_masked import distributions, layers, losses, metrics
from keras_masked.lifting import masked
from keras_masked.observation import censored_labels, observed_rate
from keras_masked.replicas import replicas
from keras_masked.report import compare, describe_labels, report

__version__ = "0.2.0"

__all__ = [
    "censored_labels",
    "compare",
    "describe_labels",
    "distributions",
    "layers",
    "losses",
    "masked",
    "metrics",
    "observed_rate",
    "replicas",
    "report",
]


def __dir__() -> list[str]:
    """What is public; the rooms that only serve it are left out of completions."""
    return [*__all__, "__version__"]
