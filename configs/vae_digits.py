"""The default: a VAE, 64-256-8, on scikit-learn's 8x8 digits, which need no network and no preparation.

python launch.py

0.2 minutes on two CPU cores, 1.2 s of it training. Test loss -25.1 +- 0.7 nats per image: of a density, so it can be
below 0; +- is the standard deviation over 5 seeds.
"""
from configs import base


def get_config(variant: str = ""):
    """64-256-8 in half a minute on a laptop's CPU; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data.name = "digits"
    config.model = base.mlp(widths=(256,), latent_dim=8, kernel_init="he_normal")
    config.objective = base.elbo(likelihood="gaussian_learned")
    config.optim.vae = base.optimizer(lr=2e-3, schedule="cosine")
    config.train.update({"batch_size": 64, "epochs": 150})
    config.checkpoint.every_epochs = 50
    config.evals.update({"end": base.VAE_EVALS, "every_epochs": 50, "interpolate": (0, 1, 2, 3),
                         "concepts": ("1->0", "thin->bold")})
    return base.smoke(config, variant)
