"""Predict heavy rain, which is rare, from fields of which a quarter of the pixels are missing.

The same convolutional network is trained three ways; only the loss differs:

1. `MeanSquaredError`;
2. `ExponentiallyWeightedMSE`: errors where it rains hard cost more;
3. `FractionsSkillScore` + `MeanSquaredError`: events must be in about the right place, and amounts
   right on average.

    python examples/rain.py [--backend jax|tensorflow|torch] [--epochs N] [--seed S] [--out DIR]

Data: simulated, here. Rain is a random field that is smooth on large scales and rough on small
ones: log-normal where it rains, and nothing below a threshold. The network sees a forecast, coarse
and out of place, and a satellite's view, blurred and noisy. The labels are a radar's: missing out
of its range, behind mountains, and where single measurements failed.

Scores: hit rate, false-alarm ratio, critical success index (CSI) and fractions skill score (FSS)
of rain of 20 mm/h or more, on the observed pixels of fields that no network has seen. A loss that
predicts more rain hits more, and raises more false alarms: the frequency bias says how many events
are predicted for one that happens. To tell skill from such a shift, CSI and FSS are given again
with the threshold for the *predictions* of each network moved to where its bias on the validation
fields is 1.
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

SIZE, CASES = 48, {"train": 640, "validation": 96, "test": 192}
HEAVY, MOST = 20.0, 60.0  # mm/h: what is rare, and what a label of 1 stands for
WINDOW = 5  # pixels, of the fractions skill score
BATCH = 32
WAYS = {
    "MSE": "#8c8c8c",
    "exponentially\nweighted MSE": "#e08a00",
    "FSS + MSE": "#0067b1",
}
SCORES = [
    "hit rate",
    "CSI",
    "FSS",
    "false-alarm ratio",
    "frequency bias",
    "CSI at bias 1",
    "FSS at bias 1",
]


class Fields(NamedTuple):
    """Cases of one part: what the network sees, labels with NaN in the gaps, and the truth."""

    x: Array
    y: Array
    truth: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="Rare events in fields with holes.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--epochs", type=int, default=10, help="epochs per model, default 10")
    parser.add_argument("--seed", type=int, default=0, help="of data and weights, default 0")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for picture and models")
    args = parser.parse_args()
    if args.epochs < 1:
        parser.error("--epochs must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    require("keras", "keras_masked", "matplotlib", backend)
    logging.getLogger("tensorflow").setLevel("ERROR")  # several models trace as often
    import keras

    fields = {
        part: simulate(count, np.random.default_rng([args.seed, k]))
        for k, (part, count) in enumerate(CASES.items())
    }
    y = fields["train"].y
    heavy = np.mean(y[np.isfinite(y)] >= level(HEAVY))
    print(
        f"{sum(CASES.values())} fields of {SIZE} x {SIZE} pixels, {np.isnan(y).mean():.0%} missing;"
        f" {heavy:.1%} of the observed labels are heavy rain.\n"
        f"Training {len(WAYS)} models for {args.epochs} epochs on {backend}:"
    )
    progress = keras.utils.Progbar(len(WAYS) * args.epochs, unit_name="epoch")
    args.out.mkdir(parents=True, exist_ok=True)
    predictions, scores, saved = [], [], []
    for k, way in enumerate(WAYS):
        model = train(way, fields, args.epochs, args.seed, lambda: progress.add(1))
        parts = {name: predict(model, fields[name].x) for name in ("validation", "test")}
        cut = unbiased_threshold(fields["validation"].y, parts["validation"])
        predictions.append(parts["test"])
        scores.append(evaluate(fields["test"].y, parts["test"], cut))
        saved.append(check_saved(model, fields["test"], args.out / f"rain_{k + 1}.keras"))
    print(table(scores), *saved, sep="\n")
    draw(args.out / "rain.png", fields["test"], predictions, scores)


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


def level(rate: Any) -> Any:
    """Labels in [0, 1] of rates in mm/h: logarithmic, 0 where it does not rain."""
    return np.log1p(rate) / np.log1p(MOST)


def simulate(count: int, rng: np.random.Generator, size: int = SIZE) -> Fields:
    """Draw rain, what a forecast and a satellite make of it, and where the radar is blind."""
    margin = 8  # the forecast may come from this far outside
    pattern = noise(rng, count, size + 2 * margin, 1.5)
    pattern = 1.2 * pattern + rng.normal(-0.6, 0.6, (count, 1, 1))
    rate = np.minimum(np.maximum(np.exp(pattern) - 0.8, 0.0) * 2.0, MOST)
    inner = slice(margin, margin + size)
    truth = level(rate[:, inner, inner])

    forecast = np.empty_like(truth)
    for k, (down, right) in enumerate(rng.integers(-4, 5, (count, 2)) + margin):
        forecast[k] = rate[k, down : down + size, right : right + size]
    forecast = level(blocks(forecast, 6) * np.exp(rng.normal(0.0, 0.3, (count, 1, 1))))
    clouds = smooth(pattern, 2.0) + 0.5 * noise(rng, count, size + 2 * margin, 1.0)
    clouds = clouds[:, inner, inner] + rng.normal(0.0, 0.2, truth.shape)
    x = np.stack([forecast, clouds / 2.0], axis=-1)
    y = np.where(radar_sees(rng, count, size), truth, np.nan)
    return Fields(*(a.astype("float32") for a in (x, y[..., None], truth[..., None])))


def noise(rng: np.random.Generator, count: int, size: int, steepness: float) -> Array:
    """Random fields of variance 1 whose amplitudes fall with the wave number's `steepness`."""
    size *= 2  # twice the width, so that opposite edges are not alike
    wave = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)) * size
    amplitude = np.where(wave > 0, np.maximum(wave, 4.0) ** -steepness, 0.0)
    fields = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(count, size, size))) * amplitude)
    return (fields / fields.std())[:, : size // 2, : size // 2]


def smooth(fields: Array, width: float) -> Array:
    """Fields blurred by a Gaussian."""
    size = fields.shape[-1]
    wave = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    response = np.exp(-2.0 * (np.pi * width * wave) ** 2)
    return np.fft.irfft2(np.fft.rfft2(fields) * response, s=(size, size))


def blocks(fields: Array, side: int) -> Array:
    """Fields whose blocks of `side` by `side` pixels have their mean."""
    count, size, _ = fields.shape
    cut = fields.reshape(count, size // side, side, size // side, side)
    return np.broadcast_to(cut.mean((2, 4), keepdims=True), cut.shape).reshape(fields.shape)


def radar_sees(rng: np.random.Generator, count: int, size: int) -> Array:
    """Which pixels are measured: in range of a radar, not behind a mountain, and not failed."""
    rows, columns = np.mgrid[:size, :size]
    seen = rng.random((count, size, size)) > 0.05
    for k in range(count):
        down, right = rng.uniform(0.2, 0.8, 2) * size
        bearing = np.arctan2(rows - down, columns - right)
        distance = np.hypot(rows - down, columns - right)
        seen[k] &= distance < 0.65 * size
        for _ in range(2):
            aside = np.angle(np.exp(1j * (bearing - rng.uniform(-np.pi, np.pi))))
            behind = distance > rng.uniform(0.05, 0.3) * size
            seen[k] &= ~(behind & (np.abs(aside) < rng.uniform(0.08, 0.3)))
    return seen


# Training


def train(way: str, fields: dict[str, Fields], epochs: int, seed: int, step: Any) -> Any:
    """The same network, batches and optimizer for each way; only the loss differs."""
    import keras

    part = fields["train"]
    keras.utils.set_random_seed(seed)
    model = network(part.x.shape[1:])
    steps = -(-len(part.x) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * steps)
    model.compile(keras.optimizers.Adam(rate), **losses(way))
    model.fit(
        part.x,
        {"amounts": part.y, "events": part.y},
        batch_size=BATCH,
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: step())],
        verbose=0,
    )
    return model


