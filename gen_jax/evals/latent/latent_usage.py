"""Which latents carry anything: KL of each, and the number of active units."""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import figure
from gen_jax.terms.densities import gaussian_kl
from gen_jax.types import Metric

NEEDS = ("posterior",)
METRICS = {"active_units": Metric("latents", rank=4)}
ACTIVE_VARIANCE = 0.01  # the threshold of Burda et al.


def evaluate(trained: Trained) -> Iterator[Result]:
    """active_units: how many latents' posterior means vary over the test examples by more than 0.01 (Burda, Grosse,
    Salakhutdinov, arXiv:1509.00519, section 5.2). The figure "latent_usage": KL of each latent in nats."""
    mean, logvar = trained.apply("posterior", trained.test_x, trained.test.given)
    active = mean.var(0) > ACTIVE_VARIANCE
    kl = np.asarray(gaussian_kl(mean, logvar)).mean(0)
    yield "active_units", int(active.sum())
    fig, [[axes]] = figure(5, 2.8)
    axes.bar(range(len(kl)), kl, color=np.where(active, "tab:blue", "lightgray"))
    axes.set(title=f"KL of each latent: {kl.sum():.1f} nats in all, {active.sum()} of {len(kl)} units active",
             xlabel="latent", ylabel="nats")
    axes.xaxis.get_major_locator().set_params(integer=True)
    yield "latent_usage", fig
