"""A VAE on your own photos: a folder of them, of any sizes; sub-folders are classes where there are some.

python launch.py --config=configs/vae_folder.py --config.data.path=FOLDER

TODO minutes CPU 1 nats
"""
from configs import base
from gen_jax.data import folder
from gen_jax.models.vae import conv_vae
from gen_jax.objectives import elbo
from gen_jax.optimizers import adam

EVALS = ("losses", "elbo", "latent_usage", "log_likelihood", "reconstructions", "samples", "latent_scatter", "manifold",
         "traversals", "interpolation", "concepts", "arithmetic", "feature_distance")  # of VAEs of photos


def get_config(variant: str = ""):
    """A convolutional net by the size of the images; a learned Gaussian scale; :smoke is a few steps on made-up images.
    """
    config = base.get_config()
    config.data = folder.hp(fit="crop")
    config.model = conv_vae.hp()
    config.objective = elbo.hp(likelihood="gaussian_learned")
    config.optim.vae = adam.hp(lr=1e-3, schedule="cosine", clip_norm=1000.0)
    config.train.update({"batch_size": 32, "steps": 4_000})
    config.log.every_steps = 100
    config.checkpoint.update({"every_steps": 500, "best": "test/loss"})
    config.evals.update({"end": EVALS, "during": ("samples", "feature_distance"), "every_steps": 500})
    return base.variant(config, variant)
