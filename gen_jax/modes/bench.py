"""How fast a config trains on this machine: --mode=bench."""
import resource
import statistics
import sys
import time

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax import child, experiment
from gen_jax.command_line import Launch
from gen_jax.keys import stream
from gen_jax.modes._bench_seeds import bench_seeds, table
from gen_jax.modes._group import SEEDS
from gen_jax.modes._run import writing
from gen_jax.report.files import write_json
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.training import loop
from gen_jax.training.feed import Block, Endless

STRETCHES = 8  # how often the step is timed


FLAGS = {"seeds": SEEDS}


def run(launch: Launch) -> None:
    """The mode."""
    bench(launch.config, Workdir(launch.workdir), launch)


def bench(config: ConfigDict, workdir: Workdir, launch: Launch | None = None) -> None:
    """Times the compiled training loop of config on its own data, prints a table and writes bench.json.

    Nothing that is trained is kept. launch: asks for several seeds, which are then timed in every form.
    """
    began = time.perf_counter()
    built = experiment.build(config)
    batch_size, key = built.step_size, stream(built.config.seed, "train")
    progress, feed = built.begin(), built.feed()
    block = feed.block(0)
    ready = time.perf_counter()
    advance = loop.make_advance(built.step(), feed.batch_at).lower(progress, block, 0, key).compile()
    compiled = time.perf_counter()
    progress = jax.block_until_ready(advance(progress, block, 1, key))
    first = time.perf_counter()
    child.wait_for_others()
    seconds, peak_memory = _step_seconds(advance, progress, block, key), _peak_memory()
    step_s, peak = statistics.median(seconds), _peak_flops()
    flops = advance.cost_analysis().get("flops", float("nan"))
    result = {
        "images_per_s": batch_size / step_s, "images_per_s_lowest": batch_size / max(seconds),
        "images_per_s_highest": batch_size / min(seconds), "step_s": step_s, "batch_size": batch_size,
        "prepare_s": ready - began, "compile_s": compiled - ready, "first_step_s": first - ready,
        "flops_per_step": flops, "peak_flops_per_s": peak, "peak_share": flops / step_s / peak,
        "peak_memory_bytes": peak_memory, "device": jax.devices()[0].device_kind, "jax": jax.__version__,
    }
    _print_table(result)
    if launch and (num := launch.options["seeds"]):
        result |= {"seeds": num, "forms": bench_seeds(built, num, launch)}
        print("\n".join(table(result["forms"], num)))
    with writing(workdir):
        workdir.path.mkdir(parents=True, exist_ok=True)
        write_json(workdir.path / "bench.json", result)
    say(f"the same as numbers: {workdir.path / 'bench.json'}")


def _step_seconds(advance, progress: loop.Progress, block: Block | Endless, key: jax.Array) -> list[float]:
    """Seconds a step, of stretches of as many steps as take loop.STRETCH_SECONDS, as in training.

    The block's examples are trained on again and again: its last step is put back to its first.
    """
    def timed(progress, steps):
        start = jnp.zeros((), jnp.int32) + block.first
        progress = progress._replace(state=progress.state.replace(step=start))
        began = time.perf_counter()
        progress = jax.block_until_ready(advance(progress, block, block.first + steps, key))
        if names := loop.not_finite(progress.last):
            raise loop.Diverged(int(progress.state.step), names)
        return progress, (time.perf_counter() - began) / steps
    steps, seconds = 1, []
    while len(seconds) < STRETCHES:
        progress, per_step = timed(progress, steps)
        wanted = max(1, min(round(loop.STRETCH_SECONDS / per_step), block.end - block.first))
        if wanted > 2 * steps:  # too short to be timed
            steps = min(wanted, 4 * steps)
        else:
            seconds.append(per_step)
    return seconds


def _peak_flops() -> float:
    """FLOP/s of the fastest of some float32 matrix products: what this machine can do, in this process."""
    size = 2048 if jax.default_backend() == "cpu" else 8192
    a = jax.random.normal(jax.random.key(0), (size, size))
    product = jax.jit(jnp.matmul).lower(a, a).compile()
    jax.block_until_ready(product(a, a))
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        jax.block_until_ready(product(a, a))
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def _peak_memory() -> int:
    """Bytes on the device at their most; on a CPU, of the whole process."""
    stats = jax.devices()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    unit = 1 if sys.platform == "darwin" else 1024  # what getrusage counts in
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _print_table(result: dict) -> None:
    of = {name: value / 1e9 if "flops" in name else value for name, value in result.items()}
    rows = {
        "device": "{device}, jax {jax}",
        "speed": "{images_per_s:,.0f} examples/s ({images_per_s_lowest:,.0f} to {images_per_s_highest:,.0f}), batch "
                 "{batch_size}",
        "step": "{step_s:.4f} s",
        "start": "{prepare_s:.1f} s for data and state, then {compile_s:.1f} s to compile; with the first step "
                 "{first_step_s:.1f} s",
        "work": "{flops_per_step:,.2f} GFLOP a step, as XLA counts them",
        "peak": "{peak_share:.0%} of the {peak_flops_per_s:,.0f} GFLOP/s of a matrix product",
        "memory": "{peak_memory_bytes:,} bytes at most",
    }
    for name, form in rows.items():
        print(f"{name:<8} {form.format(**of)}")
