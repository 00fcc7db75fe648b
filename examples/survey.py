"""Measure stars from spectra, with error bars that hold, from a catalogue with -9999 in its gaps.

A network predicts five labels of each star, and how uncertain it is of each: a mean and a
log-variance in the label's own units. The labels of the catalogue have known errors, which differ
from star to star, and a third of them are missing. `NegativeLogLikelihood` takes labels and errors
as they stand in the catalogue, (stars, 5, 2), and learns the scatter that the errors do not
explain: what a spectrum cannot tell at its noise.

    python examples/survey.py [--backend jax|tensorflow|torch] [--epochs N] [--seed S] [--out DIR]

Data: simulated, here; these are no real stars, and lines are where chance put them. What is like a
survey in the H band: giants and dwarfs with correlated labels; lines of iron, magnesium, silicon,
hydrogen, molecules and other elements, which depend on temperature, gravity and abundance and
saturate; turbulence and rotation that blur them; velocities and continua that are a little off;
noise that differs from star to star. Labels come from another, sharper instrument, with noise of
their own. They are missing as in a survey, not at random: abundances of hot, metal-poor and faint
stars most of all, and a few stars have no labels.

Scores, on stars that neither training nor the choice of the epoch has seen: mean absolute error,
the share of labels in intervals that should hold 90 %, and the scatter of z, the residuals in units
of the predicted scatter, sqrt(exp(s) + error^2): 1 if the error bars are right. As the data are
simulated, z is known of the true labels, too: a score that no real survey can give.
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

LABELS = ["teff", "logg", "fe_h", "mg_fe", "si_fe"]
TITLES = ["effective temperature", "surface gravity", "[Fe/H]", "[Mg/Fe]", "[Si/Fe]"]
UNITS = ["K", "dex", "dex", "dex", "dex"]
ERRORS = [25.0, 0.06, 0.02, 0.025, 0.03]  # of a typical label
MISSING = -9999.0
CASES = {"train": 32000, "validation": 3000, "test": 4000}
PIXELS, FIRST, STEP = 400, 15700.0, 0.35  # wavelengths in Angstrom
MARGIN = 20  # pixels on both sides that are simulated and not seen
SPECIES = {"fe": 45, "mg": 8, "si": 12, "other": 40, "molecules": 50, "hydrogen": 1}  # lines
BATCH = 256
LEVEL = 0.9
DARK, LIGHT, ORANGE, GREY = "#0067b1", "#b3d4ee", "#e08a00", "#6b6b6b"


class Stars(NamedTuple):
    """Spectra and S/N, labels with errors, and true labels."""

    x: Array
    y: Array
    truth: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="Labels of stars, with error bars that hold.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--epochs", type=int, default=20, help="at most, default 20")
    parser.add_argument("--seed", type=int, default=0, help="of data and weights, default 0")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for picture and model")
    args = parser.parse_args()
    if args.epochs < 1:
        parser.error("--epochs must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # arrays are small: more threads only wait
    require("keras", "keras_masked", "matplotlib", backend)
    logging.getLogger("tensorflow").setLevel("ERROR")
    import keras

    stars = {
        part: simulate(count, np.random.default_rng([args.seed, k]))
        for k, (part, count) in enumerate(CASES.items())
    }
    unknown = stars["train"].y[..., 0] == MISSING
    print(
        f"{sum(CASES.values()):,} stars, {len(LABELS)} labels each, {unknown.mean():.0%} missing; "
        f"{unknown.any(1).mean():.0%} of the stars lack some, {unknown.all(1).mean():.0%} all.\n"
        f"Training for up to {args.epochs} epochs on {backend}:"
    )
    progress = keras.utils.Progbar(args.epochs, unit_name="epoch", stateful_metrics=["val_loss"])
    model, best = train(stars["train"], stars["validation"], args.epochs, args.seed, progress)
    print(f"\nKept: epoch {best}, the best on validation stars.")
    args.out.mkdir(parents=True, exist_ok=True)
    loaded = save_and_load(model, stars["test"], args.out / "survey.keras")
    scores, prediction = evaluate(loaded, stars["test"]), predict(loaded, stars["test"].x)
    print(table(scores), against_truth(stars["test"], prediction), sep="\n")
    draw(args.out / "survey.png", stars["test"], prediction, scores)


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


def simulate(count: int, rng: np.random.Generator) -> Stars:
    """Draw stars, observe their spectra, and look them up in a catalogue with gaps."""
    truth = draw_labels(count, rng)
    signal_to_noise = np.clip(np.exp(rng.normal(np.log(50.0), 0.5, count)), 12.0, 250.0)
    flux = spectra(truth, rng)
    flux += rng.normal(size=flux.shape) / signal_to_noise[:, None]
    x = np.column_stack([flux, np.log10(signal_to_noise)])
    # Faint stars have larger errors there, too, and each label of a star its own.
    errors = ERRORS * (0.5 + 25.0 / signal_to_noise[:, None])
    errors = errors * np.exp(rng.normal(0.0, 0.3, truth.shape))
    y = np.stack([truth + errors * rng.normal(size=truth.shape), errors], axis=-1)
    y[gaps(truth, signal_to_noise, rng)] = MISSING  # labels and errors
    return Stars(*(a.astype("float32") for a in (x, y, truth)))


def draw_labels(count: int, rng: np.random.Generator) -> Array:
    """True labels: metal-poor stars are rich in magnesium and silicon, cool giants are large."""
    halo = rng.random(count) < 0.15
    fe_h = np.where(halo, rng.normal(-1.0, 0.4, count), rng.normal(-0.1, 0.22, count))
    fe_h = np.clip(fe_h, -2.2, 0.5)
    mg_fe = np.clip(0.04 - 0.3 * fe_h, -0.05, 0.35) + rng.normal(0.0, 0.07, count)
    si_fe = 0.7 * mg_fe + rng.normal(0.0, 0.05, count)
    giant = halo | (rng.random(count) < 0.65)  # the halo is far: what is seen of it is bright
    teff = np.where(giant, rng.uniform(3800, 5200, count), rng.uniform(4400, 6400, count))
    branch = 0.4 + 3.0 * (teff - 3800) / 1400 + 0.5 * fe_h  # metal-poor giants are warmer
    main_sequence = 4.65 - 0.25 * np.maximum(teff - 5200, 0.0) / 600
    logg = np.where(giant, branch, main_sequence)
    logg = np.clip(logg + np.where(giant, 0.2, 0.08) * rng.normal(size=count), 0.0, 5.0)
    return np.stack([teff, logg, fe_h, mg_fe, si_fe], axis=1)


def spectra(truth: Array, rng: np.random.Generator) -> Array:
    """Normalised spectra without noise: optical depths of lines add up, and light decays in them.

    The lines are the same for all stars, and so in all parts of the data; what blurs, shifts and
    tilts a spectrum, and the abundances of elements that no label tells of, are each star's own.
    """
    species, strength, excitation, gravity, profile = line_list(np.random.default_rng(1))
    teff, logg, fe_h, mg_fe, si_fe = truth.T
    count = len(truth)
    other, carbon = rng.normal(0.0, 0.1, (2, count))
    metals = [fe_h, fe_h + mg_fe, fe_h + si_fe, fe_h + 0.5 * mg_fe + other]
    abundance = np.stack([*metals, 1.4 * fe_h + carbon, np.zeros(count)], axis=1)[:, species]
    depth = strength + abundance + gravity * (logg - 2.5)[:, None]
    depth = depth - excitation * (5040.0 / teff - 1.05)[:, None]
    flux = np.exp(-(10.0**depth @ profile))
    width = 0.7 + 0.3 * np.exp(rng.normal(0.0, 0.5, count)) * (1.0 + (logg > 4.0))
    shift = rng.normal(0.0, 0.15, count)  # pixels
    wave = 2.0 * np.pi * np.fft.rfftfreq(flux.shape[1])
    response = np.exp(-0.5 * (width[:, None] * wave) ** 2 - 1j * shift[:, None] * wave)
    flux = np.fft.irfft(np.fft.rfft(flux) * response, n=flux.shape[1])[:, MARGIN:-MARGIN]
    place = np.linspace(-1.0, 1.0, PIXELS)
    bend = rng.normal(0.0, 0.006, (count, 3)) @ np.stack([place**0, place, place**2])
    return flux * (1.0 + bend)


def line_list(rng: np.random.Generator) -> tuple[Array, ...]:
    """Species, log-strengths, how these go with temperature and gravity, and profiles."""
    species = np.repeat(np.arange(len(SPECIES)), list(SPECIES.values()))
    names = np.array(list(SPECIES))[species]
    count = len(species)
    strength = rng.normal(-0.95, 0.45, count) + 0.4 * (names == "mg")
    excitation = rng.uniform(-1.2, 1.6, count)
    excitation[names == "molecules"] = -3.0  # they are torn apart where it is hot
    excitation[names == "hydrogen"] = 3.5
    gravity = rng.uniform(-0.25, 0.15, count)
    core = np.where(names == "hydrogen", 10.0, 0.9)
    place = rng.uniform(0, PIXELS + 2 * MARGIN, count)
    away = np.abs(np.arange(PIXELS + 2 * MARGIN) - place[:, None]) / core[:, None]
    profile = 0.85 * np.exp(-0.5 * away**2) + 0.15 / (1.0 + away**2)  # near to Voigt's
    return species, strength, excitation, gravity, profile


def gaps(truth: Array, signal_to_noise: Array, rng: np.random.Generator) -> Array:
    """What the catalogue lacks: lines must be strong and noise weak for an abundance."""
    teff, _, fe_h, *_ = truth.T
    hard = (teff - 5000) / 700 - fe_h / 0.6 - 2.0 * np.log10(signal_to_noise / 50)
    ease = np.array([[3.0, 2.2, 1.0, 0.3, 0.6]])  # by label
    chance = 1.0 / (1.0 + np.exp(ease - [[0.3, 0.5, 1.0, 1.0, 1.0]] * hard[:, None]))
    missing = rng.random(truth.shape) < chance
    missing[rng.random(len(truth)) < 0.03] = True  # not in the catalogue
    return missing


# Training


def train(part: Stars, validation: Stars, epochs: int, seed: int, bar: Any) -> tuple[Any, int]:
    """Fit, and go back to the epoch that was best on the validation stars; its number, from 1."""
    import keras

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    model = network(part)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * -(-len(part.x) // BATCH))
    model.compile(
        # Much decay: a network that knows its training stars by heart is too sure of others.
        keras.optimizers.AdamW(rate, weight_decay=1.0),
        loss=km.losses.NegativeLogLikelihood(missing=MISSING),
        metrics=metrics(),
    )
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    show = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: bar.update(epoch + 1, [("val_loss", logs["val_loss"])])
    )
    fit = {"batch_size": BATCH, "epochs": epochs, "validation_batch_size": 500, "verbose": 0}
    held_out = (validation.x, validation.y)
    history = model.fit(part.x, part.y, validation_data=held_out, callbacks=[stop, show], **fit)
    return model, 1 + int(np.argmin(history.history["val_loss"]))


def metrics() -> list[Any]:
    """All of them take the labels with -9999, as the loss does."""
    from keras_masked import metrics as km

    error = km.MeanAbsoluteError(missing=MISSING, name="mae")
    coverage = km.IntervalCoverage(LEVEL, missing=MISSING, name="coverage")
    scatter = km.StandardizedResidualScatter(missing=MISSING, name="scatter")
    return [
        km.OfMean(km.PerLabel(error, LABELS)),
        coverage,
        km.PerLabel(coverage, LABELS, average=None, name="coverage_of"),
        scatter,
        km.PerLabel(scatter, LABELS, average=None, name="scatter_of"),
    ]


def network(part: Stars) -> Any:
    """Spectrum and S/N in, a mean and a log-variance of each label out, in the label's units.

    No dropout: the noise that it adds in training would be learnt as scatter, and error bars be too
    wide without it.
    """
    import keras
    from keras import layers

    import keras_masked as km

    scale = layers.Normalization()
    scale.adapt(part.x)
    labels = km.layers.LabelNormalization(missing=MISSING, names=LABELS)
    labels.adapt(part.y[..., 0])
    model = keras.Sequential([keras.Input(part.x.shape[1:]), scale])
    model.add(layers.Dense(128, activation="gelu"))
    model.add(layers.Dense(64, activation="gelu"))
    model.add(km.layers.DistributionHead(len(LABELS)))
    model.add(km.layers.LabelDenormalization(labels, "gaussian"))
    return model


def predict(model: Any, x: Array) -> Array:
    return np.asarray(model.predict(x, batch_size=1000, verbose=0))


def save_and_load(model: Any, part: Stars, path: Path) -> Any:
    """The model from its file, with loss and metrics; stops if it computes something else."""
    import keras

    model.save(path)
    loaded = keras.models.load_model(path)
    before, after = predict(model, part.x), predict(loaded, part.x)
    same = np.allclose(before, after, rtol=1e-5, atol=1e-4)
    before, after = evaluate(model, part), evaluate(loaded, part)
    if not same or not all(np.isclose(before[name], after[name], rtol=1e-4) for name in before):
        raise SystemExit(f"{path}: the loaded model differs: {before} became {after}")
    print(f"Saved, and loaded again with its loss and metrics: {path}")
    return loaded


# Scores


def evaluate(model: Any, part: Stars) -> dict[str, float]:
    return model.evaluate(part.x, part.y, batch_size=500, return_dict=True, verbose=0)


def residuals(part: Stars, prediction: Array) -> tuple[Array, Array]:
    """Prediction less label, and the scatter predicted for it; NaN where there is no label."""
    label, error = np.moveaxis(np.where(part.y == MISSING, np.nan, part.y), -1, 0)
    return prediction[..., 0] - label, np.sqrt(np.exp(prediction[..., 1]) + error**2)


def table(scores: dict[str, float]) -> str:
    """One line per label."""
    heads = f"{'mean abs. error':>18}{f'in {LEVEL:.0%} interval':>18}{'scatter of z':>14}"
    lines = [f"\n{'test stars':<24}{heads}"]
    for title, label, unit in zip(TITLES, LABELS, UNITS, strict=True):
        error = f"{scores[f'mae/{label}']:.3g} {unit:<3}"
        coverage, scatter = (scores[f"{name}_of/{label}"] for name in ("coverage", "scatter"))
        lines.append(f"{title:<24}{error:>18}{coverage:>18.3f}{scatter:>14.3f}")
    lines.append(f"{'all':<42}{scores['coverage']:>18.3f}{scores['scatter']:>14.3f}")
    return "\n".join(lines)


def against_truth(part: Stars, prediction: Array) -> str:
    """The scatter of z again, of what the model itself predicts: nothing of the catalogue."""
    z = (prediction[..., 0] - part.truth) / np.exp(prediction[..., 1] / 2)
    unknown = part.y[..., 0] == MISSING
    return (
        f"By the true labels, without the catalogue's errors, it is {z[~unknown].std():.3f} where "
        f"the catalogue\nhas a label, and {z[unknown].std():.3f} where it has none."
    )


# Picture


def draw(path: Path, part: Stars, prediction: Array, scores: dict[str, float]) -> None:
    """What the network sees, how the loss works, and whether the error bars hold."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 10.6), dpi=85, layout="constrained")
    title = f"Labels of simulated stars, {np.mean(part.y[..., 0] == MISSING):.0%} of them missing."
    title += f"\nNew stars' residuals scatter by {scores['scatter']:.2f} times what was predicted"
    figure.suptitle(title, fontsize=15, fontweight="bold")
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[1.1, 1, 0.8])
    left, right = top.subplots(1, 2, width_ratios=[1.7, 1])
    axes = middle.subplots(1, 3)
    draw_spectra(left, part)
    draw_loss(right)
    for axis, label in zip(axes, ("teff", "mg_fe"), strict=False):
        draw_residuals(axis, part, prediction, LABELS.index(label))
    draw_histogram(axes[2], part, prediction)
    bottom.suptitle("Scatter of the residuals, in ten groups by predicted scatter", fontsize=11)
    for k, axis in enumerate(bottom.subplots(1, len(LABELS))):
        draw_calibration(axis, part, prediction, k)
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    print(f"\nDrawn: {path}")


