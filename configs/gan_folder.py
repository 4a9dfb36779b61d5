"""A GAN on your own photos: a folder of them, of any sizes; sub-folders are classes where there are some.

python launch.py --config=configs/gan_folder.py --config.data.path=FOLDER

31 minutes on one CPU core, about 25 on two, for 640 photos. Fréchet distance in random features 1.4, of test images 0.9
(one seed).
"""
from configs import base
from configs.dcgan_digits import EVALS
from gen_jax.data import folder
from gen_jax.models.gan import dcgan
from gen_jax.objectives import gan
from gen_jax.optimizers import adam


def get_config(variant: str = ""):
    """dcgan_cars_tuned's recipe for few photos: all are moved, mirrored and recoloured for the discriminator.

    Its nets are by the size of the images; its length is in steps, for any number of photos; :smoke is a few steps on
    made-up images.
    """
    config = base.get_config()
    config.data = folder.hp(fit="crop")
    config.model = dcgan.hp(gen_widths=(), disc_widths=(), kernel_size=4, bias=False)
    config.objective = gan.hp(augment="flip,translation,color")
    config.optim.gen = adam.hp(lr=2e-4, b1=0.5, schedule="cosine", end=0.1)
    config.optim.disc = adam.hp(lr=4e-4, b1=0.5, schedule="cosine", end=0.1)
    config.train.update({"batch_size": 32, "steps": 30_000, "ema_decay": 0.999, "ema_nets": "gen"})
    config.log.every_steps = 250
    config.checkpoint.every_steps = 1_000
    config.evals.update({"end": (*EVALS, "feature_distance"), "during": ("samples", "gan_signals", "feature_distance"),
                         "every_steps": 500, "batch_size": 250})
    return base.variant(config, variant)
