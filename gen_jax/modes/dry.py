"""Shows a config with its meanings, its nets, and the cost of a step; trains nothing, writes nothing."""
import sys

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.command_line import Launch
from gen_jax.keys import stream
from gen_jax.report.settings import describe
from gen_jax.training.feed import num_bytes


def run(launch: Launch) -> None:
    """The mode."""
    dry(launch.config)


def dry(config: ConfigDict) -> None:
    """Prints the resolved config, the nets, steps, memory and the cost of one step."""
    built = experiment.build(config)
    print("\n".join(describe(built.config)))
    print()
    for name, net in sorted(built.objective.nets.items()):
        inputs, given = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), (net.inputs, dict(net.given)))
        console = {"width": 110, "force_terminal": sys.stdout.isatty(), "force_jupyter": False}
        print(name + net.module.tabulate(jax.random.key(0), *inputs, **given, train=False, depth=1,
                                         console_kwargs=console))
    progress = jax.eval_shape(built.begin)
    compiled = jax.jit(built.step()).lower(progress.state, built.batch_shape(),
                                           stream(config.seed, "train")).compile()
    num_params = sum(leaf.size for leaf in jax.tree.leaves(progress.state.vars.params))
    state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(progress.state))
    derived = built.config.derived
    epochs = f"{derived.steps_per_epoch:,} an epoch, " if derived.steps_per_epoch else ""
    print(f"parameters: {num_params:,}\n"
          f"steps: {epochs}{derived.total_steps:,} in all\n"
          f"memory: training data {num_bytes(built.train) / 1e6:.1f} MB, state {state_bytes / 1e6:.1f} MB, "
          f"one step's temporaries {compiled.memory_analysis().temp_size_in_bytes / 1e6:.1f} MB\n"
          f"one step: {compiled.cost_analysis().get('flops', float('nan')) / 1e6:,.1f} MFLOP, as XLA counts them")