def losses(way: str) -> dict[str, Any]:
    """What to hand to `compile`; the outputs are one field under two names, so losses add up."""
    from keras_masked import losses as km

    if way == "FSS + MSE":
        score = km.FractionsSkillScore(window=WINDOW, threshold=level(HEAVY), scale=20.0)
        both = {"amounts": km.MeanSquaredError(), "events": score}
        return {"loss": both, "loss_weights": {"amounts": 1.0, "events": 0.1}}
    amounts = km.MeanSquaredError() if way == "MSE" else km.ExponentiallyWeightedMSE(a=5.0)
    return {"loss": {"amounts": amounts, "events": None}}


def network(shape: tuple[int, ...]) -> Any:
    """A small U-Net: 3 x 3 convolutions, half of them on fields of half the resolution."""
    import keras
    from keras import layers

    def convolve(x: Any, filters: int) -> Any:
        return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)

    inputs = keras.Input(shape)
    fine = convolve(inputs, 12)
    x = layers.AveragePooling2D(2)(fine)
    for filters in (24, 24, 12):
        x = convolve(x, filters)
    x = layers.Add()([layers.UpSampling2D(2, interpolation="bilinear")(x), fine])
    x = layers.Conv2D(1, 3, padding="same")(convolve(x, 12))
    names = ("amounts", "events")
    return keras.Model(inputs, {name: layers.Identity(name=name)(x) for name in names})


