"""The evidence lower bound: the game of one player, a VAE.

loss = recon + beta * kl, with recon = -log p(x|z), z ~ q(z|x) = N(mean, exp(logvar)), and kl = KL(q(z|x) || N(0, I)),
all in nats per example; at beta = 1 it is -ELBO, a bound on -log p(x) (Kingma & Welling, arXiv:1312.6114). Other
betas are those of Higgins et al., "beta-VAE", ICLR 2017. Their losses do not compare with each other; neg_elbo = recon
+ kl, which is logged beside them, does. One move, of the player "vae", who owns every net; its noise, for z and for
binarised targets, is its own. BatchNorm, where a model has it, sees the batch. Nets that take a "label" get the
batch's: that is a conditional VAE (Sohn, Lee & Yan, NeurIPS 2015). With hp.augment, the loss is of images that are
changed at random, and `measure` is of the images as they are.

The stretches of the bound are functions here, for objectives that build on them.
"""
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax.net import apply
from gen_jax.settings import Setting, Settings, at_least
from gen_jax.terms import augment as augmentation
from gen_jax.terms import densities, likelihood, noise
from gen_jax.terms.likelihood import Likelihood
from gen_jax.types import Aux, Batch, Given, Metric, Move, MoveKeys, Net, Objective, PyTree, Spec, Vars

METRICS = {
    "neg_elbo": Metric("nats per example", "lower", rank=1, depends=("likelihood",)),
    "recon": Metric("nats per example", "lower", rank=3, depends=("likelihood",)),
    "kl": Metric("nats per example", rank=3),
    "loss": Metric("nats per example, the KL times beta", "lower", depends=("likelihood", "beta")),
}

hp = Settings(__name__, {
    **likelihood.SETTINGS,
    "beta": Setting(1.0, "weight of the KL term", at_least(0)),
    "augment": augmentation.SETTING,
})


class Draw(NamedTuple):
    """One sample of the posterior of each example of a batch, and what it explains."""

    recon: jax.Array  # [B], -log p(x|z), nats
    mean: jax.Array  # [B,Z]
    logvar: jax.Array  # [B,Z]
    z: jax.Array  # [B,Z]
    state: dict[str, PyTree]  # of all nets afterwards


def target_of(like: Likelihood, x: jax.Array, key: jax.Array) -> jax.Array:
    """What is modelled of x [B,...]: x itself, or drawn 0 or 1 where the likelihood is binarised."""
    return noise.bernoulli(key, x) if like.binarize else x


def draw(nets: Mapping[str, Net], like: Likelihood, vars: Vars, target: jax.Array, given: Given, key: jax.Array,
         train: bool) -> Draw:
    """A sample of q(z|target), and target's reconstruction from it. key: one for the batch, or key[B]."""
    (mean, logvar), state = apply(nets, "enc", vars, target, given=given, train=train)
    z = noise.reparameterise(mean, logvar, noise.normal(key, *mean.shape))
    output, state = apply(nets, "dec", vars.replace(state=state), z, given=given, train=train)
    return Draw(like.nll(vars, output, target), mean, logvar, z, state)


def log_weight(of: Draw) -> jax.Array:
    """log p(x, z) - log q(z|x) [B]: the log of one importance weight of p(x), with the prior N(0, I)."""
    log_prior = densities.gaussian_logpdf(of.z, jnp.zeros_like(of.z), jnp.zeros_like(of.z))
    return -of.recon + log_prior - densities.gaussian_logpdf(of.z, of.mean, of.logvar)


def build(nets: Mapping[str, Net], hp: ConfigDict, spec: Spec) -> Objective:
    """The objective over nets "enc": x -> (mean, logvar) and "dec": z -> output.

    predict: see evals/_trained.py; and posterior (x -> mean, logvar), target (x, key -> what is modelled of x),
    log_weight (target, given, key -> [B]), output (z -> what the decoder gives), nll (output, x -> -log p(x|z) [B]).
    """
    like, augment = likelihood.build(hp, spec.kind), augmentation.chain_of_model(hp.augment, spec)
    nets = {**nets, **like.nets}

    def bound(vars: Vars, batch: Batch, key: jax.Array, train: bool):
        target_key, z_key = noise.split(key) if like.binarize else (key, key)  # only binarising draws from the first
        sample = draw(nets, like, vars, target_of(like, batch.x, target_key), batch.given, z_key, train)
        kl = densities.gaussian_kl(sample.mean, sample.logvar).sum(-1)
        terms = {"loss": sample.recon + hp.beta * kl, "recon": sample.recon, "kl": kl}
        return terms if hp.beta == 1 else terms | {"neg_elbo": sample.recon + kl}, sample.state

    def loss(vars: Vars, batch: Batch, keys: MoveKeys):
        key = keys.move
        if hp.augment:
            key, augment_key = noise.split(key)
            batch = batch._replace(x=augment(batch.x, augment_key))
        per_example, state = bound(vars, batch, key, train=True)
        means = {name: term.mean() for name, term in per_example.items()}
        return means["loss"], Aux(means, state)

    def measure(vars: Vars, batch: Batch, keys: jax.Array):
        terms = bound(vars, batch, keys, train=False)[0]
        return {**terms, "neg_elbo": terms["recon"] + terms["kl"]}

    def posterior(vars: Vars, x: jax.Array, given: Given):
        return apply(nets, "enc", vars, x, given=given, train=False)[0]

    def output(vars: Vars, z: jax.Array, given: Given):
        return apply(nets, "dec", vars, z, given=given, train=False)[0]

    def decode(vars: Vars, z: jax.Array, given: Given):
        return like.mean(output(vars, z, given))

    def sample_prior(vars: Vars, key: jax.Array, num: int, given: Given):
        return noise.normal(key, num, *nets["dec"].inputs[0].shape[1:])

    return Objective(
        nets=nets, owns={"vae": tuple(nets)}, moves=(Move("vae", loss),), measure=measure,
        predict={"encode": lambda *args: posterior(*args)[0], "posterior": posterior, "decode": decode,
                 "sample_prior": sample_prior, "output": output, "nll": like.nll,
                 "target": lambda vars, x, key: target_of(like, x, key),
                 "log_weight": lambda vars, target, given, key: log_weight(
                     draw(nets, like, vars, target, given, key, train=False))})
