"""A VQ-VAE (van den Oord et al., arXiv:1711.00937) whose codebook moves by averages, not by gradients."""
import jax
import jax.numpy as jnp

from gen_jax.net import apply
from gen_jax.settings import Setting, Settings, at_least
from gen_jax.terms.densities import bernoulli_nll, sum_features
from gen_jax.types import Aux, Move, Objective

hp = Settings(__name__, {"commitment": Setting(0.25, "weight of the encoder's distance to its codes", at_least(0))})


def build(nets, hp, spec):
    """The objective over nets "enc", "book", "dec". A code is whole numbers [B,4]."""
    def terms(vars, batch, train):
        h, state = apply(nets, "enc", vars, batch.x, given=batch.given, train=train)
        (codes, near), state = apply(nets, "book", vars.replace(state=state), h, given=batch.given, train=train)
        straight = h + jax.lax.stop_gradient(near - h)
        logits, state = apply(nets, "dec", vars.replace(state=state), straight, given=batch.given, train=train)
        recon, apart = bernoulli_nll(logits, batch.x), sum_features(jnp.square(h - jax.lax.stop_gradient(near)))
        return {"loss": recon + hp.commitment * apart, "recon": recon, "apart": apart}, codes, state

    def loss(vars, batch, keys):
        per_example, _, state = terms(vars, batch, True)
        means = {name: values.mean() for name, values in per_example.items()}
        return means["loss"], Aux(means, state)

    def perplexity(vars, batch, key):
        _, codes, _ = terms(vars, batch, False)
        share = jax.nn.one_hot(codes.ravel(), vars.state["book"]["codebook"]["vectors"].shape[0]).mean(0)
        return {"perplexity": jnp.exp(-jnp.where(share > 0, share * jnp.log(share + 1e-9), 0).sum())}

    def encode(vars, x, given):
        h, _ = apply(nets, "enc", vars, x, given=given, train=False)
        return apply(nets, "book", vars, h, given=given, train=False)[0][0]

    def decode(vars, codes, given):
        h, _ = apply(nets, "book", vars, codes, given=given, train=False, method="look_up")
        return jax.nn.sigmoid(apply(nets, "dec", vars, h, given=given, train=False)[0])

    def sample_prior(vars, key, num, given):
        return jax.random.randint(key, (num, 4), 0, vars.state["book"]["codebook"]["vectors"].shape[0])
    return Objective(nets, {"vq": ("enc", "dec", "book")}, (Move("vq", loss),), lambda vars, batch, keys:
                     terms(vars, batch, False)[0], {"encode": encode, "decode": decode, "sample_prior": sample_prior},
                     measure_batch=perplexity)
