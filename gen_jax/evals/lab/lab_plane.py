"""The plane of a lab run: samples over the data, the discriminator, its gradients, the generator's action."""
from collections.abc import Iterator

import numpy as np

from gen_jax.data import stratified_rows
from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import about, legend_below
from gen_jax.evals.lab._plane import Bounds, bounds, gives_probability, gradients, heat, latent_grid, samples
from gen_jax.style import BLACK, BLUE, DIVERGING, GREY, WIDTH, figure

NEEDS = ("sample_prior", "decode", "kind:points", "vector")
DATA, SAMPLES, ARROWS, HEAT, LATENTS = 2000, 1000, 300, 160, 31


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "lab_plane": samples over the data on D(x); gradients of the generator's loss at samples; where a grid
    of latents goes, if there are two."""
    at, x = bounds(trained), samples(trained, SAMPLES)
    shown, slopes, goes = heat(trained, at, HEAT), gradients(trained, x[:ARROWS]), latent_grid(trained, LATENTS)
    panels = [("samples\nover the data", lambda axes: _samples(axes, trained, x))]
    if slopes is not None:
        panels.append(("where samples\nare pushed", lambda axes: _arrows(axes, x[:ARROWS], slopes)))
    if goes is not None:
        panels.append(("where a grid\nof latents goes", lambda axes: _lines(axes, goes)))
    fig, axes = figure(1.7 + WIDTH / len(panels), columns=len(panels), sharey=True)
    for axis, (title, draw) in zip(axes[0], panels, strict=True):
        if shown is not None:
            image = axis.imshow(shown, extent=tuple(at), origin="lower", cmap=DIVERGING, vmin=0, vmax=1, alpha=0.75,
                                interpolation="bilinear")
        draw(axis)
        _frame(axis, at, title)
    if shown is not None:
        fig.colorbar(image, ax=axes[0], location="bottom", shrink=0.6, aspect=40, label=_meaning(trained))
    axes[0, 0].set_ylabel("x₂")
    legend_below(axes[0, 0])
    fig.suptitle(about(trained))
    yield "lab_plane", fig


def _meaning(trained: Trained) -> str:
    """What the discriminator's colours are."""
    if gives_probability(trained):
        return "D(x): probability of being real"
    return "the critic's logit above its median, through a sigmoid"


def _samples(axes, trained: Trained, x: np.ndarray) -> None:
    data = trained.train_x[stratified_rows(trained.train, DATA)]
    axes.scatter(*data.T, s=3, color=GREY, linewidths=0, label="data")
    axes.scatter(*x.T, s=6, color=BLUE, linewidths=0, alpha=0.8, label="samples")


def _arrows(axes, x: np.ndarray, slopes: np.ndarray) -> None:
    axes.quiver(*x.T, *slopes.T, angles="xy", width=0.004, color=BLACK)


def _lines(axes, goes: np.ndarray) -> None:
    for lines in (goes, goes.transpose(1, 0, 2)):
        for line in lines:
            axes.plot(*line.T, color=BLUE, linestyle="-", linewidth=0.6, alpha=0.8)


def _frame(axes, at: Bounds, title: str) -> None:
    axes.set(xlim=at[:2], ylim=at[2:], aspect="equal", title=title, xlabel="x₁")
