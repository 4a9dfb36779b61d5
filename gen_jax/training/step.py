"""One training step of any game: every move in order, then the averages. It knows no model and no objective by name."""
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax

from gen_jax.keys import MoveKeys, move_keys
from gen_jax.objectives.objective import Batch, Move, Objective
from gen_jax.training.state import TrainState


def make_step(objective: Objective, optimizers: Mapping[str, optax.GradientTransformation], ema_decay: float
              ) -> Callable[[TrainState, Batch, jax.Array], tuple[TrainState, dict[str, jax.Array]]]:
    """step(state, batch, key) -> (state, metrics): key is the train stream, the same at every step.

    metrics: float32 [] by "<player>/<term>", among them every player's loss, grad_norm (the global norm of its
    gradient, before any clipping) and update_norm (of what is added to its weights); the mean over the player's moves
    that report the term. Averages decay by ema_decay a step, at first faster, so that they forget the untrained nets.
    """
    def step(state: TrainState, batch: Batch, key: jax.Array):
        reports = []
        for move, keys in zip(objective.moves, move_keys(key, state.step, len(objective.moves)), strict=True):
            state, report = _make_move(move, objective.owns[move.player], optimizers[move.player], state, batch, keys)
            reports.append(report)
        decay = jnp.minimum(ema_decay, (state.step + 1) / (state.step + 10))
        ema = {name: _average(old, {"params": state.params[name], "stats": state.stats[name]}, decay)
               for name, old in state.ema.items()}
        return state.replace(ema=ema, step=state.step + 1), _mean_by_name(reports)
    return step


def _make_move(move: Move, owned: tuple[str, ...], optimizer: optax.GradientTransformation, state: TrainState,
               batch: Batch, keys: MoveKeys) -> tuple[TrainState, dict[str, jax.Array]]:
    """The state after the mover's nets have answered its loss, and the move's metrics. Other nets do not change."""
    own = {name: state.params[name] for name in owned}

    def loss(own):
        return move.loss({**state.params, **own}, state.stats, batch, keys)
    (_, aux), gradient = jax.value_and_grad(loss, has_aux=True)(own)
    updates, opt = optimizer.update(gradient, state.opt[move.player], own)
    # The barrier keeps XLA from sharing the squares with the optimizer, for which it would write them all to memory: 6%
    # of a small VAE's step on a CPU.
    norm = optax.tree.norm(jax.lax.optimization_barrier(gradient))
    metrics = {**aux.terms, "grad_norm": norm, "update_norm": optax.tree.norm(updates)}
    state = state.replace(
        params={**state.params, **optax.apply_updates(own, updates)},
        stats={**state.stats, **{name: aux.stats[name] for name in owned}},
        opt={**state.opt, move.player: opt})
    return state, {f"{move.player}/{term}": value for term, value in metrics.items()}


def _average(old, new, decay: jax.Array):
    return jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, old, new)


def _mean_by_name(reports: list[dict[str, jax.Array]]) -> dict[str, jax.Array]:
    """Each metric's mean over the reports that have it."""
    values: dict[str, list[jax.Array]] = {}
    for report in reports:
        for name, value in report.items():
            values.setdefault(name, []).append(value)
    return {name: sum(many) / len(many) for name, many in values.items()}
