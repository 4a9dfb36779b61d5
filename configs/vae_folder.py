"""A VAE on your own images: a folder of them, sub-folders as classes where there are some.

python launch.py --config=configs/vae_folder.py --config.data.path=FOLDER

On 4,000 CIFAR-10 images of two classes: 1.1 minutes on two CPU cores, 50 s of it training. Test loss -1434 nats per
image (one seed; of a density, so it can be below 0), and -1519 after 42 epochs: with so few images, train for less.
"""
from configs import base


def get_config(variant: str = ""):
    """Images are cropped to 32x32 RGB; a learned Gaussian scale; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data.update({"name": "folder", "size": (32, 32), "fit": "crop", "channels": 3})
    config.model = base.mlp(widths=(512,), latent_dim=16, kernel_init="he_normal")
    config.objective = base.elbo(likelihood="gaussian_learned")
    config.optim.vae = base.optimizer(lr=1e-3, schedule="cosine", clip_norm=100.0)
    config.train.update({"batch_size": 32, "epochs": 100})
    config.checkpoint.every_epochs = 10
    config.evals.update({"end": base.VAE_EVALS, "every_epochs": 10})
    return base.smoke(config, variant)
