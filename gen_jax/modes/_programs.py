"""What the runs of one experiment share, whatever their seeds: data on the device, and compiled programs."""
from collections.abc import Callable

import jax

from gen_jax.evals.latent._codes import CodeStatistics
from gen_jax.experiment import Experiment
from gen_jax.training import loop
from gen_jax.training.feed import Feed
from gen_jax.training.validate import make_validate


class Programs:
    """Of an experiment, and of all that differ from it in their seeds alone."""

    def __init__(self, experiment: Experiment):
        self.experiment, config = experiment, experiment.config
        self._advance: Callable | None = None
        self.feed = experiment.feed()
        self.codes = CodeStatistics(experiment.train, experiment.spec.kind)
        self.validate = make_validate(experiment.objective, experiment.test, config.evals.batch_size,
                                      config.train.on_device_gb)

    def feed_of(self, seed: int) -> Feed:
        """The feed under a seed."""
        return self.feed.with_seed(seed)

    def advance(self, progress: loop.Progress, feed: Feed, step: int, key: jax.Array) -> Callable:
        """The training loop, compiled once: see loop.make_advance. The arguments have the shapes of all later ones."""
        if self._advance is None:
            advance = loop.make_advance(self.experiment.step(), self.feed.batch_at)
            self._advance = advance.lower(progress, feed.block(step), step, key).compile()
        return self._advance