def draw_spectra(axis: Any, part: Stars) -> None:
    """Three stars of the catalogue, with what it says of them."""
    teff, fe_h, noise = part.truth[:, 0], part.truth[:, 2], part.x[:, -1]
    gaps = (part.y[..., 0] == MISSING).sum(axis=1)
    kinds = {
        DARK: (teff < 4500) & (fe_h > 0.0) & (noise > 1.8) & (gaps == 0),
        ORANGE: (np.abs(teff - 4800) < 200) & (noise < 1.5) & (gaps == 2),
        GREY: (teff > 5600) & (gaps == 3),
    }
    wave = FIRST + STEP * np.arange(PIXELS)
    for k, (color, kind) in enumerate(kinds.items()):
        i = int(np.argmax(kind))  # the first of its kind: none is chosen for its looks
        says = [
            f"{name} " + ("−9999" if y == MISSING else f"{y:.{d}f} ± {error:.{d}f}")
            for name, d, (y, error) in zip(LABELS, (0, 2, 2, 2, 2), part.y[i], strict=True)
        ]
        axis.plot(wave, part.x[i, :-1] - 1.2 * k, color=color, lw=0.9)
        note = f"S/N {10 ** noise[i]:.0f}:  " + ",  ".join(says)
        axis.text(wave[0], 1.12 - 1.2 * k, note, color=color, fontsize=8.5)
    axis.set(xlabel="wavelength, Å", ylabel="flux, shifted", xlim=wave[[0, -1]], ylim=(-2.5, 1.3))
    axis.set_title("Three test stars, and what the catalogue says of them", fontsize=11)


