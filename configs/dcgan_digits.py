"""A DCGAN on scikit-learn's 8x8 digits, which need no network and no preparation.

python launch.py --config=configs/dcgan_digits.py

0.5 minutes on two CPU cores, 19 s of it training. Fréchet distance of a classifier's features 3.05 +- 0.22, of
test images 0.87; +- is the standard deviation over 5 seeds.
"""
from configs import base
from gen_jax.models.gan import dcgan
from gen_jax.objectives import gan
from gen_jax.optimizers import adam

EVALS = ("gan_losses", "gan_health", "samples", "samples_over_time", "nearest_images", "latent_walk",
         "quality", "memorisation")  # of GANs of images


def get_config(variant: str = ""):
    """2x2x128 -> 4x4x64 -> 8x8x1 in under two minutes on a laptop's CPU; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.model = dcgan.hp(latent_dim=32, gen_widths=(128, 64), disc_widths=(64, 128), kernel_size=4, bias=False)
    config.objective = gan.hp()
    config.optim.gen = adam.hp(lr=1e-3, b1=0.5, schedule="cosine", end=0.1)
    config.optim.disc = adam.hp(lr=1e-3, b1=0.5, schedule="cosine", end=0.1)
    config.train.update({"batch_size": 64, "epochs": 150, "ema_decay": 0.99, "ema_nets": "gen"})
    config.evals.update({"end": EVALS, "during": ("samples", "gan_signals", "feature_distance"), "every_epochs": 5,
                         "batch_size": 256})
    config.checkpoint.every_epochs = 50
    return base.variant(config, variant)
