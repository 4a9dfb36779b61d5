"""A net, how it is initialised and how it is applied."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
from flax import linen as nn

PyTree = Any


class Net(NamedTuple):
    """A module and what it is called with."""

    module: nn.Module  # __call__(*inputs, train: bool)
    inputs: tuple[jax.ShapeDtypeStruct, ...]  # shapes of its inputs for a batch of one


def init(nets: Mapping[str, Net], key: jax.Array) -> tuple[dict[str, PyTree], dict[str, PyTree]]:
    """(params, stats) of every net, by net: stats are BatchNorm's running statistics, {} where there are none."""
    params, stats = {}, {}
    for i, (name, net) in enumerate(sorted(nets.items())):
        zeros = [jax.numpy.zeros(x.shape, x.dtype) for x in net.inputs]
        variables = jax.jit(net.module.init, static_argnames="train")(jax.random.fold_in(key, i), *zeros, train=False)
        params[name], stats[name] = variables.get("params", {}), variables.get("batch_stats", {})
    return params, stats


def apply(nets: Mapping[str, Net], name: str, params: PyTree, stats: PyTree, *inputs, train: bool,
          rngs: Mapping[str, jax.Array] | None = None) -> tuple[Any, dict[str, PyTree]]:
    """(output of the net, stats of all nets afterwards). params, stats: of all nets, by name.

    train: train mode, in which BatchNorm uses the batch's own statistics and moves its running ones.
    """
    variables = {"params": params[name], "batch_stats": stats[name]}
    if not train:
        return nets[name].module.apply(variables, *inputs, train=False, rngs=rngs), stats
    output, changed = nets[name].module.apply(variables, *inputs, train=True, rngs=rngs, mutable=["batch_stats"])
    return output, {**stats, name: changed.get("batch_stats", stats[name])}
