"""The chapter's VAE on MNIST, as it stands: 784-256-2, ReLU, RMSprop with Keras's defaults, 50 epochs.

python launch.py --config=configs/vae_mnist.py

0.7 minutes on two CPU cores, 22 s of it training. Test loss 152.1 +- 0.7 nats per image, training 149.7 +- 0.5;
+- is the standard deviation over 5 seeds. The chapter printed 151.71 and 149.39, from one run.
"""
from configs import base
from configs.vae_digits import EVALS
from gen_jax.data import tfds
from gen_jax.evals.latent import concepts, interpolation
from gen_jax.models.vae import mlp_vae
from gen_jax.objectives import elbo
from gen_jax.optimizers import rmsprop


def get_config(variant: str = ""):
    """The chapter printed 149.39 training and 151.71 validation; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data = tfds.hp(dataset="mnist")
    config.model = mlp_vae.hp(widths=(256,), latent_dim=2)
    config.objective = elbo.hp()
    config.optim.vae = rmsprop.hp(lr=1e-3)
    config.train.update({"batch_size": 128, "epochs": 50})
    config.checkpoint.update({"every_epochs": 10, "best": "test/loss"})
    config.evals.update({"end": (*EVALS, "nearest_images", "ae_vs_vae"), "during": ("samples", "vae_signals"),
                         "every_epochs": 10})
    config.evals.interpolation = interpolation.hp(pairs=(0, 1, 2, 3))
    config.evals.concepts = concepts.hp(pairs=("1->0", "thin->bold"))
    return base.variant(config, variant)
