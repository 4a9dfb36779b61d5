"""The chapter's nets, and as many images seen, trained as well as we can.

python launch.py --config=configs/dcgan_cars_tuned.py

About 60 minutes on two CPU cores. What Fréchet distance it reaches is not measured yet.
"""
from configs import base, dcgan_cars


def get_config(variant: str = ""):
    """dcgan_cars as a game of two moves with augmentation and EMA; :smoke is a few steps on made-up images."""
    config = dcgan_cars.get_config()
    config.model.bias = False
    config.objective = base.gan(augment="flip,translation")
    config.optim.gen = base.optimizer(lr=2e-4, b1=0.5, schedule="cosine", end=0.1)
    config.optim.disc = base.optimizer(lr=8e-4, b1=0.5, schedule="cosine", end=0.1)
    config.train.update({"batch_size": 64, "ema_decay": 0.999, "ema_nets": "gen"})
    return base.smoke(config, variant)
