"""One training session in a workdir: from the latest checkpoint to the last step."""
import math
import time
from collections.abc import Mapping
from dataclasses import replace

from gen_jax.data import described
from gen_jax.errors import UserError
from gen_jax.evals import Trained, lacks, needs
from gen_jax.experiment import Experiment
from gen_jax.find import nearest
from gen_jax.keys import stream
from gen_jax.modes._programs import Programs
from gen_jax.modes._run import keeper, run_eval, writing
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.progress import ProgressLine, clock
from gen_jax.report.summary import is_higher_better
from gen_jax.report.tensorboard import TensorBoard
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import trained_of
from gen_jax.training import loop
from gen_jax.training.checkpoint import Checkpoints, saved_log
from gen_jax.training.interrupt import Interrupted, Interrupts

NOT_BEGUN = "stopped before a step of this launch was made; the same command goes on"


class Session:
    """Trains an experiment in a claimed workdir, resuming what is there."""

    def __init__(self, experiment: Experiment, workdir: Workdir, programs: Programs | None = None):
        """programs: of this experiment under any seed, where there are some already."""
        self.programs = programs or Programs(experiment)
        self.experiment, self.workdir, self.config = experiment, workdir, experiment.config
        config = self.config
        self.total_steps, self.record_steps = config.derived.total_steps, config.derived.record_steps
        self.key, self.eval_key = stream(config.seed, "train"), stream(config.seed, "validate")
        self.checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best,
                                       config.derived.run, is_higher_better(config, config.checkpoint.best))
        self.metrics, self.timing = MetricsLog(workdir.metrics), MetricsLog(workdir.timing)
        self.feed = self.programs.feed_of(config.seed)
        self.known: dict[str, dict] = {}  # of numbers that evals give in training, how they were measured
        self.progress, self.spent, self.due = self._resume()
        self.line = ProgressLine(self.total_steps, self.feed.steps_per_epoch, experiment.step_size)

    @property
    def step(self) -> int:
        """Steps finished."""
        return int(self.progress.state.step)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to train, nor to record."""
        return self.step >= self.total_steps and not self.due

    @property
    def is_at_record(self) -> bool:
        """Whether a record is due at the step where it is."""
        return self.step % self.record_steps == 0 or self.step == self.total_steps

    def train(self, interrupts: Interrupts, tensorboard: TensorBoard | None = None) -> None:
        """Trains to the last step, or to the step boundary after a signal; the state is saved in both cases.

        Raises Diverged, Interrupted, and UserError where the workdir cannot be written.
        """
        if self.is_done:
            return
        with interrupts.at_once(NOT_BEGUN):
            advance = self.programs.advance(self.progress, self.feed, self.step, self.key)
            self.warm_up()
        self.begin(interrupts, tensorboard, self.line)
        try:
            self.record_due()
            self.progress = loop.run(self.progress, advance, self.feed, self.key, self.total_steps, self.record_steps,
                                     on_stretch=lambda progress, step: self.line.update(step),
                                     on_record=self.record, stopped=interrupts.requested)
            self.save()
        finally:
            self.line.close()
        interrupts.raise_if_requested(self.stopped(self.step))
        seen = self.total_steps * self.experiment.step_size
        say(f"trained on {seen:,} examples in {clock(self.spent)}, {seen / self.spent:,.0f} examples/s")

    def begin(self, interrupts: Interrupts, tensorboard: TensorBoard | None, line: ProgressLine) -> None:
        """What follows is training: the clock runs. line: where progress is shown."""
        self.interrupts, self.tensorboard, self.line = interrupts, tensorboard, line
        self.line.start(self.step)
        self.began = time.perf_counter() - self.spent

    def trained(self) -> Trained:
        """The state as evals see it. The log is this session's own, so it is compared with no checkpoint's copy."""
        return trained_of(self.experiment, self.progress.state, self.workdir, self.metrics.history(self.step),
                          self.known)

    def _going_on(self) -> Trained:
        """The state as evals see it during training. No second run is loaded for it."""
        return replace(self.trained(), training=True, find_other=lambda: None)

    def _resume(self) -> tuple[loop.Progress, float, bool]:
        """The progress of the latest whole checkpoint, or of a new run; seconds that were spent on it; whether the
        record of its step is still to be made."""
        progress, meta = self.experiment.begin(), {"spent": 0.0}
        self.checkpoints.refuse_others()
        self._refuse_too_short()
        with writing(self.workdir):
            restored = self.checkpoints.restore(progress, set_aside=True)
        if restored is None:
            self._refuse_to_forget()
            say(f"{self.workdir.path}: {self.total_steps:,} steps, with a record every {self.record_steps:,}")
        else:
            progress, meta = restored
            self.known = meta.get("known", {})
            say(f"resumed at step {int(progress.state.step):,} of {self.total_steps:,}")
        step, due = int(progress.state.step), meta.get("due", False)
        with writing(self.workdir):
            self.metrics.rewind(step - due, saved_log(self.workdir.checkpoints / str(step)))
            self.timing.rewind(step - due)
        return progress, meta["spent"], due

    def _refuse_too_short(self) -> None:
        """Raises UserError where more steps are saved than the run is to have."""
        last = self.checkpoints.last_step()
        if last > self.total_steps:
            epochs = self.config.derived.steps_per_epoch
            enough = f"train.epochs={-(-last // epochs)}" if epochs else f"train.steps={last}"
            raise UserError(f"--workdir={self.workdir.path}: the run there has done {last} steps, and this config ends "
                            f"at {self.total_steps}; set {enough} or more, or name another folder")

    def _refuse_to_forget(self) -> None:
        """Raises UserError where a run has come further than to its first checkpoint, and has no checkpoint now."""
        steps = [record["step"] for record in self.metrics.records()]
        if self.workdir.result.exists() or max(steps, default=0) > self.config.derived.checkpoint_steps:
            raise UserError(f"{self.workdir.checkpoints}: is empty, and a run has been here; put its checkpoints back, "
                            "or start anew with --restart, which moves the old run aside")

    def warm_up(self) -> None:
        """Compiles what each record and each checkpoint takes, so that it does not count as training time."""
        self.programs.validate(self.progress.state.averaged(), self.eval_key)
        self._meta()

    def record_due(self) -> None:
        """Makes the record that was still to be made when the state was saved."""
        if self.due:
            self.progress, self.due = self.record(self.progress, self.step), False

    def record(self, progress: loop.Progress, step: int) -> loop.Progress:
        """Validates, records, draws and saves, as they are due. The progress to go on with."""
        self.progress, derived = progress, self.config.derived
        record = {"step": step, **self._epoch(step), "images_seen": step * self.experiment.step_size,
                  **self._train_metrics(step)}
        drawn = derived.evals_steps > 0 and step % derived.evals_steps == 0
        try:
            with self.interrupts.at_once(self.stopped(step), patient=True):
                record |= self._test_metrics()
                record |= self._draw(f"_{record.get('epoch', step):04d}", step) if drawn else {}
            if drawn or not derived.evals_steps:  # other records may lack the metrics of evals.during
                self._check_best(record)
        except loop.Diverged:
            raise
        except (Exception, Interrupted):
            self.save(due=True)
            raise
        spent = time.perf_counter() - self.began
        with writing(self.workdir):
            self.metrics.append(record)
            self.timing.append({"step": step, "wall_s": spent, "images_per_s": record["images_seen"] / spent})
            if self.tensorboard:
                self.tensorboard.record(record, record["images_seen"] / spent)
        self.line.update(step, {name: value for name, value in record.items() if "/" in name})
        self.progress = loop.recorded(progress)
        if step % derived.checkpoint_steps == 0 or step == self.total_steps:
            self.save(record)
        return self.progress

    def _check_best(self, record: dict) -> None:
        known = sorted(name for name, value in record.items() if "/" in name and not isinstance(value, str))
        if self.checkpoints.best and self.checkpoints.best not in known:
            raise UserError(f"checkpoint.best: there is no metric {self.checkpoints.best!r} that is a number"
                            f"{nearest(self.checkpoints.best, known)}")

    def stopped(self, step: int) -> str:
        """What is said of a run that was stopped there."""
        return f"stopped at step {step} of {self.total_steps} and saved; the same command goes on from there"

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
        means = self.programs.validate(self.progress.state.averaged(), self.eval_key)
        metrics = {f"test/{term}": value for term, value in means.items()}
        if wrong := [name for name, value in metrics.items() if not math.isfinite(value)]:
            raise loop.Diverged(self.step, wrong)
        return metrics

    def _draw(self, suffix: str, step: int) -> dict[str, float]:
        """Runs the evals that are due during training; their numbers, without their sentences."""
        trained, numbers = self._going_on(), {}
        keep = keeper(self.workdir, self.workdir.samples, suffix, self.config.report, self.tensorboard, step)
        names = [name for name in self.config.evals.during if not lacks(needs(name), trained)]
        for i, name in enumerate(names, 1):
            with self.line.evaluating(f"{name} {i}/{len(names)}"):
                found = run_eval(name, trained, keep)
            numbers |= found.numbers
            self.known |= found.known
        return {name: value for name, value in numbers.items() if not isinstance(value, str)}

    def save(self, metrics: Mapping[str, float] | None = None, due: bool = False) -> None:
        """Saves the state. metrics: of its record; due: that is still to be made, when the run goes on."""
        with writing(self.workdir):
            self.spent = time.perf_counter() - self.began
            self.checkpoints.save(self.step, self.progress, metrics or {},
                                  {"spent": self.spent, "due": due, **self._meta()}, self.metrics.sync())

    def _meta(self) -> dict:
        """What a checkpoint says of the data, with which the model can be used without them, and of the records."""
        return {"known": self.known, "data": described(self.experiment.spec),
                "codes": self.programs.codes.of(self._going_on())}
