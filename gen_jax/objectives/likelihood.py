"""p(x|z) of the decoder's output: the reconstruction terms that the autoencoding objectives share."""
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.find import nearest
from gen_jax.models.net import Net, apply
from gen_jax.objectives import terms


class Likelihood(NamedTuple):
    """How the decoder's output is a distribution over images in [0,1]."""

    nets: dict[str, Net]  # nets of its own: {"scale": ...} for a learned Gaussian scale, else {}
    nll: Callable  # (params, output [B,H,W,C], x [B,H,W,C]) -> -log p(x|z) [B], nats
    mean: Callable  # output -> E[x|z] in [0,1]
    binarize: bool  # targets are drawn anew each time, 0 or 1 with the grey value's probability


class Scale(nn.Module):
    """One learned log standard deviation for all pixels (the sigma-VAE of Rybkin et al., arXiv:2006.13202)."""

    @nn.compact
    def __call__(self, train: bool) -> jax.Array:
        return self.param("log_scale", nn.initializers.constant(-1.0), ())


def build(hp: ConfigDict) -> Likelihood:
    """The likelihood that hp names.

    hp: likelihood, one of
      bernoulli: grey values as probabilities, the chapter's cross entropy (data.binarize makes the values 0 or 1),
      binarized: pixels drawn anew at each visit ("dynamic binarisation"; Burda et al., arXiv:1509.00519),
      gaussian: N(output, scale^2) with hp.scale fixed,
      gaussian_learned: the same with one learned scale.
    """
    if hp.likelihood in ("bernoulli", "binarized"):
        return Likelihood({}, lambda params, logits, x: terms.bernoulli_nll(logits, x), jax.nn.sigmoid,
                          hp.likelihood == "binarized")
    clip = lambda output: jnp.clip(output, 0, 1)  # noqa: E731
    if hp.likelihood == "gaussian":
        return Likelihood({}, lambda params, mean, x: terms.gaussian_nll(mean, jnp.float32(math.log(hp.scale)), x),
                          clip, False)
    scale = Net(Scale(), ())

    def nll(params, mean, x):
        log_scale, _ = apply({"scale": scale}, "scale", params, {"scale": {}}, train=False)
        return terms.gaussian_nll(mean, log_scale, x)
    return Likelihood({"scale": scale}, nll, clip, False)


def faults(hp: ConfigDict) -> Iterator[str]:
    """A line for each value of hp out of range."""
    known = ["bernoulli", "binarized", "gaussian", "gaussian_learned"]
    if hp.likelihood not in known:
        yield f"objective.likelihood={hp.likelihood!r}: there is no such likelihood{nearest(hp.likelihood, known)}"
    if hp.scale <= 0:
        yield f"objective.scale={hp.scale}: must be positive"
