"""How nets are initialised and applied. Every Flax collection of a net is kept: parameters, statistics, codebooks."""
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from gen_jax.types import Given, Net, PyTree, Vars

SOWN = "intermediates"  # the collection of what a module shows of its inside, which is no state


def init(nets: Mapping[str, Net], key: jax.Array) -> Vars:
    """The parameters and the state of every net before the first step."""
    params, state = {}, {}
    for i, (name, net) in enumerate(sorted(nets.items())):
        zeros, given = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), (net.inputs, dict(net.given)))
        variables = dict(_init_of(net.module)(jax.random.fold_in(key, i), *zeros, **given, train=False))
        params[name] = variables.pop("params", {})
        state[name] = {collection: tree for collection, tree in variables.items() if collection != SOWN}
    return Vars(params, state)


@cache
def _init_of(module: nn.Module) -> Callable:
    """module.init, compiled: once for all seeds."""
    return jax.jit(module.init, static_argnames="train")


def apply(nets: Mapping[str, Net], name: str, vars: Vars, *inputs, given: Given, train: bool,
          rngs: Mapping[str, jax.Array] | None = None, method: str | None = None) -> tuple[Any, dict[str, PyTree]]:
    """(output of the net, state of all nets afterwards).

    Args:
      nets, name: all nets, and which of them is applied.
      vars: of all nets.
      *inputs: arrays [B,...].
      given: all that is given with the batch; the net takes what it asks for.
      train: train mode, in which BatchNorm uses the batch's own statistics and every collection but the parameters may
        change. In inference mode nothing changes.
      rngs: by Flax's names, for a module that draws.
      method: of the module, if not its __call__.
    """
    net = nets[name]
    variables, wanted = {"params": vars.params[name], **vars.state[name]}, {key: given[key] for key in net.given}
    if not train:
        return net.module.apply(variables, *inputs, **wanted, train=False, rngs=rngs, method=method), vars.state
    output, changed = net.module.apply(variables, *inputs, **wanted, train=True, rngs=rngs, method=method,
                                       mutable=list(vars.state[name]))
    return output, {**vars.state, name: {**vars.state[name], **changed}}


def features(nets: Mapping[str, Net], name: str, vars: Vars, *inputs, given: Given, train: bool,
             rngs: Mapping[str, jax.Array] | None = None) -> PyTree:
    """What the net shows of its inside: all that its modules `sow` into "intermediates". Arguments: as for apply."""
    net = nets[name]
    variables, wanted = {"params": vars.params[name], **vars.state[name]}, {key: given[key] for key in net.given}
    _, changed = net.module.apply(variables, *inputs, **wanted, train=train, rngs=rngs,
                                  mutable=[SOWN, *(vars.state[name] if train else ())])
    return changed[SOWN]
