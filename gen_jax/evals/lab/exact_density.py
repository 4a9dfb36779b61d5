"""The exact log-density of a VAE with two latents against its bound: the integral over the latents, on a grid."""
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from gen_jax.data import stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals._draw import about
from gen_jax.evals.lab._plane import bounds
from gen_jax.settings import POSITIVE, Setting, Settings, between
from gen_jax.style import BLUE, DENSITY, figure
from gen_jax.types import Metric, Source

NEEDS = ("output", "nll", "log_weight", "target", "kind:points", "vector")
METRICS = {
    "exact/log_px": Metric("nats per example", "higher", rank=2),
    "exact/gap": Metric("nats per example", "lower", rank=3),
    "exact/*": Metric("nats per example"),
}
REACH = 5.5  # standard deviations of the prior that the grid covers, to each side: all but 8e-8 of it
BLOCK = 50  # points at once

hp = Settings(__name__, {
    "side": Setting(400, "points of the grid along each latent", between(4, 4000)),
    "examples": Setting(500, "at most so many test points", POSITIVE),
    "picture": Setting(100, "points along each side of the picture of the density", between(2, 2000)),
}, smoke={"side": 60, "examples": 20, "picture": 20})


def evaluate(trained: Trained) -> Iterator[Result]:
    """exact/log_px: the mean log-density of test points under the model, nats; exact/elbo: the mean of its bound there;
    exact/gap: their difference, which is KL(q(z|x) || p(z|x)); exact/error: how much log_px changes when the grid is
    made half as fine. The figure "exact_density": the density over the plane beside the data."""
    side, rows = trained.hp.exact_density.side, stratified_rows(trained.test, trained.hp.exact_density.examples)
    x, given = trained.test_x[rows], {name: values[rows] for name, values in trained.test.given.items()}
    exact = log_density(trained, x, side).mean()
    bound = _bound(trained, x, given)
    error = abs(exact - log_density(trained, x, side // 2).mean())
    for name, value in (("log_px", exact), ("elbo", bound), ("gap", exact - bound), ("error", error)):
        yield f"exact/{name}", Number(float(value), {"real": len(x), "real_split": "test"})
    yield "exact_density", _figure(trained, exact - bound)


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line where there are other than two latents."""
    if "latent_dim" in config.model and config.model.latent_dim != 2:
        yield f"evals: exact_density integrates over two latents, and model.latent_dim={config.model.latent_dim}"


def log_density(trained: Trained, x: np.ndarray, side: int) -> np.ndarray:
    """log p(x) [N] of x [N,2]: the log of the sum over the grid of N(z; 0, I) p(x|z) dz."""
    steps = np.linspace(-REACH, REACH, side, dtype=np.float32)
    z = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    log_prior = -0.5 * np.square(z).sum(-1) - math.log(2 * math.pi) + 2 * math.log(steps[1] - steps[0])
    given = {name: np.repeat(values[:1], len(z), 0) for name, values in trained.test.given.items()}
    output, nll = jnp.asarray(trained.apply("output", z, given)), trained.objective.predict["nll"]

    @jax.jit
    def block(vars, x):
        def one(x):
            every = jnp.broadcast_to(x, output.shape)
            return jax.nn.logsumexp(jnp.asarray(log_prior, jnp.float32) - nll(vars, output, every))
        return jax.lax.map(one, x)
    return np.concatenate([block(trained.vars, x[i:i + BLOCK]) for i in range(0, len(x), BLOCK)]).astype(np.float64)


def _bound(trained: Trained, x: np.ndarray, given: dict, draws: int = 64) -> float:
    """The mean ELBO of x, by `draws` samples of z each."""
    given = {name: given[name] for name in trained.objective.conditions}

    @jax.jit
    def mean(vars, x, key):
        return jnp.mean(jax.lax.map(lambda k: trained.objective.predict["log_weight"](vars, x, given, k).mean(),
                                    jax.random.split(key, draws)))
    return float(mean(trained.vars, x, trained.key("exact_density")))


def _figure(trained: Trained, gap: float):
    at, side = bounds(trained), trained.hp.exact_density.picture
    x, y = np.meshgrid(np.linspace(at.left, at.right, side), np.linspace(at.bottom, at.top, side))
    density = np.exp(log_density(trained, np.stack([x.ravel(), y.ravel()], -1).astype(np.float32), 150))
    fig, [[left, right]] = figure(3.9, columns=2)
    image = left.imshow(density.reshape(x.shape), extent=tuple(at), origin="lower", cmap=DENSITY)
    left.set(title="the model's density", xlabel="x₁", ylabel="x₂")
    fig.colorbar(image, ax=left, shrink=0.6, label="density, per unit of area")
    points = trained.test_x[:2000]
    right.scatter(*points.T, s=3, color=BLUE, linewidths=0)
    right.set(title=f"{len(points):,} test points", xlim=at[:2], ylim=at[2:], aspect="equal", xlabel="x₁", ylabel="x₂")
    fig.suptitle(f"{about(trained)}\nthe ELBO of test points is {gap:.2f} nats below their log-density")
    return fig
