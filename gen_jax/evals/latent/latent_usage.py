"""Which latents carry anything: KL of each, and the number of active units."""
from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from gen_jax.evals import Number, Result, Trained
from gen_jax.evals._draw import log_scale
from gen_jax.style import BLUE, GREY, PALE, figure
from gen_jax.terms.densities import gaussian_kl
from gen_jax.types import Metric

NEEDS = ("posterior",)
METRICS = {"active_units": Metric("latents", rank=4)}
ACTIVE_VARIANCE = 0.01  # the threshold of Burda et al.
MOST_NAMED = 20  # latents with their number below their bar


def evaluate(trained: Trained) -> Iterator[Result]:
    """active_units: how many latents' posterior means vary over the test examples by more than 0.01 (Burda, Grosse,
    Salakhutdinov, arXiv:1509.00519, section 5.2). The figure "latent_usage": of each latent
    the KL in nats, the largest first, and that variance beside the threshold."""
    mean, logvar = trained.apply("posterior", trained.test_x, trained.test.given)
    variance = mean.var(0)
    active = variance > ACTIVE_VARIANCE
    kl = np.asarray(gaussian_kl(mean, logvar)).mean(0)
    yield "active_units", Number(int(active.sum()), {"real": len(mean), "real_split": "test"})
    yield "latent_usage", _figure(kl, variance, active)


def _figure(kl: np.ndarray, variance: np.ndarray, active: np.ndarray) -> Figure:
    fig, axes = figure(4.6, rows=2, width=6.3, sharex=True)
    order, places = np.argsort(-kl), np.arange(len(kl))
    colors = np.where(active[order], BLUE, PALE)
    axes[0, 0].bar(places, kl[order], color=colors)
    axes[0, 0].set(title=f"KL of each latent: {kl.sum():.1f} nats in all", ylabel="KL, nats")
    axes[1, 0].bar(places, variance[order], color=colors)
    log_scale(axes[1, 0])
    axes[1, 0].axhline(ACTIVE_VARIANCE, color=GREY, linestyle="--")
    axes[1, 0].set(title=f"{active.sum()} of {len(kl)} latents are active (above {ACTIVE_VARIANCE}, the dashed line)",
                   ylim=(ACTIVE_VARIANCE / 100, None), ylabel="variance of the\nposterior mean")
    if len(kl) <= MOST_NAMED:
        axes[1, 0].set_xticks(places, order)
        axes[1, 0].set_xlabel("latent, the largest KL first")
    else:
        axes[1, 0].xaxis.get_major_locator().set_params(integer=True)
        axes[1, 0].set_xlabel("rank of the latent by its KL")
    return fig