def loss_curves(squares: Array, log_variances: Array) -> Array:
    """(y - p)^2 / (2 exp(s)) + s / 2 by the loss itself: one row per squared difference."""
    import keras

    import keras_masked as km

    loss = km.losses.NegativeLogLikelihood(reduction="none")
    means, s = np.broadcast_arrays(np.sqrt(squares)[:, None], log_variances)
    y_pred = np.stack([means, s], axis=-1).reshape(-1, 1, 2)
    values = loss(np.zeros((len(y_pred), 1)), y_pred)
    return keras.ops.convert_to_numpy(values).reshape(means.shape)


def draw_loss(axis: Any) -> None:
    """Why a log-variance that minimises the loss is the log of the squared difference."""
    from matplotlib import colormaps

    squares, s = 10.0 ** np.arange(-2, 3), np.linspace(-7, 7, 281)
    colors = colormaps["viridis"](np.linspace(0.0, 0.9, len(squares)))
    lowest = np.diag(loss_curves(squares, np.log(squares)))
    for k, curve in enumerate(loss_curves(squares, s)):
        axis.plot(s, curve, color=colors[k], label=f"{squares[k]:g}")
        axis.plot(np.log(squares[k]), lowest[k], "o", color=colors[k])
    axis.set(xlabel="predicted log-variance s", ylabel="loss of one label", ylim=(-2.5, 8))
    axis.legend(title="squared difference", fontsize=9, ncols=2, frameon=False, loc="upper right")
    axis.set_title("The loss is least where s = log (y − p)² (dots)", fontsize=11)


