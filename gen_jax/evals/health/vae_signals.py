"""What tells how a VAE is doing, beside its bound: measured during training, read by vae_health."""
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from gen_jax.data import batch_of, stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.terms.densities import gaussian_kl
from gen_jax.types import Given, Metric, Source

NEEDS = ("posterior", "sample_prior", "decode", "vector")
METRICS = {
    "active": Metric("share of latents"),
    "logvar_low": Metric("log variance"),
    "logvar_high": Metric("log variance"),
    "kl_most": Metric("nats of one latent"),
    "explained": Metric("share of variance", "higher"),
    "prior_gap": Metric("energy distance, from 0 to 1", "lower"),
    "prior_holes": Metric("distances between codes", "lower"),
    "distance": Metric("relative to reconstructions", of="samples"),
}
MAX_EXAMPLES = 500  # of each split
ACTIVE_VARIANCE = 0.01  # the threshold of Burda et al.
TOLD = 0.01  # nats: a latent with less KL has the prior's codes, and only hides what the others do
RARE = 0.01  # of the examples may have a log variance beyond what is called a latent's lowest and highest


class Coded(NamedTuple):
    """Some examples of a split, with their posteriors and reconstructions."""

    x: np.ndarray  # [N,...]
    given: Given
    mean: np.ndarray  # [N,Z]
    logvar: np.ndarray  # [N,Z]
    decoded: np.ndarray  # [N,...], of the means


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers of at most 500 examples of each split, and as many samples as test examples: the same every time. There
    are none of a single test example.

    active/test: share of latents whose posterior mean varies over examples by more than 0.01 (Burda et al.,
    arXiv:1509.00519).
    logvar_low/test, logvar_high/test: the lowest and the highest log variance of posteriors, of all but 1% of the
    examples, in the latent where that is lowest and highest; the prior's is 0.
    kl_most/test: the mean KL of the latent that has most of it, nats.
    explained/test, explained/train: share of the examples' variance that reconstructions from the posterior means
    explain. It is 0 where the mean training example does as well, and 1 where they are perfect.
    prior_gap/test: how far codes of test examples, drawn from their posteriors, lie from the prior. It is the energy
    distance as a share of its largest value: 0 where the two are the same (Szekely & Rizzo, 2013). Latents whose KL is
    next to nothing are left out.
    prior_holes/test: the distance from a code of the prior to the nearest of these codes, over that from one of these
    codes to the nearest other; medians, in the same latents. It is near 1 where the two are the same, however many
    latents there are, and near 1/s where codes lie in a few clusters of standard deviation s. The energy distance is
    small there if mean and variance are the prior's.
    distance/samples: median distance of a decoded prior code to the nearest training example, as a share of a test
    example's reconstruction's.
    """
    if len(trained.test.x) < 2:
        return
    train, test = (_coded(trained, source) for source in (trained.train, trained.test))
    of_train, of_test = ({"real": len(some.x), "real_split": split}
                         for split, some in (("train", train), ("test", test)))
    for name, value in _of_posteriors(test):
        yield f"{name}/test", Number(value, of_test)
    centre = train.x.mean(0, keepdims=True)
    yield "explained/test", Number(_explained(test, centre), of_test)
    yield "explained/train", Number(_explained(train, centre), of_train)
    noise_key, prior_key = jax.random.split(trained.key("vae_signals"))
    noise = np.asarray(jax.random.normal(noise_key, test.mean.shape))
    codes = test.mean + np.exp(test.logvar / 2) * noise
    prior = trained.sample_prior(prior_key, len(test.x), test.given)
    told = _told(test)
    yield "prior_gap/test", Number(energy(codes[:, told], prior[:, told]), of_test)
    yield "prior_holes/test", Number(holes(codes[:, told], prior[:, told]), of_test)
    of_samples, of_decoded = (_distance(trained, x, train.x)
                              for x in (trained.decode(prior, test.given), test.decoded))
    yield "distance/samples", Number(of_samples / max(of_decoded, 1e-12), of_train | {"fake": len(prior)})


def _of_posteriors(some: Coded) -> Iterator[tuple[str, float]]:
    yield "active", float((some.mean.var(0) > ACTIVE_VARIANCE).mean())
    yield "logvar_low", float(np.quantile(some.logvar, RARE, 0).min())
    yield "logvar_high", float(np.quantile(some.logvar, 1 - RARE, 0).max())
    yield "kl_most", float(_kl(some).max())


def _kl(some: Coded) -> np.ndarray:
    """The mean KL of each latent [Z], nats."""
    return np.asarray(gaussian_kl(some.mean, some.logvar)).mean(0)


def _told(some: Coded) -> np.ndarray:
    """Which latents [Z] tell something; all where none does. One with a KL that is not a number does."""
    told = ~(_kl(some) < TOLD)
    return told if told.any() else ~told


def _coded(trained: Trained, source: Source) -> Coded:
    some = batch_of(source, stratified_rows(source, MAX_EXAMPLES))
    x = np.asarray(trained.spec.kind.to_model(some.x))
    mean, logvar = trained.apply("posterior", x, some.given)
    return Coded(x, some.given, mean, logvar, trained.decode(mean, some.given))


def _explained(some: Coded, centre: np.ndarray) -> float:
    """Of the variance around centre [1,...]."""
    left, of = (np.square(some.x - other).sum(dtype=np.float64) for other in (some.decoded, centre))
    return float(1 - left / max(of, 1e-12))


def _distance(trained: Trained, x: np.ndarray, data: np.ndarray) -> float:
    """The median distance of x [N,...] to the nearest of data [M,...], as their kind has it."""
    return float(np.median(np.sqrt(trained.spec.kind.distances(x, data).min(1))))


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances [N,M] between codes a [N,Z] and b [M,Z]."""
    a, b = np.float64(a), np.float64(b)
    return np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T, 0)


def energy(a: np.ndarray, b: np.ndarray) -> float:
    """The energy distance of codes a, b [N,Z], as a share of the largest that it may be."""
    between, within = np.sqrt(_squares(a, b)).mean(), [_others(x).mean() for x in (a, b)]
    return float(max(1 - sum(within) / (2 * between), 0.0)) if between else 0.0


def _others(x: np.ndarray) -> np.ndarray:
    """Distances [N,N-1] of each of x [N,Z] to the others."""
    return np.sqrt(_squares(x, x))[~np.eye(len(x), dtype=bool)].reshape(len(x), -1)


def holes(codes: np.ndarray, prior: np.ndarray) -> float:
    """The median distance from prior [M,Z] to the nearest of codes [N,Z], over that from codes to the nearest other."""
    nearest = np.sqrt(_squares(prior, codes)).min(1)
    return float(np.median(nearest) / max(np.median(_others(codes).min(1)), 1e-12))
