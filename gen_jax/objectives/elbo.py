"""The evidence lower bound: the game of one player, a VAE.

loss = recon + beta * kl, with recon = -log p(x|z), z ~ q(z|x) = N(mean, exp(logvar)), and kl = KL(q(z|x) || N(0, I)),
all in nats per image; at beta = 1 it is -ELBO, a bound on -log p(x) (Kingma & Welling, arXiv:1312.6114). Other
betas are those of Higgins et al., "beta-VAE", ICLR 2017. One move, of the player "vae", who owns every net; its noise,
for z and for binarised targets, is its own. BatchNorm, where a model has it, sees the batch.
"""
from collections.abc import Iterator, Mapping

from ml_collections import ConfigDict

from gen_jax import images
from gen_jax.models.net import Net, apply
from gen_jax.objectives import likelihood, terms
from gen_jax.objectives.objective import Aux, Batch, Move, Objective


def build(nets: Mapping[str, Net], hp: ConfigDict) -> Objective:
    """The objective over nets "enc": x -> (mean, logvar) and "dec": z -> output.

    hp: beta, likelihood, scale (see likelihood.py).

    predict: encode (x -> mean), posterior (x -> mean, logvar), decode (z -> image in [0,1]), prior (key, num -> z),
    target (x, key -> what is modelled of x, binarised where the likelihood is), log_weight (target, key -> [B], log of
    one importance weight of p(target)); x: [B,H,W,C] in [0,1], mean, logvar, z: [B,Z].
    """
    pixel = likelihood.build(hp)
    nets = {**nets, **pixel.nets}

    def target(x, key):
        return terms.bernoulli(key, x) if pixel.binarize else x

    def sample(params, stats, target, key, train):
        """Reconstruction, posterior and a sample of it: what bound and importance weight are made of."""
        (mean, logvar), stats = apply(nets, "enc", params, stats, target, train=train)
        z = terms.reparameterise(mean, logvar, terms.normal(key, *mean.shape))
        output, stats = apply(nets, "dec", params, stats, z, train=train)
        return pixel.nll(params, output, target), mean, logvar, z, stats

    def bound(params, stats, x, key, train):
        target_key, z_key = terms.split(key) if pixel.binarize else (key, key)  # only binarising draws from the first
        recon, mean, logvar, _, stats = sample(params, stats, target(x, target_key), z_key, train)
        kl = terms.gaussian_kl(mean, logvar).sum(-1)
        return {"loss": recon + hp.beta * kl, "recon": recon, "kl": kl}, stats

    def loss(params, stats, batch: Batch, keys):
        per_image, stats = bound(params, stats, images.to_unit(batch.pixels), keys.move, train=True)
        means = {name: term.mean() for name, term in per_image.items()}
        return means["loss"], Aux(means, stats)

    def measure(params, stats, batch: Batch, keys):
        return bound(params, stats, images.to_unit(batch.pixels), keys, train=False)[0]

    def log_weight(params, stats, target, key):
        recon, mean, logvar, z, _ = sample(params, stats, target, key, train=False)
        log_prior = terms.gaussian_logpdf(z, 0 * z, 0 * z)
        return -recon + log_prior - terms.gaussian_logpdf(z, mean, logvar)

    def posterior(params, stats, x):
        return apply(nets, "enc", params, stats, x, train=False)[0]

    def decode(params, stats, z):
        return pixel.mean(apply(nets, "dec", params, stats, z, train=False)[0])

    def prior(params, stats, key, num):
        return terms.normal(key, num, *nets["dec"].inputs[0].shape[1:])

    return Objective(
        nets=nets, owns={"vae": tuple(nets)}, moves=(Move("vae", loss),), measure=measure,
        predict={"encode": lambda *args: posterior(*args)[0], "posterior": posterior, "decode": decode, "prior": prior,
                 "target": lambda params, stats, x, key: target(x, key), "log_weight": log_weight})


def faults(hp: ConfigDict) -> Iterator[str]:
    """A line for each value of hp out of range."""
    yield from likelihood.faults(hp)
    if hp.beta < 0:
        yield f"objective.beta={hp.beta}: must be 0 or more"
