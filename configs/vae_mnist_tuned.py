"""The chapter's net, 784-256-2, and its 50 epochs, trained as well as we can.

python launch.py --config=configs/vae_mnist_tuned.py
"""
from configs import base, vae_mnist


def get_config(variant: str = ""):
    """Adam with a cosine schedule, He initialisation; :smoke is a few steps on made-up images."""
    config = vae_mnist.get_config()
    config.model.update({"kernel_init": "he_normal", "latent_gain": 2.5, "latent_folds": 1.5})
    config.optim.vae = base.optimizer(lr=3e-3, schedule="cosine")
    config.train.batch_size = 64
    return base.smoke(config, variant)
