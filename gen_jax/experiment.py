"""One experiment's parts, from its config: data, nets, game, optimizers."""
import hashlib
from collections.abc import Callable
from typing import NamedTuple

import jax
import optax
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.config import name_list, resolve, validate
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.keys import stream
from gen_jax.objectives.objective import Batch, Objective
from gen_jax.training import optim
from gen_jax.training.loop import Progress, start
from gen_jax.training.state import create
from gen_jax.training.step import make_step


class Experiment(NamedTuple):
    """What a run is made of."""

    config: ConfigDict  # resolved and locked
    train: data.Source
    test: data.Source
    objective: Objective
    optimizers: dict[str, optax.GradientTransformation]  # by player
    ema_nets: tuple[str, ...]

    def step(self) -> Callable:
        """The training step: see training/step.py."""
        return make_step(self.objective, self.optimizers, self.config.train.ema_decay)

    def start(self) -> Progress:
        """The progress before the first step."""
        state = create(self.objective, self.optimizers, self.ema_nets, stream(self.config.seed, "init"))
        return start(state, self.step(), self.batch_shape(), stream(self.config.seed, "train"))

    def batch_shape(self) -> Batch:
        """Shapes of one batch."""
        size = self.config.train.batch_size
        return Batch(*(None if array is None else jax.ShapeDtypeStruct((size, *array.shape[1:]), array.dtype)
                       for array in (self.train.images, self.train.labels)))


def build(config: ConfigDict) -> Experiment:
    """The experiment that config describes. Faults are one UserError with a line each."""
    validate(config)
    train, test = data.load(config.data, "train"), data.load(config.data, "test")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise UserError(f"data: training images are {train.images.shape[1:]} and test images {test.images.shape[1:]}; "
                        "set data.size and data.channels")
    fingerprint = hashlib.sha256((data.fingerprint(train) + data.fingerprint(test)).encode()).hexdigest()
    config = resolve(config, len(train.images), fingerprint)
    _check_evals(config, train, test)
    objective = build_objective(config, train.images.shape[1:])
    optimizers = {player: optim.optimizer(config.optim[player], config.derived.total_steps)
                  for player in objective.owns}
    return Experiment(config, train, test, objective, optimizers, _ema_nets(config, objective))


def _check_evals(config: ConfigDict, train: data.Source, test: data.Source) -> None:
    """Finds what the evals of config cannot do before training, not after it."""
    faults = []
    for name in dict.fromkeys((*config.evals.end, *config.evals.during)):
        module = find("evals", name)
        faults += module.faults(config, train, test) if hasattr(module, "faults") else []
    if faults:
        raise UserError(*dict.fromkeys(faults))


def build_objective(config: ConfigDict, image_shape: tuple[int, int, int]) -> Objective:
    """The game over the model's nets. optim must have a section for each player, and no other."""
    nets = find("models", config.model.name).build(config.model, image_shape)
    objective = find("objectives", config.objective.name).build(nets, config.objective)
    if set(config.optim) != set(objective.owns):
        raise UserError(f"optim: has sections for {sorted(config.optim)}, and the players of {config.objective.name} "
                        f"are {sorted(objective.owns)}")
    return objective


def _ema_nets(config: ConfigDict, objective: Objective) -> tuple[str, ...]:
    if not config.train.ema_decay:
        return ()
    nets = name_list(config.train.ema_nets) or sorted(objective.nets)
    if unknown := [name for name in nets if name not in objective.nets]:
        raise UserError(*(f"train.ema_nets: there is no net {name!r}. There are: {', '.join(sorted(objective.nets))}"
                          for name in unknown))
    return tuple(nets)
