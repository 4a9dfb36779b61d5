"""How fast several seeds train in each form, against one: for --mode=bench --seeds=4."""
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from gen_jax import child
from gen_jax.command_line import Launch
from gen_jax.errors import UserError
from gen_jax.experiment import Experiment, seeded
from gen_jax.keys import stream
from gen_jax.modes._group_runs import Group, num_bytes
from gen_jax.modes.forms.processes import slots
from gen_jax.report.files import read_json
from gen_jax.training import loop, seeds
from gen_jax.training.feed import Block, Endless, Feed

ROUNDS = 8  # how often each form is timed, in turn, so that all meet the same disturbances


@dataclass
class Timed:
    """A form at work: calls of one compiled loop, each of which advances as many seeds."""

    advance: Callable
    calls: list[tuple[loop.Progress, Block | Endless, jax.Array]]  # progress, block and keys of each
    num_seeds: int  # in all
    steps: int = 1  # of a stretch

    def step_seconds(self) -> float:
        """Seconds that one step of every seed takes. The block's examples are trained on again and again."""
        began = time.perf_counter()
        self.calls = [(self.advance(_put_back(progress, block), block, block.first + self.steps, key), block, key)
                      for progress, block, key in self.calls]
        jax.block_until_ready([progress for progress, *_ in self.calls])
        return (time.perf_counter() - began) / self.steps

    def settle(self) -> None:
        """Chooses the length of a stretch, about loop.STRETCH_SECONDS."""
        _, block, _ = self.calls[0]
        wanted = loop.STRETCH_SECONDS / min(self.step_seconds() for _ in range(3))
        self.steps = max(1, min(int(wanted), block.end - block.first))


def bench_seeds(built: Experiment, num: int, launch: Launch) -> dict[str, dict[str, float]]:
    """By form: images_per_s of num seeds together, median, lowest and highest; and its ratio to one run's, "solo"."""
    forms = {"solo": _one_by_one(built, 1), "loop": _one_by_one(built, num), "vmap": _in_one_program(built, num)}
    for form in forms.values():
        form.settle()
    rounds = [{name: form.num_seeds * built.step_size / form.step_seconds() for name, form in forms.items()}
              for _ in range(ROUNDS)]
    rates = {name: [rates[name] for rates in rounds] for name in forms}
    del forms
    if jax.default_backend() == "cpu":
        rates["processes"] = [_in_processes(built, num, launch)]
    solo = statistics.median(rates["solo"])
    return {name: {"images_per_s": statistics.median(some), "images_per_s_lowest": min(some),
                   "images_per_s_highest": max(some), "to_solo": statistics.median(some) / solo}
            for name, some in rates.items()}


def table(found: dict[str, dict[str, float]], num: int) -> Iterator[str]:
    """The lines of what bench_seeds has found."""
    for name, of in found.items():
        yield (f"{name:<9} {of['images_per_s']:,.0f} examples/s ({of['images_per_s_lowest']:,.0f} to "
               f"{of['images_per_s_highest']:,.0f}), " + ("one seed" if name == "solo" else
                                                          f"{num} seeds, {of['to_solo']:.2f} of solo"))


def _parts(built: Experiment, num: int) -> Iterator[tuple[loop.Progress, Feed, jax.Array]]:
    """Progress, feed and key of each seed, at the beginning."""
    feed, first = built.feed(), built.config.seed
    for seed in range(first, first + num):
        one = built._replace(config=seeded(built.config, seed))
        yield one.begin(), feed.with_seed(seed), stream(seed, "train")


def _one_by_one(built: Experiment, num: int) -> Timed:
    calls = [(progress, feed.block(0), key) for progress, feed, key in _parts(built, num)]
    return Timed(_compiled(built.step(), built.feed(), *calls[0]), calls, num)


def _in_one_program(built: Experiment, num: int) -> Timed:
    progresses, feeds, keys = zip(*_parts(built, num), strict=True)
    feed = seeds.SeedsFeed(feeds)
    call = seeds.together(progresses), feed.block(0), jnp.stack(keys)
    return Timed(_compiled(seeds.make_step(built.step()), feed, *call), [call], num)


def _compiled(step: Callable, feed: Feed | seeds.SeedsFeed, progress: loop.Progress, block: Any, key: jax.Array
              ) -> Callable:
    return loop.make_advance(step, feed.batch_at).lower(progress, block, 0, key).compile()


def _put_back(progress: loop.Progress, block: Block | Endless) -> loop.Progress:
    """The same progress at the block's first step."""
    return progress._replace(state=progress.state.replace(step=jnp.zeros((), jnp.int32) + block.first))


def _in_processes(built: Experiment, num: int, launch: Launch) -> float:
    """Images/s of as many processes as num seeds would be trained by at once, timed together."""
    words = [launch.words[0], *launch.words_of({}, ("workdir", "seeds"))]
    with tempfile.TemporaryDirectory() as folder, child.leash() as leash:
        running: dict[Path, subprocess.Popen] = {}
        with child.gate(Path(folder, "gate"), running.values()):
            for i, cores in enumerate(slots(Group([], num, num_bytes(built), None))):
                with open(at := Path(folder, f"{i}.log"), "wb") as log:
                    own = [*words, f"--workdir={at.with_suffix('')}"]
                    running[at] = child.start(own, cores, leash, log, str(Path(folder, "gate")))
        failed = [log for log, process in running.items() if process.wait()]
        if failed:
            raise UserError(f"--seeds={num}: a process that was to be timed failed: "
                            f"{failed[0].read_text(errors='replace').strip()[-200:]}")
        return sum(read_json(log.with_suffix("") / "bench.json")["images_per_s"] for log in running)