def rms(values: Array, groups: list[Array]) -> Array:
    return np.sqrt([np.mean(values[group] ** 2) for group in groups])


def draw_residuals(axis: Any, part: Stars, prediction: Array, k: int) -> None:
    """Against the prediction; against the label, a label's own error would tilt the cloud."""
    residual, scatter = (a[:, k] for a in residuals(part, prediction))
    mean = prediction[:, k, 0]
    known = np.flatnonzero(np.isfinite(residual))
    axis.plot(mean[known], residual[known], ".", color=LIGHT, ms=2.5, zorder=0)
    few = [a[known[:: max(len(known) // 60, 1)]] for a in (mean, residual, scatter)]
    axis.errorbar(*few, fmt="o", ms=3, lw=1, color=DARK, label="some stars")
    groups = np.array_split(known[np.argsort(mean[known])], 12)
    middle, width = [mean[group].mean() for group in groups], rms(scatter, groups)
    axis.plot(middle, width, color=ORANGE, lw=2, label="mean predicted scatter")
    axis.plot(middle, -width, color=ORANGE, lw=2)
    limit = 4.5 * np.median(scatter[known])
    axis.set(xlabel=f"predicted {TITLES[k]}, {UNITS[k]}", ylim=(-limit, 1.3 * limit))
    axis.set_ylabel(f"prediction − label, {UNITS[k]}")
    axis.set_title(f"Residuals: {TITLES[k]}", fontsize=11)
    axis.legend(fontsize=8, frameon=False, loc="upper right", ncols=2)


def draw_histogram(axis: Any, part: Stars, prediction: Array) -> None:
    """All standardised residuals against the normal distribution."""
    residual, scatter = residuals(part, prediction)
    z = (residual / scatter)[np.isfinite(residual)]
    axis.hist(z, np.linspace(-5, 5, 51), density=True, color=LIGHT, label=f"{len(z):,} labels")
    place = np.linspace(-5, 5, 201)
    axis.plot(place, np.exp(-(place**2) / 2) / np.sqrt(2 * np.pi), color="black", label="normal")
    axis.set(xlabel="z = (prediction − label) / predicted scatter", yticks=[])
    axis.set_title(f"Standardised residuals: scatter {z.std():.2f}", fontsize=11)
    axis.legend(fontsize=9, frameon=False)


def draw_calibration(axis: Any, part: Stars, prediction: Array, k: int) -> None:
    """Labels in ten groups by predicted scatter: how much do they scatter?"""
    residual, scatter = (a[:, k] for a in residuals(part, prediction))
    known = np.flatnonzero(np.isfinite(residual))
    groups = np.array_split(known[np.argsort(scatter[known])], 10)
    predicted, actual = rms(scatter, groups), rms(residual, groups)
    uncertain = actual / np.sqrt([2 * len(group) for group in groups])
    ends = [0.0, 1.1 * max(predicted.max(), actual.max())]
    axis.plot(ends, ends, color="black", lw=0.8)
    axis.errorbar(predicted, actual, uncertain, fmt="o", ms=4, lw=1, color=DARK)
    axis.set(xlim=ends, ylim=ends, xlabel=f"predicted scatter, {UNITS[k]}")
    axis.set_title(TITLES[k], fontsize=11)
    axis.set_ylabel("" if k else "actual scatter")


if __name__ == "__main__":
    main()
