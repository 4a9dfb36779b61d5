"""Sessions of one experiment under several seeds, which advance in one program."""
import contextlib
from collections.abc import Callable, Iterator, Mapping

import jax
import jax.numpy as jnp

from gen_jax.modes._session import NOT_BEGUN, Session
from gen_jax.report.progress import ProgressLine, clock
from gen_jax.report.tensorboard import TensorBoard
from gen_jax.report.terminal import say
from gen_jax.training import loop, seeds
from gen_jax.training.interrupt import Interrupted, Interrupts


class SeedGroup:
    """Trains sessions together. Each keeps its own records and checkpoints, as if it were trained alone."""

    def __init__(self, sessions: Mapping[Session, TensorBoard | None]):
        """sessions: with what shows each in TensorBoard."""
        self.sessions = sessions
        self.faults: dict[Session, Exception] = {}  # what has stopped a session; it stops no other

    def train(self, interrupts: Interrupts) -> dict[Session, Exception]:
        """Trains all to the last step, or to the step boundary after a signal; every state is saved in both cases.

        Those that are at the same step advance together. What it returns has stopped single sessions. Raises
        Interrupted.
        """
        self.interrupts = interrupts
        while left := [session for session in self.sessions if not session.is_done and session not in self.faults]:
            step = min(session.step for session in left)
            self._train_some([session for session in left if session.step == step])
            interrupts.raise_if_requested(left[0].stopped(left[0].step))
        return self.faults

    def _train_some(self, some: list[Session]) -> None:
        """Trains sessions that are at one step: to the end, to a signal, or until one of them fails."""
        self.some, first = some, some[0]
        feed = seeds.SeedsFeed([session.feed for session in some])
        key = jnp.stack([session.key for session in some])
        line = ProgressLine(first.total_steps, feed.steps_per_epoch, len(some) * first.experiment.step_size)
        with self.interrupts.at_once(NOT_BEGUN):
            advance = self._compiled(feed, key)
            first.warm_up()
        for session in some:
            session.begin(self.interrupts, self.sessions[session], line)
        try:
            for session in some:
                with self._noting(session):
                    session.record_due()
            self._advance(advance, feed, key, line)
            for session in self._sound():
                with self._noting(session):
                    session.save(due=session.due)
        finally:
            line.close()
        seen = first.total_steps * first.experiment.step_size
        for session in filter(lambda session: session.is_done, self._sound()):
            say(f"{session.workdir.path}: trained on {seen:,} examples in {clock(session.spent)}, beside "
                f"{len(some) - 1} other seeds")

    def _compiled(self, feed: seeds.SeedsFeed, key: jax.Array) -> Callable:
        """The training loop of the sessions at work: see loop.make_advance."""
        first = self.some[0]
        advance = loop.make_advance(seeds.make_step(first.experiment.step()), feed.batch_at)
        progress = jax.eval_shape(seeds.together, [session.progress for session in self.some])
        return advance.lower(progress, feed.block(first.step), first.step, key).compile()

    def _advance(self, advance: Callable, feed: seeds.SeedsFeed, key: jax.Array, line: ProgressLine) -> None:
        """Runs the loop, and gives each session its part of what has come of it."""
        first = self.some[0]

        def kept(progress: loop.Progress, *args) -> loop.Progress:
            self.progress = advance(progress, *args)
            return self.progress
        self.progress, self.recorded = seeds.together([session.progress for session in self.some]), first.step
        with contextlib.suppress(loop.Diverged):  # whose it is, is found below
            loop.run(self.progress, kept, feed, key, first.total_steps, first.record_steps,
                     on_stretch=lambda _, step: line.update(step), on_record=self._record,
                     stopped=lambda: self.interrupts.requested() or len(self._sound()) < len(self.some))
        for session, progress in zip(self.some, seeds.apart(self.progress, len(self.some)), strict=True):
            session.progress = progress
            if names := loop.not_finite(progress.last):
                self.faults[session] = loop.Diverged(session.step, names)
            # Of a step at which another one has diverged, the record is still to be made.
            session.due = session.due or session.step != self.recorded and session.is_at_record

    def _record(self, progress: loop.Progress, step: int) -> loop.Progress:
        """Has every session make its record. Where a signal comes between, all are saved as far as they are."""
        left = dict(zip(self.some, seeds.apart(progress, len(self.some)), strict=True))
        try:
            while left:
                session = next(iter(left))
                with self._noting(session):
                    session.record(left.pop(session), step)
        except Interrupted:
            for session in self._sound():
                session.progress = left.get(session, session.progress)
                with self._noting(session):
                    session.save(due=session in left)
            raise
        self.progress, self.recorded = seeds.together([session.progress for session in self.some]), step
        return self.progress

    def _sound(self) -> list[Session]:
        """The sessions at work that nothing has stopped."""
        return [session for session in self.some if session not in self.faults]

    @contextlib.contextmanager
    def _noting(self, session: Session) -> Iterator[None]:
        """A context: what stops the session inside it stops no other. A signal passes."""
        try:
            yield
        except Exception as error:
            self.faults[session] = error