def predict(model: Any, x: Array) -> Array:
    return np.asarray(model.predict(x, batch_size=96, verbose=0)["amounts"])


# Scores


def evaluate(y: Array, prediction: Array, cut: float) -> list[float]:
    """The `SCORES`; `cut` is the predicted level that counts as an event where bias is to be 1."""
    from keras_masked import losses as km

    def skill(loss: Any, threshold: float) -> float:
        """One minus a loss of events that either happen or do not."""
        return 1.0 - float(loss(happened(y), (prediction >= threshold).astype("float32")))

    hits, misses, false_alarms = counts(y, prediction)
    csi, fss = km.CriticalSuccessIndex(), km.FractionsSkillScore(window=WINDOW, threshold=None)
    return [
        hits / max(hits + misses, 1.0),
        skill(csi, level(HEAVY)),
        skill(fss, level(HEAVY)),
        false_alarms / max(hits + false_alarms, 1.0),
        (hits + false_alarms) / max(hits + misses, 1.0),
        skill(csi, cut),
        skill(fss, cut),
    ]


def happened(y: Array) -> Array:
    """1 where it rained hard, 0 where it did not, NaN where nobody knows."""
    return np.where(np.isnan(y), np.nan, y >= level(HEAVY))


def counts(y: Array, prediction: Array) -> tuple[float, float, float]:
    """Hits, misses and false alarms among the pixels that are not NaN."""
    import keras_masked as km

    predicted = (prediction >= level(HEAVY)).astype("float32").ravel()
    kinds = (km.metrics.TruePositives, km.metrics.FalseNegatives, km.metrics.FalsePositives)
    found = [kind() for kind in kinds]
    for metric in found:
        metric.update_state(happened(y).ravel(), predicted)
    hits, misses, false_alarms = (float(metric.result()) for metric in found)
    return hits, misses, false_alarms


def unbiased_threshold(y: Array, prediction: Array) -> float:
    """Where as many predictions lie above it as there are events among the labels."""
    observed = np.isfinite(y)
    return float(np.quantile(prediction[observed], np.mean(y[observed] < level(HEAVY))))


def table(scores: list[list[float]]) -> str:
    """One line per score."""
    names = [way.replace("\n", " ") for way in WAYS]
    lines = [
        f"\n\nRain of {HEAVY:g} mm/h or more on the test fields, observed pixels:\n",
        " " * 18 + "".join(f"{name:>28}" for name in names),
    ]
    for name, numbers in zip(SCORES, np.transpose(scores), strict=True):
        lines.append(f"{name:<18}" + "".join(f"{number:>28.3f}" for number in numbers))
    return "\n".join([*lines, ""])


# Picture and saved models


def draw(path: Path, part: Fields, predictions: list[Array], scores: list[list[float]]) -> None:
    """One case above: what the network sees, what is to be predicted, and what is; scores below."""
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.6), dpi=110, layout="constrained")
    figure.suptitle(title(part, scores), fontsize=14, fontweight="bold")
    names = ["forecast", "truth", *WAYS]
    axes = figure.subplot_mosaic([names, ["scores"] * len(names)], height_ratios=[1.25, 1.0])
    events = (part.y >= level(HEAVY)).sum((1, 2, 3))  # NaN is no event
    case = np.argsort(events)[int(0.9 * len(events))]  # much heavy rain, but not the most
    fields = [part.x[case, ..., 0], part.y[case, ..., 0], *(p[case, ..., 0] for p in predictions)]
    titles = ["input: coarse forecast\n(and a satellite)", "radar: what is known", *WAYS]
    colors = ["none", "#dcebf7", "#b3d4ee", "#7fb2dd", "#4684bf", "#2a5a9c", "#f2b134", "#d1495b"]
    rates = [0, 0.5, 1, 2, 5, 10, HEAVY, 2 * HEAVY, MOST]
    scale = BoundaryNorm(rates, len(colors))
    truth = part.truth[case, ..., 0] >= level(HEAVY)
    for name, head, field in zip(names, titles, fields, strict=True):
        axis = axes[name]
        rate = np.clip(np.expm1(field * np.log1p(MOST)), 0, 0.999 * MOST)
        if name == "truth":
            axis.set_facecolor("#bdbdbd")
            rate = np.where(rate < rates[1], np.nan, rate)
            dry = ListedColormap(["white"])
            axis.imshow(np.where(np.isnan(field), np.nan, 0.0), cmap=dry)
        image = axis.imshow(rate, cmap=ListedColormap(colors), norm=scale)
        if name != "forecast":
            axis.contour(truth, [0.5], colors="black", linewidths=0.8)
        axis.set_title(head, fontsize=11, color=WAYS.get(name, "black"))
        axis.set(xticks=[], yticks=[])
    axes["truth"].set_xlabel("grey: missing\noutlined: truly heavy, seen or not", fontsize=9)
    bar = figure.colorbar(image, ax=[axes[name] for name in names], shrink=0.8, ticks=rates)
    bar.set_label("mm/h")
    draw_scores(axes["scores"], scores)
    figure.savefig(path)
    print(f"\nDrawn: {path}")


