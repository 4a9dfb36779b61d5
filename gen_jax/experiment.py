"""One experiment's parts, from its config: data, nets, game, optimizers."""
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import optax
from ml_collections import ConfigDict

from gen_jax import data, memory
from gen_jax.config import completed, name_list, resolve, validate
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.keys import stream
from gen_jax.training import loop
from gen_jax.training.feed import Feed, StreamFeed, memory_feed
from gen_jax.training.state import create
from gen_jax.training.step import make_step, num_batches
from gen_jax.types import Batch, Objective, Source, Spec


class Experiment(NamedTuple):
    """What a run is made of."""

    config: ConfigDict  # resolved and locked
    train: Source
    test: Source
    spec: Spec
    draw: Callable | None  # of new data at each step: see gen_jax/data
    objective: Objective
    optimizers: dict[str, optax.GradientTransformation]  # by player
    ema_nets: tuple[str, ...]

    @property
    def step_size(self) -> int:
        """How many examples a step takes."""
        return self.config.train.batch_size * num_batches(self.objective)

    def step(self) -> Callable:
        """The training step: see training/step.py."""
        return make_step(self.objective, self.optimizers, self.config.train.ema_decay, self.config.derived.total_steps)

    def feed(self) -> Feed:
        """What gives the steps their batches."""
        if self.draw:
            return StreamFeed(self.draw, self.config.seed, self.step_size)
        return memory_feed(self.train, self.config.seed, self.step_size, self.config.train.on_device_gb)

    def begin(self) -> loop.Progress:
        """The progress before the first step. Nets or steps that cannot fit into the memory are a UserError."""
        make, key = partial(create, self.objective, self.optimizers, self.ema_nets), stream(self.config.seed, "init")
        memory.check_on_device(memory.of_tree(jax.eval_shape(make, key)), "the nets with their optimizers",
                               "make the nets smaller")
        return loop.begin(make(key), self.step(), self.batch_shape(), stream(self.config.seed, "train"))

    def batch_shape(self) -> Batch:
        """Shapes of what one step takes."""
        return jax.tree.map(lambda array: jax.ShapeDtypeStruct((self.step_size, *array.shape[1:]), array.dtype),
                            Batch(self.train.x, self.train.given))


def build(config: ConfigDict) -> Experiment:
    """The experiment that config describes. Faults are one UserError with a line each."""
    config = completed(config)
    validate(config)
    train, test = data.load(config.data, "train"), data.load(config.data, "test")
    if train.x.shape[1:] != test.x.shape[1:]:
        raise UserError(f"data: training examples are {train.x.shape[1:]} and test examples {test.x.shape[1:]}; make "
                        "them alike, pictures with data.size and data.channels")
    fingerprint = hashlib.sha256((data.fingerprint(train) + data.fingerprint(test)).encode()).hexdigest()
    spec, draw = data.spec(train, data.kind(config.data)), data.stream(config.data)
    objective = build_objective(config, spec)
    config = resolve(config, len(train.x), fingerprint, num_batches(objective), draw is not None)
    _check_evals(config, train, test)
    optimizers = {player: find("optimizers", hp.name).build(hp, config.derived.total_steps)
                  for player, hp in config.optim.items()}
    return Experiment(config, train, test, spec, draw, objective, optimizers, _ema_nets(config, objective))


def build_objective(config: ConfigDict, spec: Spec) -> Objective:
    """The game over the model's nets; its losses see x as the kind's models do. optim has a section for each player."""
    nets = find("models", config.model.name).build(config.model, spec)
    objective = find("objectives", config.objective.name).build(nets, config.objective, spec)
    if set(config.optim) != set(objective.owns):
        raise UserError(f"optim: has sections for {sorted(config.optim)}, and the players of {config.objective.name} "
                        f"are {sorted(objective.owns)}")
    if faults := list(_game_faults(objective)):
        raise UserError(*(f"objective.name={config.objective.name!r}: {fault}" for fault in faults))
    if lacking := [name for name in objective.conditions if name not in spec.given]:
        raise UserError(f"data: gives no {', '.join(lacking)}, on which {config.model.name} with "
                        f"{config.objective.name} conditions; it gives: {', '.join(sorted(spec.given)) or 'nothing'}")
    return seen(objective, spec)


def _game_faults(objective: Objective) -> Iterator[str]:
    if not objective.moves:
        yield "has no moves"
    for player in {move.player for move in objective.moves} - {*objective.owns}:
        yield f"has a move of {player!r}, who owns no net"
    for player, owned in objective.owns.items():
        for name in {*owned} - {*objective.nets}:
            yield f"{player!r} owns the net {name!r}; there are: {', '.join(sorted(objective.nets))}"


def seen(objective: Objective, spec: Spec) -> Objective:
    """objective, whose losses and measures then take batches as they are stored."""
    def see(function: Callable) -> Callable:
        return lambda vars, batch, keys: function(vars, batch._replace(x=spec.kind.to_model(batch.x)), keys)
    return objective._replace(
        moves=tuple(move._replace(loss=see(move.loss)) for move in objective.moves), measure=see(objective.measure),
        measure_batch=objective.measure_batch and see(objective.measure_batch))


def _check_evals(config: ConfigDict, train: Source, test: Source) -> None:
    """Finds what the evals of config cannot do with these data before training, not after it."""
    faults = []
    for name in dict.fromkeys((*config.evals.end, *config.evals.during)):
        module = find("evals", name)
        faults += module.data_faults(config, train, test) if hasattr(module, "data_faults") else []
    if faults:
        raise UserError(*dict.fromkeys(faults))


def _ema_nets(config: ConfigDict, objective: Objective) -> tuple[str, ...]:
    if not config.train.ema_decay:
        return ()
    nets = name_list(config.train.ema_nets) or sorted(objective.nets)
    if unknown := [name for name in nets if name not in objective.nets]:
        raise UserError(*(f"train.ema_nets: there is no net {name!r}. There are: {', '.join(sorted(objective.nets))}"
                          for name in unknown))
    return tuple(nets)
