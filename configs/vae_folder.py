"""A VAE on your own photos: a folder of them, of any sizes; sub-folders are classes where there are some.

python launch.py --config=configs/vae_folder.py --config.data.path=FOLDER

2.4 minutes on two CPU cores for 640 photos, 2.2 of it training. Test loss -149 nats per image of 32x32 pixels: of a
density, so it can be below 0.
"""
from configs import base
from configs.vae_digits import EVALS
from gen_jax.data import folder
from gen_jax.models.vae import conv_vae
from gen_jax.objectives import elbo
from gen_jax.optimizers import adam


def get_config(variant: str = ""):
    """A convolutional net by the size of the images, for few of them: they are mirrored and moved, so that it cannot
    learn them by heart. With a scale of 0.35 it draws shapes and leaves the grain out; :smoke is a few steps on made-up
    images.
    """
    config = base.get_config()
    config.data = folder.hp(fit="crop")
    config.model = conv_vae.hp(latent_dim=32, norm="batch")
    config.objective = elbo.hp(likelihood="gaussian", scale=0.35, augment="flip,shift")
    config.optim.vae = adam.hp(lr=1e-3, schedule="cosine", clip_norm=1000.0)
    config.train.update({"batch_size": 32, "steps": 10_000})
    config.log.every_steps = 250
    config.checkpoint.update({"every_steps": 1_000, "best": "test/loss"})
    config.evals.update({"end": (*EVALS, "nearest_images", "feature_distance"), "during": ("samples", "vae_signals"),
                         "every_steps": 1_000})
    return base.variant(config, variant)
