"""A VAE on your own images: a folder of them, sub-folders as classes where there are some.

python launch.py --config=configs/vae_folder.py --config.data.path=FOLDER

On 4,000 CIFAR-10 images of two classes: 1.1 minutes on two CPU cores, 50 s of it training. Test loss -1434 nats per
image (one seed; of a density, so it can be below 0), and -1519 after 42 epochs: with so few images, train for less.
"""
from configs import base
from configs.vae_digits import EVALS
from gen_jax.data import folder
from gen_jax.models.vae import mlp_vae
from gen_jax.objectives import elbo
from gen_jax.optimizers import adam


def get_config(variant: str = ""):
    """Images are cropped to 32x32 RGB; a learned Gaussian scale; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data = folder.hp(size=(32, 32), fit="crop", channels=3)
    config.model = mlp_vae.hp(widths=(512,), latent_dim=16, kernel_init="he_normal")
    config.objective = elbo.hp(likelihood="gaussian_learned")
    config.optim.vae = adam.hp(lr=1e-3, schedule="cosine", clip_norm=100.0)
    config.train.update({"batch_size": 32, "epochs": 100})
    config.checkpoint.update({"every_epochs": 10, "best": "test/loss"})
    config.evals.update({"end": (*EVALS, "nearest_images"), "during": ("samples",), "every_epochs": 10})
    return base.variant(config, variant)
