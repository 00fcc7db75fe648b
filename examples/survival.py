"""Predict how long patients stay free of a recurrence, of which more than half had none yet.

    python examples/survival.py [--backend jax|tensorflow|torch] [--folds K] [--seed S] [--out DIR]

Data: the German Breast Cancer Study Group 2 trial, which ships with scikit-survival: 686 women,
eight features, the days until a recurrence or death, or until nobody knew more (56 %: censored).

Four ways, each fitted on the other folds and judged on the fold that it has not seen:

1. Cox's model of scikit-survival: linear, the yardstick;
2. a small network with `CoxPartialLikelihood`, which predicts who comes first, and no times;
3. the same network with a `DistributionHead` of a Weibull distribution and the likelihood of
   censored labels;
4. the same of a `DiscreteHazard`: a hazard for each half year.

Scores, at one, three and five years: the concordance of what has happened up to then, the Brier
score, and calibration: in thirds of the predicted risk, the share predicted to have had a
recurrence, beside Kaplan and Meier's estimate. Means over folds hide how little 137 women say: the
differences between two ways have a standard error of about 0.01.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

YEAR = 365.25
TIMES = (1.0, 3.0, 5.0)  # years
EDGES = tuple(np.arange(0.0, 7.6, 0.5).tolist())
WAYS = {
    "Cox, scikit-survival": "#8c8c8c",
    "network, Cox": "#7b4aa0",
    "network, Weibull": "#e08a00",
    "network, hazards": "#0067b1",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Survival from censored times.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--folds", type=int, default=5, help="of the data, default 5")
    parser.add_argument("--epochs", type=int, default=100, help="epochs per network, default 100")
    parser.add_argument("--seed", type=int, default=0, help="of folds and weights, default 0")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the picture")
    args = parser.parse_args()
    if args.folds < 2:
        parser.error("--folds must be at least 2")
    os.environ["KERAS_BACKEND"] = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    require("keras", "keras_masked", "matplotlib", "sksurv", os.environ["KERAS_BACKEND"])

    x, y = load()
    lost = np.isinf(y[..., 1]).mean()
    print(f"{len(x)} women, {x.shape[1]} features, {lost:.0%} of the times censored.")
    fold = np.random.default_rng(args.seed).permutation(len(x)) % args.folds
    scores = {way: np.empty((args.folds, 2, len(TIMES))) for way in WAYS}
    risks = {way: np.full((len(x), len(TIMES)), np.nan) for way in WAYS}
    for k in range(args.folds):
        train, test = fold != k, fold == k
        scaled = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
        for way in WAYS:
            fitted = fit(way, scaled[train], y[train], args.epochs, args.seed + k)
            risks[way][test] = fitted(scaled[test])
            scores[way][k] = judge(y[train], y[test], risks[way][test])
        print(f"fold {k + 1} of {args.folds}")
    print(table(scores))
    args.out.mkdir(parents=True, exist_ok=True)
    draw(args.out / "survival.png", y, risks, scores)


def require(*modules: str) -> None:
    """Stop with the command that installs what is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        packages = {"keras_masked": ".", "sksurv": "scikit-survival"}
        names = " ".join(packages.get(name, name) for name in missing)
        raise SystemExit(
            f"This example needs {', '.join(missing)}. In the root of the repository, run:\n"
            f"    pip install {names}"
        )


# Data


def load() -> tuple[Array, Array]:
    """Features, and labels `(women, 1, 2)` in years."""
    from sksurv.datasets import load_gbsg2

    import keras_masked as km

    table, outcome = load_gbsg2()
    columns = []
    for name, values in table.items():
        if name == "tgrade":
            columns.append(values.map({"I": 1.0, "II": 2.0, "III": 3.0}))
        elif values.dtype.kind not in "iuf":
            columns.append(values == values.unique()[0])
        elif name in ("pnodes", "progrec", "estrec"):  # over orders of magnitude
            columns.append(np.log1p(values))
        else:
            columns.append(values)
    x = np.stack([np.asarray(column, "float32") for column in columns], axis=1)
    years = outcome["time"][:, None] / YEAR
    return x, km.censored_labels(years, event=outcome["cens"][:, None]).astype("float32")


def until(y: Array, time: float) -> Array:
    """Labels as they were known at a time: whatever came later had not happened yet."""
    later = y[..., :1] > time
    return np.where(later, np.array([time, np.inf], y.dtype), y)


# The four ways. Each returns a function that gives the risk of an event up to each of `TIMES`.


def fit(way: str, x: Array, y: Array, epochs: int, seed: int) -> Any:
    """Fit one of `WAYS`."""
    if way == "Cox, scikit-survival":
        return fit_yardstick(x, y)
    import keras

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    head: Any
    if way == "network, Cox":
        distribution, head, loss = None, keras.layers.Dense(1), km.losses.CoxPartialLikelihood()
    else:
        hazards = km.distributions.DiscreteHazard(EDGES)
        distribution = hazards if way == "network, hazards" else km.distributions.Weibull()
        head = km.layers.DistributionHead(1, distribution)
        head.adapt(y[..., 0])  # about the right scale to start from, whatever is censored
        loss = km.losses.NegativeLogLikelihood(distribution, censored=True)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Dense(
                16, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-2)
            ),
            keras.layers.Dropout(0.3),
            head,
        ]
    )
    # All rows are one batch: the risk sets of Cox's model are those of the data.
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(x, y, batch_size=len(x), epochs=epochs, verbose=0)
    if distribution is None:
        baseline = breslow(y, np.asarray(model.predict(x, verbose=0))[:, 0])
        return lambda x: (
            1 - np.exp(-np.exp(np.asarray(model.predict(x, verbose=0), "float64")) * baseline)
        )

    def risk(x: Array) -> Array:
        parameters = keras.ops.convert_to_tensor(model.predict(x, verbose=0))
        times = [np.full((len(x), 1), time, "float32") for time in TIMES]
        found = [keras.ops.convert_to_numpy(distribution.cdf(t, parameters)) for t in times]
        return np.concatenate(found, axis=1)

    return risk


