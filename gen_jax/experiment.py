"""One experiment's parts, from its config: data, nets, game, optimizers."""
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import optax
from ml_collections import ConfigDict

from gen_jax import data, memory
from gen_jax.config import name_list, resolve, validate, with_evals
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.identity import run_id
from gen_jax.keys import stream
from gen_jax.training import loop
from gen_jax.training.feed import Feed, StreamFeed, memory_feed
from gen_jax.training.state import create
from gen_jax.training.step import make_step, num_batches
from gen_jax.types import Batch, Objective, Source, Spec


class Experiment(NamedTuple):
    """What a run is made of."""

    config: ConfigDict  # resolved and locked
    data: data.Splits
    spec: Spec
    draw: Callable | None  # of new data at each step: see gen_jax/data
    objective: Objective
    optimizers: dict[str, optax.GradientTransformation]  # by player
    ema_nets: tuple[str, ...]

    @property
    def train(self) -> Source:
        """The training data. Raises NoData."""
        return self.data.train

    @property
    def test(self) -> Source:
        """The test data. Raises NoData."""
        return self.data.test

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

    def begin(self, trains: bool = True) -> loop.Progress:
        """The progress before the first step. Nets that cannot fit into the memory are a UserError.

        trains: whether steps will be made. Steps that cannot fit into the memory are then a UserError too.
        """
        make, key = partial(create, self.objective, self.optimizers, self.ema_nets), stream(self.config.seed, "init")
        memory.check_on_device(memory.of_tree(jax.eval_shape(make, key)), "the nets with their optimizers",
                               "make the nets smaller")
        return loop.begin(make(key), self.step(), self.batch_shape(), stream(self.config.seed, "train"), trains)

    def batch_shape(self) -> Batch:
        """Shapes of what one step takes."""
        one = Batch(jax.ShapeDtypeStruct((1, *self.spec.x), self.spec.dtype), self.spec.given)
        return jax.tree.map(lambda of: jax.ShapeDtypeStruct((self.step_size, *of.shape[1:]), of.dtype), one)


def build(config: ConfigDict) -> Experiment:
    """The experiment that config describes. Faults are one UserError with a line each."""
    config = with_evals(config)
    validate(config)
    data.choose(config.data)
    splits = data.splits(config.data)
    spec = data.spec(splits.train, data.kind(config.data))
    objective = build_objective(config, spec)
    is_stream = data.stream(config.data) is not None
    config = resolve(config, len(splits.train.x), splits.fingerprint, num_batches(objective), is_stream)
    check_evals(config, splits, spec, (*config.evals.end, *config.evals.during))
    return _assembled(config, splits, spec, objective)


def seeded(config: ConfigDict, seed: int) -> ConfigDict:
    """A copy of config, resolved, under another seed. Data, nets and game of the experiment stay as they are."""
    config = config.copy_and_resolve_references()
    config.unlock()
    config.seed = seed
    del config.derived.run
    config.derived.run = run_id(json.loads(config.to_json()))
    return config.lock()


def rebuild(config: ConfigDict, description: dict | None) -> Experiment:
    """The experiment of a run that has been trained. Its data are loaded when they are needed, and must be the same.

    config: resolved. description: of the data, as data.described gives it; None: they are loaded for it.
    """
    validate(config)
    splits = data.splits(config.data, config.derived.data_fingerprint)
    spec = data.spec_of(description) if description else data.spec(splits.train, data.kind(config.data))
    return _assembled(config, splits, spec, build_objective(config, spec))


def _assembled(config: ConfigDict, splits: data.Splits, spec: Spec, objective: Objective) -> Experiment:
    optimizers = {player: find("optimizers", hp.name).build(hp, config.derived.total_steps)
                  for player, hp in config.optim.items()}
    return Experiment(config, splits, spec, data.stream(config.data), objective, optimizers,
                      _ema_nets(config, objective))


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


def check_evals(config: ConfigDict, splits: data.Splits, spec: Spec, names: Iterable[str]) -> None:
    """Finds what the evals of these names cannot do with these data before they run. Raises NoData and UserError.

    An eval that needs what data of this spec do not have is not asked: it is left out.
    """
    faults = []
    for name in dict.fromkeys(names):
        module = find("evals", name)
        fits = all(data.has(spec, need) is not False for need in getattr(module, "NEEDS", ()))
        if fits and hasattr(module, "data_faults"):
            faults += module.data_faults(config, splits.train, splits.test)
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
