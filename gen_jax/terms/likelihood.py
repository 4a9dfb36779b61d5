"""p(x|z) of the decoder's output: the reconstruction terms that the autoencoding objectives share."""
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.net import apply
from gen_jax.settings import POSITIVE, Setting, one_of
from gen_jax.terms import densities
from gen_jax.types import Kind, Net, Vars

NAMES = ("bernoulli", "binarized", "gaussian", "gaussian_learned")
SETTINGS = {  # of the objectives with a likelihood
    "likelihood": Setting("bernoulli", "bernoulli, binarized, gaussian, gaussian_learned: see terms/likelihood.py",
                          one_of(*NAMES)),
    "scale": Setting(0.1, "gaussian: standard deviation of each value of x, pixels being in [0,1]", POSITIVE),
}


class Likelihood(NamedTuple):
    """How the decoder's output is a distribution over x [B,...]."""

    nets: dict[str, Net]  # nets of its own: {"scale": ...} for a learned Gaussian scale, else {}
    nll: Callable  # (vars, output [B,...], x [B,...]) -> -log p(x|z) [B], nats
    mean: Callable  # output -> E[x|z], clipped to the kind's range
    binarize: bool  # targets are drawn anew each time, 0 or 1 with the grey value's probability


class Scale(nn.Module):
    """One learned log standard deviation for all pixels (the sigma-VAE of Rybkin et al., arXiv:2006.13202)."""

    @nn.compact
    def __call__(self, train: bool) -> jax.Array:
        return self.param("log_scale", nn.initializers.constant(-1.0), ())


def build(hp: ConfigDict, kind: Kind) -> Likelihood:
    """The likelihood that hp names, of data of this kind.

    hp: likelihood, one of
      bernoulli: values in [0,1] as probabilities, the chapter's cross entropy (data.binarize makes them 0 or 1),
      binarized: pixels drawn anew at each visit ("dynamic binarisation"; Burda et al., arXiv:1509.00519),
      gaussian: N(output, scale^2) with hp.scale fixed,
      gaussian_learned: the same with one learned scale.
    """
    if hp.likelihood in ("bernoulli", "binarized"):
        if kind.name != "image":
            raise UserError(f"objective.likelihood={hp.likelihood!r}: is of values in [0,1], and the data are "
                            f"{kind.name}; set objective.likelihood to gaussian or gaussian_learned")
        return Likelihood({}, lambda vars, logits, x: densities.bernoulli_nll(logits, x), jax.nn.sigmoid,
                          hp.likelihood == "binarized")
    if hp.likelihood == "gaussian":
        log_scale = jnp.float32(math.log(hp.scale))
        return Likelihood({}, lambda vars, mean, x: densities.gaussian_nll(mean, log_scale, x), kind.clip, False)
    nets = {"scale": Net(Scale(), ())}

    def nll(vars: Vars, mean: jax.Array, x: jax.Array) -> jax.Array:
        log_scale, _ = apply(nets, "scale", vars, given={}, train=False)
        return densities.gaussian_nll(mean, log_scale, x)
    return Likelihood(nets, nll, kind.clip, False)
