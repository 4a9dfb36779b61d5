"""Reconstruction alone: the game of one player, an autoencoder (Hinton & Salakhutdinov, Science 2006).

loss = recon = -log p(x|z) at z = enc(x), in nats per example, with the likelihoods of the VAE, so that the two compare.
One move, of the player "ae", who owns every net; it draws noise only for binarised targets.
"""
from collections.abc import Mapping

import jax
from ml_collections import ConfigDict

from gen_jax.net import apply
from gen_jax.objectives.elbo import target_of
from gen_jax.settings import Settings
from gen_jax.terms import likelihood
from gen_jax.types import Aux, Batch, Given, Metric, Move, MoveKeys, Net, Objective, Spec, Vars

METRICS = {"recon": Metric("nats per example", "lower", rank=1, depends=("likelihood",)),
           "loss": Metric("nats per example", "lower", depends=("likelihood",))}

hp = Settings(__name__, likelihood.SETTINGS)


def build(nets: Mapping[str, Net], hp: ConfigDict, spec: Spec) -> Objective:
    """The objective over nets "enc": x -> z and "dec": z -> output.

    predict: encode, decode: see evals/_trained.py. There is no prior to sample from.
    """
    like = likelihood.build(hp, spec.kind)
    nets = {**nets, **like.nets}

    def recon(vars: Vars, batch: Batch, key: jax.Array, train: bool):
        target = target_of(like, batch.x, key)
        z, state = apply(nets, "enc", vars, target, given=batch.given, train=train)
        output, state = apply(nets, "dec", vars.replace(state=state), z, given=batch.given, train=train)
        return like.nll(vars, output, target), state

    def loss(vars: Vars, batch: Batch, keys: MoveKeys):
        per_example, state = recon(vars, batch, keys.move, train=True)
        mean = per_example.mean()
        return mean, Aux({"loss": mean, "recon": mean}, state)

    def measure(vars: Vars, batch: Batch, keys: jax.Array):
        per_example, _ = recon(vars, batch, keys, train=False)
        return {"loss": per_example, "recon": per_example}

    def encode(vars: Vars, x: jax.Array, given: Given):
        return apply(nets, "enc", vars, x, given=given, train=False)[0]

    def decode(vars: Vars, z: jax.Array, given: Given):
        return like.mean(apply(nets, "dec", vars, z, given=given, train=False)[0])

    return Objective(nets=nets, owns={"ae": tuple(nets)}, moves=(Move("ae", loss),), measure=measure,
                     predict={"encode": encode, "decode": decode})