def fit_yardstick(x: Array, y: Array) -> Any:
    """Cox's model, linear, by scikit-survival."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    times, events = y[:, 0, 0], y[:, 0, 0] == y[:, 0, 1]
    model = CoxPHSurvivalAnalysis(ties="efron").fit(x, Surv.from_arrays(events, times))
    return lambda x: np.array([[1 - f(time) for time in TIMES] for f in
                               model.predict_survival_function(x)])  # fmt: skip


def breslow(y: Array, scores: Array) -> Array:
    """The cumulative baseline hazard up to each of `TIMES` (Breslow 1974)."""
    times, events = y[:, 0, 0], y[:, 0, 0] == y[:, 0, 1]
    hazards = np.exp(scores.astype("float64"))
    steps = np.array([1 / hazards[times >= time].sum() for time in times[events]])
    return np.array([steps[times[events] <= time].sum() for time in TIMES])


# Scores


def judge(train: Array, test: Array, risk: Array) -> Array:
    """Concordance and Brier score at each of `TIMES`."""
    import keras_masked as km

    found = np.empty((2, len(TIMES)))
    for k, time in enumerate(TIMES):
        concordance = km.metrics.ConcordanceIndex(capacity=1000)
        concordance.update_state(until(test, time), risk[:, k : k + 1])
        # A distribution of which survival up to this time is what was predicted, and no more.
        brier = km.metrics.BrierScoreAt(km.distributions.Exponential(), time)
        brier.adapt(train)
        survival = np.clip(1.0 - risk[:, k], 1e-6, 1 - 1e-6)
        rate = np.log(-np.log(survival) / time)
        brier.update_state(test, rate[:, None, None].astype("float32"))
        found[:, k] = float(concordance.result()), float(brier.result())
    return found


def had_event(y: Array, time: float) -> float:
    """Kaplan and Meier's estimate of the share with an event up to a time."""
    times, events = y[:, 0, 0], y[:, 0, 0] == y[:, 0, 1]
    left = 1.0
    for at in np.unique(times[events & (times <= time)]):
        left *= 1 - np.sum(events & (times == at)) / np.sum(times >= at)
    return 1 - left


def table(scores: dict[str, Array]) -> str:
    """One line per way."""
    years = "".join(f"{time:>8g} y" for time in TIMES)
    lines = [f"\n{'':<22}{'concordance':>20}{'Brier score':>30}", f"{'':<22}{years}{years}"]
    for way, values in scores.items():
        means = values.mean(axis=0).reshape(-1)
        lines.append(f"{way:<22}" + "".join(f"{mean:>10.3f}" for mean in means))
    return "\n".join([*lines, ""])


def draw(path: Path, y: Array, risks: dict[str, Array], scores: dict[str, Array]) -> None:
    """Calibration at each of `TIMES` in thirds of the predicted risk, and scores beside it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), dpi=90, layout="constrained")
    axes = figure.subplots(1, len(TIMES) + 1, width_ratios=[1] * len(TIMES) + [1.25])
    for k, time in enumerate(TIMES):
        axis = axes[k]
        axis.plot([0, 1], [0, 1], color="#bdbdbd", linewidth=1)
        for (way, color), marker in zip(WAYS.items(), "osD^", strict=True):
            risk = risks[way][:, k]
            third = np.argsort(np.argsort(risk)) * 3 // len(risk)
            points = [(risk[third == j].mean(), had_event(y[third == j], time)) for j in range(3)]
            axis.plot(*zip(*points, strict=True), marker=marker, color=color, label=way)
        top = (0.25, 0.75, 0.9)[k]
        axis.set(xlim=(0, top), ylim=(0, top), aspect="equal", xlabel="predicted")
        axis.set_title(f"recurrence within {time:g} year{'s' * (time > 1)}", fontsize=11)
    axes[0].set_ylabel("observed (Kaplan-Meier)")
    last = axes[-1]
    for j, (way, color) in enumerate(WAYS.items()):
        each = scores[way][:, 0]
        mean, error = each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(len(each))
        places = np.arange(len(TIMES)) + 0.12 * (j - 1.5)
        last.errorbar(places, mean, error, fmt="osD^"[j], color=color, label=way)
    last.set_xticks(range(len(TIMES)), [f"{time:g} y" for time in TIMES])
    last.set(ylim=(0.5, 0.9))
    last.set_title("concordance, mean over folds", fontsize=11)
    last.legend(loc="upper right", frameon=False, fontsize=8)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Four ways to learn from 686 women, of whom 56 % had no recurrence yet")
    figure.savefig(path)
    print(f"Drawn: {path}")


if __name__ == "__main__":
    main()
