"""What beta and evidence deliver: predicted uncertainties against a truth that is known.

    KERAS_BACKEND=jax python benchmarks/uncertainty.py [--seeds 3] [--steps 4000]

Two curves with noise, 1,000 labels of which a third are missing, and the same small network for
each way to train it. "sine": 0.4 sin(2 pi x) with a noise of 0.01, on which likelihoods are known
to get stuck (Seitzer et al. 2022). "growing": x sin(x) with a noise that grows with x (Detlefsen et
al. 2019). Printed are, as medians over seeds, the error of the predicted median over the noise, the
ratio of predicted to true widths of 90 % intervals, how many new labels these hold, and how many
just outside of the range of the training data, where nothing was learned.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__" and not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

Array = np.ndarray
COUNT, MISSING = 1000, 1 / 3
Z = 1.6449  # half the width of an interval that holds 90 % of a standard normal


def sine(x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation, of x in [0, 1]."""
    return 0.4 * np.sin(2 * np.pi * 4 * x), np.full_like(x, 0.01)


def growing(x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation, of x in [0, 1]."""
    return 10 * x * np.sin(10 * x), 0.3 * np.sqrt(1 + (10 * x) ** 2)


def ways() -> dict[str, tuple[Any, Any]]:
    """Distribution and loss by name."""
    import keras_masked as km

    gaussian, evidence = km.distributions.Gaussian(), km.distributions.NormalInverseGamma()
    likelihood = km.losses.NegativeLogLikelihood
    return {
        "likelihood": (gaussian, likelihood(gaussian)),
        "beta = 0.5": (gaussian, likelihood(gaussian, beta=0.5)),
        "beta = 1": (gaussian, likelihood(gaussian, beta=1.0)),
        "CRPS": (gaussian, km.losses.CRPS(gaussian)),
        "evidence": (evidence, likelihood(evidence)),
    }


def measure(curve: Any, name: str, steps: int, seed: int) -> list[float]:
    """Trains one network and compares what it says with the truth."""
    import keras
    from keras import ops

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    family, loss = ways()[name]
    x = rng.uniform(0, 1, (COUNT, 1))
    mean, spread = curve(x)
    y = mean + spread * rng.normal(size=x.shape)
    y[rng.random(y.shape) < MISSING] = np.nan
    scale = np.nanstd(y)
    layers = [keras.layers.Dense(64, activation="tanh") for _ in range(3)]
    model = keras.Sequential([keras.Input((1,)), *layers, km.layers.DistributionHead(1, family)])
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(keras.optimizers.Adam(rate), loss=loss)
    epochs = steps // 4  # four batches each
    model.fit(4 * x - 2, y / scale, 256, epochs, verbose=0)

    def judge(x: Array) -> tuple[Array, Array, Array]:
        mean, spread = curve(x)
        found = ops.convert_to_tensor(model.predict(4 * x - 2, batch_size=4096, verbose=0))
        p = [scale * ops.convert_to_numpy(family.quantile(q, found)) for q in (0.05, 0.5, 0.95)]
        labels = mean + spread * np.random.default_rng(1).normal(size=x.shape)
        inside = (p[0] <= labels) & (labels <= p[2])
        return (p[1] - mean) / spread, (p[2] - p[0]) / (2 * Z * spread), inside

    error, ratio, inside = judge(np.linspace(0, 1, 4000)[:, None])
    beyond = judge(np.linspace(1.05, 1.25, 1000)[:, None])[2]
    return [
        float(np.sqrt(np.mean(error**2))),
        float(np.exp(np.mean(np.log(ratio)))),
        float(inside.mean()),
        float(beyond.mean()),
    ]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4000)
    options = parser.parse_args()
    print("                     error / noise  spread / noise  in 90 %  in 90 %, outside")
    for curve in (sine, growing):
        for name in ways():
            each = [measure(curve, name, options.steps, seed) for seed in range(options.seeds)]
            error, ratio, inside, beyond = np.median(each, axis=0)
            print(f"{curve.__name__:<9}{name:<12}{error:>13.2f}{ratio:>16.2f}", end="")
            print(f"{inside:>9.2f}{beyond:>18.2f}", flush=True)


if __name__ == "__main__":
    main()
