"""One training session in a workdir: from the latest checkpoint to the last step."""
import math
import time

import jax
import jax.numpy as jnp

from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.experiment import Experiment
from gen_jax.find import nearest
from gen_jax.keys import stream
from gen_jax.modes._run import keeper, run_evals, runnable, tensorboard_of, trained_of, writing
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.progress import ProgressLine
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.training import loop
from gen_jax.training.checkpoint import Checkpoints
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.validate import make_validate


class Session:
    """Trains an experiment in a claimed workdir, resuming what is there."""

    def __init__(self, experiment: Experiment, workdir: Workdir):
        self.experiment, self.workdir, self.config = experiment, workdir, experiment.config
        config = self.config
        self.total_steps, self.record_steps = config.derived.total_steps, config.derived.record_steps
        self.key, self.eval_key = stream(config.seed, "train"), stream(config.seed, "validate")
        self.checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best)
        self.metrics, self.timing = MetricsLog(workdir.metrics), MetricsLog(workdir.timing)
        self.feed = experiment.feed()
        self.validate = make_validate(experiment.objective, experiment.test, config.evals.batch_size,
                                      config.train.on_device_gb)
        self.progress, self.spent = self._resume()
        self.tensorboard = None
        self.line = ProgressLine(self.total_steps, self.feed.steps_per_epoch, experiment.step_size)

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
        self.tensorboard = tensorboard_of(self.config, self.workdir, self.step)
        advance = self._compile()
        self.line.start(self.step)
        self.began = time.perf_counter() - self.spent
        try:
            self.progress = loop.run(self.progress, advance, self.feed, self.key, self.total_steps, self.record_steps,
                                     on_stretch=lambda progress, step: self.line.update(step),
                                     on_record=self._record, stopped=interrupts.requested)
            self._save({})
        finally:
            self.line.close()
        interrupts.raise_if_requested(f"stopped at step {self.step} of {self.total_steps} and saved; the same command "
                                      "goes on from there")

    def trained(self) -> Trained:
        """The state as evals see it."""
        return trained_of(self.experiment, self.progress.state, self.workdir)

    def _resume(self) -> tuple[loop.Progress, float]:
        """The progress of the latest whole checkpoint, or of a new run; seconds that were spent on it."""
        progress = self.experiment.begin()
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
        advance = loop.make_advance(self.experiment.step(), self.feed.batch_at).lower(
            self.progress, block, self.step, self.key).compile()
        self.validate(self.progress.state.averaged(), self.eval_key)
        return advance

    def _record(self, progress: loop.Progress, step: int) -> loop.Progress:
        """Validates, records, draws and saves, as they are due."""
        self.progress, derived = progress, self.config.derived
        record = {"step": step, **self._epoch(step), "images_seen": step * self.experiment.step_size,
                  **self._train_metrics(step), **self._test_metrics()}
        drawn = derived.evals_steps > 0 and step % derived.evals_steps == 0
        if drawn:
            record |= self._draw(f"_{record.get('epoch', step):04d}", step)
        complete = drawn or not derived.evals_steps  # other records may lack the metrics of evals.during
        if complete and self.checkpoints.best and self.checkpoints.best not in record:
            raise UserError(f"checkpoint.best: there is no metric {self.checkpoints.best!r}"
                            f"{nearest(self.checkpoints.best, sorted(name for name in record if '/' in name))}")
        spent = time.perf_counter() - self.began
        with writing(self.workdir):
            self.metrics.append(record)
            self.timing.append({"step": step, "wall_s": spent, "images_per_s": record["images_seen"] / spent})
            if self.tensorboard:
                self.tensorboard.record(record, record["images_seen"] / spent)
        self.line.update(step, {name: value for name, value in record.items() if "/" in name})
        self.progress = loop.recorded(progress)
        if step % derived.checkpoint_steps == 0 or step == self.total_steps:
            self._save(record)
        return self.progress

    def _epoch(self, step: int) -> dict[str, int]:
        """The epoch that has ended, where records are of whole epochs."""
        per_epoch = self.feed.steps_per_epoch
        return {"epoch": step // per_epoch} if per_epoch and self.record_steps % per_epoch == 0 else {}

    def _train_metrics(self, step: int) -> dict[str, float]:
        """Means over the steps since the last record; a game of one player calls them train/..., others by player."""
        means = loop.mean_metrics(self.progress, step % self.record_steps or self.record_steps)
        if len(self.experiment.objective.owns) > 1:
            return means
        return {f"train/{name.split('/')[1]}": value for name, value in means.items()}

    def _test_metrics(self) -> dict[str, float]:
        means = self.validate(self.progress.state.averaged(), self.eval_key)
        metrics = {f"test/{term}": value for term, value in means.items()}
        if wrong := [name for name, value in metrics.items() if not math.isfinite(value)]:
            raise loop.Diverged(self.step, wrong)
        return metrics

    def _draw(self, suffix: str, step: int) -> dict[str, float]:
        """Runs the evals that are due during training; their numbers."""
        trained = self.trained()
        names, _ = runnable(self.config.evals.during, trained)
        keep = keeper(self.workdir, self.workdir.samples, suffix, self.tensorboard, step)
        return {name: value for numbers in run_evals(names, trained, keep, self.line)
                for name, value in numbers.items()}

    def _save(self, metrics: dict[str, float]) -> None:
        with writing(self.workdir):
            self.spent = time.perf_counter() - self.began
            self.checkpoints.save(self.step, self.progress, metrics, {"spent": self.spent})
