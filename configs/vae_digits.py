"""The default: a VAE, 64-256-8, on scikit-learn's 8x8 digits, which need no network and no preparation.

python launch.py

0.2 minutes on two CPU cores, 1.2 s of it training. Test loss -25.1 +- 0.7 nats per image: of a density, so it can be
below 0; +- is the standard deviation over 5 seeds.
"""
from configs import base
from gen_jax.evals.latent import concepts, interpolation
from gen_jax.models.vae import mlp_vae
from gen_jax.objectives import elbo
from gen_jax.optimizers import adam

EVALS = ("losses", "vae_health", "elbo", "latent_usage", "log_likelihood", "reconstructions", "samples",
         "latent_scatter", "manifold", "traversals", "interpolation", "concepts", "arithmetic")  # of VAEs


def get_config(variant: str = ""):
    """64-256-8, in seconds on a laptop's CPU; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.model = mlp_vae.hp(widths=(256,), latent_dim=8, kernel_init="he_normal")
    config.objective = elbo.hp(likelihood="gaussian_learned")
    config.optim.vae = adam.hp(lr=2e-3, schedule="cosine")
    config.train.update({"batch_size": 64, "epochs": 150})
    config.checkpoint.update({"every_epochs": 50, "best": "test/loss"})
    config.evals.update({"end": EVALS, "during": ("samples", "vae_signals"), "every_epochs": 10})
    config.evals.interpolation = interpolation.hp(pairs=(0, 1, 2, 3))
    config.evals.concepts = concepts.hp(pairs=("1->0", "thin->bold"))
    return base.variant(config, variant)