def title(part: Fields, scores: list[list[float]]) -> str:
    """What the picture shows, in numbers."""
    share = np.mean(part.y[np.isfinite(part.y)] >= level(HEAVY))
    (first, part_of_it), *others = [
        (way.replace("\n", " "), f"{row[0]:.0%}") for way, row in zip(WAYS, scores, strict=True)
    ]
    return (
        f"Heavy rain, {HEAVY:g} mm/h or more, falls on {share:.1%} of the pixels.\n"
        f"{first} finds {part_of_it} of it, " + ", ".join(" ".join(other) for other in others)
    )


def draw_scores(axis: Any, scores: list[list[float]]) -> None:
    """A group of bars for each score but the frequency bias, which is no share."""
    shown = [k for k, name in enumerate(SCORES) if name != "frequency bias"]
    for i, ((way, color), row) in enumerate(zip(WAYS.items(), scores, strict=True)):
        places = np.arange(len(shown)) + 0.27 * (i - 1)
        bias = row[SCORES.index("frequency bias")]
        label = f"{way}, frequency bias {bias:.2f}".replace("\n", " ")
        bars = axis.bar(places, [row[k] for k in shown], 0.25, color=color, label=label)
        axis.bar_label(bars, fmt="%.2f", fontsize=8)
    notes = {"false-alarm ratio": "(lower is better)"}
    notes |= dict.fromkeys(SCORES[-2:], "(threshold moved)")
    names = [f"{SCORES[k]}\n{notes.get(SCORES[k], '')}" for k in shown]
    axis.set_xticks(range(len(shown)), names)
    axis.set(ylim=(0, 1.15), yticks=[0, 0.5, 1])
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(ncols=len(WAYS), loc="upper left", frameon=False, fontsize=9)


def check_saved(model: Any, fields: Fields, path: Path) -> str:
    """Save, load (no custom objects are needed), and compare predictions, losses and options."""
    import keras

    model.save(path)
    loaded = keras.models.load_model(path)
    if not np.allclose(predict(model, fields.x), predict(loaded, fields.x), atol=1e-5):
        raise SystemExit(f"{path}: the loaded model predicts something else")
    y = {"amounts": fields.y, "events": fields.y}
    before, after = (m.evaluate(fields.x, y, batch_size=96, verbose=0) for m in (model, loaded))
    if not np.allclose(before, after, rtol=1e-4):
        raise SystemExit(f"{path}: the loss of the loaded model differs: {before}, {after}")
    kept = [loss for loss in loaded.loss.values() if loss is not None]
    if [loss.get_config() for loss in kept] != [
        loss.get_config() for loss in model.loss.values() if loss is not None
    ]:
        raise SystemExit(f"{path}: the options of a loss were lost")
    return f"Saved and loaded again, with the options of {', '.join(map(describe, kept))}: {path}"


def describe(loss: Any) -> str:
    """The name of a loss and the options that are its own."""
    common = {"name", "reduction", "dtype", "missing", "average", "observed_rate"}
    own = {key: value for key, value in loss.get_config().items() if key not in common}
    options = ", ".join(f"{key}={value:.3g}" for key, value in own.items() if is_number(value))
    return f"{type(loss).__name__}({options})"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


if __name__ == "__main__":
    main()
