"""What result.json says, measured again from the protocols."""
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.find import names
from gen_jax.keys import stream
from gen_jax.modes._run import protocols_of, run_eval, state_of, unmeasured
from gen_jax.protocol import RECORD
from gen_jax.report.files import read_json
from gen_jax.report.progress import Line
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.training.state import digest
from gen_jax.training.validate import make_validate


class Way(NamedTuple):
    """How some numbers were measured."""

    name: str  # of the eval, or RECORD
    overrides: dict[str, Any]  # of the run's config
    numbers: list[str]  # their names

    @property
    def evals(self) -> tuple[str, ...]:
        """The eval, if it is one."""
        return () if self.name == RECORD else (self.name,)


class Measured(NamedTuple):
    """A number or a sentence, and how it was measured."""

    value: Any
    protocol: dict[str, Any]


def verify(workdir: Workdir, checkpoint: str = "latest") -> bool:
    """Whether all that result.json says comes out again: numbers with the same digits, sentences, and protocols.

    Each is measured on the state, by the eval and with the settings that its protocol says; means over training steps
    are read from the log that the checkpoint keeps. Prints what differs, and how much was compared. Raises UserError.

    checkpoint: the folder step_<number> is asked where it names another state than the latest.
    """
    workdir.refuse_group()
    at = workdir
    if checkpoint != "latest":
        at = workdir.of_step(load_run(workdir, {}, checkpoint).trained.step)
    result = read_json(at.result) or {"metrics": {}, "protocols": {}}
    before = {name: Measured(result["metrics"][name], of) for name, of in result.get("protocols", {}).items()
              if result["metrics"].get(name) is not None}
    if not before:
        raise UserError(f"{at.result}: has no numbers with a protocol; measure the run with --mode=eval first")
    again = _measured_again(workdir, result["step"], {name: measured.protocol for name, measured in before.items()})
    faults = {name: lines for name, measured in before.items() if (lines := [*_faults(measured, again.get(name))])}
    for name, lines in faults.items():
        print(f"{name}: {'; '.join(lines)}")
    print(f"{len(before) - len(faults)} of {len(before)} numbers and sentences come out again, with their protocols")
    return not faults


def _faults(before: Measured, now: Measured | None) -> Iterator[str]:
    """In words, how two measurements differ."""
    if now is None:
        yield "cannot be measured again: there is no such number now"
        return
    if before.value != now.value:
        yield f"was {before.value!r}, is {now.value!r}"
    for field in sorted({*before.protocol, *now.protocol}):
        old, new = before.protocol.get(field), now.protocol.get(field)
        if old != new:
            yield f"its protocol said {field} {old!r}, and it is {new!r}"


def _measured_again(workdir: Workdir, step: int, protocols: Mapping[str, dict[str, Any]]) -> dict[str, Measured]:
    """What evals, validation and log say now of the run's state of a step, by name, with the protocols' settings."""
    ways, line, found = _ways(protocols), Line(), {}
    for i, way in enumerate(ways, 1):
        run = load_run(workdir, way.overrides, str(step), way.evals)
        known = unmeasured(run)
        values, kept = known["metrics"], known["protocols"]
        with line.evaluating(f"{way.name} {i}/{len(ways)}"):
            if way.evals:
                new = run_eval(way.name, run.trained, lambda *_: None)
                values = values | new.numbers
                kept = kept | protocols_of(run, state_of(run, digest(run.state)), way.name, new)
            else:
                values = values | _validated(run.trained)
        found |= {name: Measured(values[name], json.loads(json.dumps(kept[name])))
                  for name in way.numbers if name in kept}
    return found


def _ways(protocols: Mapping[str, dict[str, Any]]) -> list[Way]:
    """The different ways in which numbers were measured."""
    ways: dict[str, Way] = {}
    for number, of in protocols.items():
        name = of["eval"]
        if name in (RECORD, *names("evals")):
            overrides = {f"evals.{key if key == 'other' else f'{name}.{key}'}": value
                         for key, value in of["settings"].items()}
            if "batch_size" in of:
                overrides["evals.batch_size"] = of["batch_size"]
            way = Way(name, overrides, [])
            ways.setdefault(repr(way), way).numbers.append(number)
    return [*ways.values()]


def _validated(trained: Trained) -> dict[str, float]:
    """The test terms, as a record of training has them."""
    hp = trained.config
    validate = make_validate(trained.objective, trained.test, hp.evals.batch_size, hp.train.on_device_gb)
    return {f"test/{term}": value for term, value in validate(trained.vars, stream(hp.seed, "validate")).items()}
