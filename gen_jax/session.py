"""One training session in a workdir: from the latest checkpoint to the last step."""
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp

from gen_jax.errors import UserError
from gen_jax.evals import trained as evals
from gen_jax.experiment import Experiment
from gen_jax.find import nearest
from gen_jax.keys import stream
from gen_jax.report import pictures
from gen_jax.report.metrics import MetricsLog, TensorBoard
from gen_jax.report.progress import ProgressLine
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.training import loop
from gen_jax.training.checkpoint import Checkpoints
from gen_jax.training.feed import feed
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.validate import make_validate


class Session:
    """Trains an experiment in a claimed workdir, resuming what is there."""

    def __init__(self, experiment: Experiment, workdir: Workdir):
        self.experiment, self.workdir, self.config = experiment, workdir, experiment.config
        config = self.config
        self.steps_per_epoch, self.total_steps = config.derived.steps_per_epoch, config.derived.total_steps
        self.key, self.eval_key = stream(config.seed, "train"), stream(config.seed, "validate")
        self.checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best)
        self.metrics, self.timing = MetricsLog(workdir.metrics), MetricsLog(workdir.timing)
        self.feed = feed(experiment.train, config.seed, config.train.batch_size, config.train.on_device_gb)
        self.validate = make_validate(experiment.objective, experiment.test, config.evals.batch_size,
                                      config.train.on_device_gb)
        self.progress, self.spent = self._resume()
        self.tensorboard = _tensorboard(workdir, self.step) if config.log.tensorboard else None
        self.line = ProgressLine(self.total_steps, self.steps_per_epoch, config.train.batch_size)

    @property
    def step(self) -> int:
        """Steps finished."""
        return int(self.progress.state.step)

    def train(self, interrupts: Interrupts) -> None:
        """Trains to the last step, or to the step boundary after a signal; the state is saved in both cases.

        Raises Diverged, Interrupted, and UserError where the workdir cannot be written.
        """
        if self.step >= self.total_steps:
            return
        advance = self._compile()
        self.line.start(self.step)
        self.began = time.perf_counter() - self.spent
        try:
            self.progress = loop.run(self.progress, advance, self.feed, self.key, self.total_steps,
                                     on_stretch=lambda progress, step: self.line.update(step),
                                     on_epoch=self._end_epoch, stopped=interrupts.requested)
            self._save({})
        finally:
            self.line.close()
        interrupts.raise_if_requested(f"stopped at step {self.step} of {self.total_steps} and saved; the same command "
                                      "goes on from there")

    def trained(self) -> evals.Trained:
        """The state as evals see it."""
        return evals.Trained(self.config, self.experiment.objective, *self.progress.state.averaged(),
                             self.experiment.train, self.experiment.test, self.metrics.records(),
                             raw=self.progress.state.params, drawn=self.workdir.drawn)

    def _resume(self) -> tuple[loop.Progress, float]:
        """The progress of the latest whole checkpoint, or of a new run; seconds that were spent on it."""
        progress = self.experiment.start()
        with writing(self.workdir):
            restored = self.checkpoints.restore(progress, set_aside=True)
        if restored is None:
            meta = {"spent": 0.0}
        else:
            # Copied: the loop gives its buffers away, and a restored array may share its memory with the reader.
            progress, meta = jax.tree.map(jnp.copy, restored[0]), restored[1]
            say(f"resumed at step {int(progress.state.step)} of {self.total_steps}")
        with writing(self.workdir):
            for log in (self.metrics, self.timing):
                log.rewind(int(progress.state.step))
        return progress, meta["spent"]

    def _compile(self):
        """The compiled loop; the validation is compiled too, so that neither counts as training time."""
        block = self.feed.block(self.step)
        advance = loop.make_advance(self.experiment.step(), self.config.train.batch_size).lower(
            self.progress, block, self.step, self.key).compile()
        self.validate(*self.progress.state.averaged(), self.eval_key)
        return advance

    def _end_epoch(self, progress: loop.Progress, step: int) -> loop.Progress:
        """Validates, records, draws and saves, as they are due."""
        self.progress = progress
        epoch = step // self.steps_per_epoch
        record = {"step": step, "epoch": epoch, "images_seen": step * self.config.train.batch_size,
                  **self._train_metrics(), **self._test_metrics()}
        every = self.config.evals.every_epochs
        drawn = every > 0 and epoch % every == 0
        if drawn:
            record |= self._draw(f"_{epoch:04d}")
        complete = drawn or not every  # other records may lack the metrics of evals.during
        if complete and self.checkpoints.best and self.checkpoints.best not in record:
            raise UserError(f"checkpoint.best: there is no metric {self.checkpoints.best!r}"
                            f"{nearest(self.checkpoints.best, sorted(name for name in record if '/' in name))}")
        spent = time.perf_counter() - self.began
        with writing(self.workdir):
            self.metrics.append(record)
            self.timing.append({"step": step, "wall_s": spent, "images_per_s": record["images_seen"] / spent})
            if self.tensorboard:
                self.tensorboard.append(record)
        self.line.update(step, {name: value for name, value in record.items() if "/" in name})
        self.progress = loop.next_epoch(progress)
        if epoch % self.config.checkpoint.every_epochs == 0 or step == self.total_steps:
            self._save(record)
        return self.progress

    def _train_metrics(self) -> dict[str, float]:
        """This epoch's means; a game of one player calls them train/..., others by player."""
        means = loop.mean_metrics(self.progress, self.steps_per_epoch)
        if len(self.experiment.objective.owns) > 1:
            return means
        return {f"train/{name.split('/')[1]}": value for name, value in means.items()}

    def _test_metrics(self) -> dict[str, float]:
        means = self.validate(*self.progress.state.averaged(), self.eval_key)
        metrics = {f"test/{term}": value for term, value in means.items()}
        if wrong := [name for name, value in metrics.items() if not math.isfinite(value)]:
            raise loop.Diverged(self.step, wrong)
        return metrics

    def _draw(self, suffix: str) -> dict[str, float]:
        """Runs the evals that are due during training; their numbers."""
        trained = self.trained()
        names = [name for name in self.config.evals.during if not evals.lacks(name, trained)]
        return run_evals(names, trained, lambda name: self.workdir.samples / f"{name}{suffix}", self.workdir)

    def _save(self, metrics: dict[str, float]) -> None:
        with writing(self.workdir):
            self.spent = time.perf_counter() - self.began
            self.checkpoints.save(self.step, self.progress, metrics, {"spent": self.spent})


def run_evals(names: list[str], trained: evals.Trained, path: Callable[[str], Path], workdir: Workdir
              ) -> dict[str, float | str]:
    """Runs evals by name; their numbers and sentences. path: of each picture, by its name, without an ending."""
    numbers = {}
    for name in names:
        for what, result in evals.run(name, trained):
            if isinstance(result, (int, float, str)):
                numbers[what] = result
            else:
                with writing(workdir):
                    pictures.save(path(what), result)
    return numbers


@contextlib.contextmanager
def writing(workdir: Workdir) -> Iterator[None]:
    """Turns a failure to write into a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"--workdir={workdir.path}: cannot write there ({error.strerror or error}); what was saved "
                        "before is whole: make room or name another folder, and launch again") from error


def _tensorboard(workdir: Workdir, step: int) -> TensorBoard:
    try:
        return TensorBoard(workdir.path, purge_step=step + 1)
    except ImportError:
        raise UserError("log.tensorboard: needs tensorboardX; pip install -e '.[tensorboard]'") from None
