"""The GAN lab: WGAN-GP on the ring of 8 normals, five moves of the critic on fresh points to one of the generator.

python launch.py --config=configs/lab_ring_wgan_gp.py

1 minute on two CPU cores: modes 8 of 8, high quality 71 +- 4%, reverse KL 0.0010 +- 0.0007 nats; +- is the standard
deviation over 5 seeds. Gulrajani et al., arXiv:1704.00028.
"""
from configs import base, lab_ring
from gen_jax.data import points
from gen_jax.models.gan import mlp_gan
from gen_jax.objectives import gan
from gen_jax.optimizers import adam
from gen_jax.terms.penalties import gradient_penalty


def get_config(variant: str = ""):
    """3,000 steps of nets of 128 units; :smoke is a few steps."""
    config = lab_ring.get_config()
    config.data = points.hp(shape="ring", stream=True, num_train=20_000)
    config.model = mlp_gan.hp(gen_widths=(128, 128, 128), disc_widths=(128, 128, 128), gen_activation="relu",
                              disc_activation="relu")
    config.objective = gan.hp(loss="wasserstein", disc_steps=5, fresh_batches=True)
    config.objective.penalties.gradient_penalty = gradient_penalty.hp(weight=0.1)
    config.optim.gen = adam.hp(lr=5e-4, b1=0.5, b2=0.9)
    config.optim.disc = adam.hp(lr=5e-4, b1=0.5, b2=0.9)
    config.train.update({"batch_size": 256, "steps": 3_000, "ema_decay": 0.99, "ema_nets": "gen"})
    config.log.every_steps = config.evals.every_steps = 50
    config.checkpoint.every_steps = 1_000
    return base.variant(config, variant)
