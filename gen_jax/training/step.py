"""One training step of any game: every move in order, then the averages. It knows no model and no objective by name."""
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax

from gen_jax.errors import UserError
from gen_jax.keys import move_keys
from gen_jax.training.state import TrainState, average, select
from gen_jax.types import Aux, Batch, Move, MoveKeys, Objective, Vars


def make_step(objective: Objective, optimizers: Mapping[str, optax.GradientTransformation], ema_decay: float,
              total_steps: int) -> Callable[[TrainState, Batch, jax.Array], tuple[TrainState, dict[str, jax.Array]]]:
    """step(state, batch, key) -> (state, metrics): key is the train stream, the same at every step.

    batch: the step's fresh batches, one after the other: [num_batches(objective) * B,...].
    metrics: float32 [] by "<player>/<term>", among them every player's loss, grad_norm (the global norm of its
    gradient, before any clipping) and update_norm (of what is added to its weights); the mean over the player's moves
    that report the term. Averages decay by ema_decay a step, at first faster, so that they forget the untrained nets.
    total_steps: of the run, of which losses may ask the share that is done.
    """
    def step(state: TrainState, batch: Batch, key: jax.Array):
        reports, batches = [], _parts(batch, num_batches(objective))
        seen = state.vars
        for move, keys in zip(objective.moves, move_keys(key, state.step, len(objective.moves), total_steps),
                              strict=True):
            seen = seen if move.together else state.vars
            state, report = _make_move(move, objective.owns[move.player], optimizers[move.player], state, seen,
                                       batches[move.batch], keys)
            reports.append(report)
        decay = jnp.minimum(ema_decay, (state.step + 1) / (state.step + 10))
        ema = average(state.ema, select(state.vars, tuple(state.ema.params)), decay)
        return state.replace(ema=ema, step=state.step + 1), _mean_by_name(reports)
    return step


def num_batches(objective: Objective) -> int:
    """How many fresh batches a step takes."""
    return max(move.batch for move in objective.moves) + 1


def _parts(batch: Batch, num: int) -> list[Batch]:
    """The batches that lie one after the other in batch."""
    if num == 1:
        return [batch]
    size = batch.x.shape[0] // num
    return [jax.tree.map(lambda array, i=i: array[i * size:(i + 1) * size], batch) for i in range(num)]


def _make_move(move: Move, owned: tuple[str, ...], optimizer: optax.GradientTransformation, state: TrainState,
               seen: Vars, batch: Batch, keys: MoveKeys) -> tuple[TrainState, dict[str, jax.Array]]:
    """The state after the mover's nets have answered its loss, and the move's metrics. Other nets do not change.

    seen: the nets as the loss sees them.
    """
    own = {name: seen.params[name] for name in owned}

    def loss(own):
        return move.loss(seen.replace(params={**seen.params, **own}), batch, keys)
    (_, aux), gradient = jax.value_and_grad(loss, has_aux=True)(own)
    _check(aux, move.player, owned)
    own = {name: state.vars.params[name] for name in owned}
    updates, opt = optimizer.update(gradient, state.opt[move.player], own)
    # The barrier keeps XLA from sharing the squares with the optimizer, for which it would write them all to memory: 6%
    # of a small VAE's step on a CPU.
    norm = optax.tree.norm(jax.lax.optimization_barrier(gradient))
    metrics = {**aux.terms, "grad_norm": norm, "update_norm": optax.tree.norm(updates)}
    vars = Vars({**state.vars.params, **optax.apply_updates(own, updates)},
                {**state.vars.state, **{name: aux.state[name] for name in owned}})
    state = state.replace(vars=vars, opt={**state.opt, move.player: opt})
    return state, {f"{move.player}/{term}": value for term, value in metrics.items()}


def _check(aux: Aux, player: str, owned: tuple[str, ...]) -> None:
    """Raises UserError where a loss does not give what every step needs."""
    if "loss" not in aux.terms:
        raise UserError(f"objective: the loss of {player} gives the terms {', '.join(aux.terms) or '(none)'}; one must "
                        "be called loss")
    if lacking := [name for name in owned if name not in aux.state]:
        raise UserError(f"objective: the loss of {player} gives Aux no state of {', '.join(lacking)}; give the state "
                        "that net.apply returned last, which is of all nets")


def _mean_by_name(reports: list[dict[str, jax.Array]]) -> dict[str, jax.Array]:
    """Each metric's mean over the reports that have it."""
    values: dict[str, list[jax.Array]] = {}
    for report in reports:
        for name, value in report.items():
            values.setdefault(name, []).append(value)
    return {name: sum(many) / len(many) for name, many in values.items()}
