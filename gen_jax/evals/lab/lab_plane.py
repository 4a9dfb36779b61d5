"""The plane of a lab run: samples over the data, the discriminator, its gradients, the generator's action."""
from collections.abc import Iterator

import numpy as np

from gen_jax.data import stratified_rows
from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import figure
from gen_jax.evals.lab._plane import Bounds, bounds, gradients, heat, latent_grid, samples

NEEDS = ("sample_prior", "decode", "kind:points", "vector")
DATA, SAMPLES, ARROWS, HEAT, LATENTS = 2000, 1000, 300, 160, 31


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "lab_plane": samples over the data on D(x); gradients of the generator's loss at samples; where a grid
    of latents goes, if there are two."""
    at, x = bounds(trained), samples(trained, SAMPLES)
    shown, slopes, goes = heat(trained, at, HEAT), gradients(trained, x[:ARROWS]), latent_grid(trained, LATENTS)
    panels = [("samples over the data", lambda axes: _samples(axes, trained, x))]
    if slopes is not None:
        panels.append(("where samples are pushed", lambda axes: _arrows(axes, x[:ARROWS], slopes)))
    if goes is not None:
        panels.append(("where a grid of latents goes", lambda axes: _lines(axes, goes)))
    fig, axes = figure(4.2 * len(panels), 4.4, columns=len(panels))
    for axis, (title, draw) in zip(axes[0], panels, strict=True):
        if shown is not None:
            image = axis.imshow(shown, extent=tuple(at), origin="lower", cmap="PuOr_r", vmin=0, vmax=1, alpha=0.75,
                                interpolation="bilinear")
        draw(axis)
        _frame(axis, at, title)
    if shown is not None:
        fig.colorbar(image, ax=axes[0], shrink=0.8, label="D(x): probability of being real")
    yield "lab_plane", fig


def _samples(axes, trained: Trained, x: np.ndarray) -> None:
    data = trained.train_x[stratified_rows(trained.train, DATA)]
    axes.scatter(*data.T, s=3, color="0.45", linewidths=0, label="data")
    axes.scatter(*x.T, s=5, color="tab:green", linewidths=0, alpha=0.8, label="samples")
    axes.legend(loc="upper right", fontsize=8, markerscale=3, frameon=True)


def _arrows(axes, x: np.ndarray, slopes: np.ndarray) -> None:
    axes.quiver(*x.T, *slopes.T, angles="xy", width=0.004, color="0.15")


def _lines(axes, goes: np.ndarray) -> None:
    for lines in (goes, goes.transpose(1, 0, 2)):
        for line in lines:
            axes.plot(*line.T, color="tab:green", linewidth=0.6, alpha=0.8)


def _frame(axes, at: Bounds, title: str) -> None:
    axes.set(xlim=at[:2], ylim=at[2:], aspect="equal", title=title)
