"""The GAN lab: a VAE on two moons, whose exact log-density is computed beside its bound.

python launch.py --config=configs/lab_moons_vae.py

0.6 minutes on two CPU cores, 10 s of it training. Test points have log-density -0.390 +- 0.006 nats, by an integral
over the latents that is exact to 1e-5, and the bound is 0.14 +- 0.02 nats below; +- is the standard deviation over 5
seeds.
"""
from configs import base
from gen_jax.data import points
from gen_jax.models.vae import mlp_vae
from gen_jax.objectives import elbo
from gen_jax.optimizers import adam

EVALS = ("losses", "vae_health", "elbo", "latent_usage", "log_likelihood", "exact_density", "samples", "latent_scatter",
         "lab_plane", "lab")  # of VAEs in the plane


def get_config(variant: str = ""):
    """2-128-128-2 on points that are drawn anew at each step; :smoke is a few steps."""
    config = base.get_config()
    config.data = points.hp(shape="moons", stream=True, num_train=20_000, num_test=5_000)
    config.model = mlp_vae.hp(widths=(128, 128), latent_dim=2, activation="silu", kernel_init="he_normal")
    config.objective = elbo.hp(likelihood="gaussian_learned")
    config.optim.vae = adam.hp(lr=2e-3, schedule="cosine")
    config.train.update({"batch_size": 256, "steps": 12_000})
    config.log.every_steps = config.evals.every_steps = 200
    config.checkpoint.every_steps = 4_000
    config.evals.update({"end": EVALS, "during": ("lab_frames", "vae_signals"), "batch_size": 2500})
    return base.variant(config, variant)
