"""A convolutional VAE on the 5,000 automobiles of CIFAR-10's training split.

python launch.py --config=configs/vae_cars.py

3 minutes of training on one busy CPU core. Test loss -144.7 +- 0.7 nats per image of 32x32 pixels, of a density; +- is
the standard deviation over 3 seeds.
"""
from configs import base, vae_folder
from gen_jax.data import tfds


def get_config(variant: str = ""):
    """vae_folder's net and recipe, for 10,000 steps; :smoke is a few steps on made-up images."""
    config = vae_folder.get_config()
    config.data = tfds.hp(dataset="cifar10", classes="automobile")
    config.checkpoint.every_steps = 2_000
    config.evals.end = (*config.evals.end, "quality", "memorisation")  # as of the GANs of the same cars
    return base.variant(config, variant)
