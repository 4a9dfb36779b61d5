"""Reconstruction alone: the game of one player, an autoencoder (Hinton & Salakhutdinov, Science 2006).

loss = recon = -log p(x|z) at z = enc(x), in nats per image, with the likelihoods of the VAE, so that the two compare.
One move, of the player "ae", who owns every net; it draws noise only for binarised targets.
"""
from collections.abc import Mapping

from ml_collections import ConfigDict

from gen_jax import images
from gen_jax.models.net import Net, apply
from gen_jax.objectives import likelihood, terms
from gen_jax.objectives.objective import Aux, Batch, Move, Objective


def build(nets: Mapping[str, Net], hp: ConfigDict) -> Objective:
    """The objective over nets "enc": x -> z and "dec": z -> output. hp: likelihood, scale (see likelihood.py).

    predict: encode (x -> z), decode (z -> image in [0,1]); x: [B,H,W,C] in [0,1]. There is no prior to sample from.
    """
    pixel = likelihood.build(hp)
    nets = {**nets, **pixel.nets}

    def recon(params, stats, x, key, train):
        target = terms.bernoulli(key, x) if pixel.binarize else x
        z, stats = apply(nets, "enc", params, stats, target, train=train)
        output, stats = apply(nets, "dec", params, stats, z, train=train)
        return pixel.nll(params, output, target), stats

    def loss(params, stats, batch: Batch, keys):
        per_image, stats = recon(params, stats, images.to_unit(batch.pixels), keys.move, train=True)
        mean = per_image.mean()
        return mean, Aux({"loss": mean, "recon": mean}, stats)

    def measure(params, stats, batch: Batch, keys):
        per_image, _ = recon(params, stats, images.to_unit(batch.pixels), keys, train=False)
        return {"loss": per_image, "recon": per_image}

    def encode(params, stats, x):
        return apply(nets, "enc", params, stats, x, train=False)[0]

    def decode(params, stats, z):
        return pixel.mean(apply(nets, "dec", params, stats, z, train=False)[0])

    return Objective(nets=nets, owns={"ae": tuple(nets)}, moves=(Move("ae", loss),), measure=measure,
                     predict={"encode": encode, "decode": decode})


faults = likelihood.faults
