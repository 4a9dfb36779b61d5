"""The numbers of result.json, measured again from their protocols."""
from collections.abc import Mapping
from typing import Any, NamedTuple

from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.find import names
from gen_jax.keys import stream
from gen_jax.modes._run import run_eval
from gen_jax.protocol import RECORD, is_mean
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


def verify(workdir: Workdir, checkpoint: str = "latest") -> bool:
    """Whether the numbers of result.json come out with the same digits when they are measured again.

    Each is measured on the state, by the eval and with the settings that its protocol says. Prints each that differs,
    or that there is no more, and how many were compared. Means over training steps are not measured again. Raises
    UserError.

    checkpoint: the folder step_<number> is asked where it names another state than the latest.
    """
    at = workdir
    if checkpoint != "latest":
        at = workdir.of_step(load_run(workdir, {}, checkpoint).trained.step)
    result = read_json(at.result) or {"metrics": {}, "protocols": {}}
    protocols = {name: of for name, of in result.get("protocols", {}).items()
                 if result["metrics"].get(name) is not None}
    if not protocols:
        raise UserError(f"{at.result}: has no numbers with a protocol; measure the run with --mode=eval first")
    known = {name: of for name, of in protocols.items() if not is_mean(of["eval"], name)}
    again, differ = _measured_again(workdir, result["step"], known), 0
    for name in known:
        before, now = result["metrics"][name], again.get(name)
        differ += before != now
        if before != now:
            print(f"{name}: was {before!r}, " + ("cannot be measured again: there is no such number now, or its state "
                                                 "is another" if now is None else f"is {now!r}"))
    left = len(protocols) - len(known)
    print(f"{len(known) - differ} of {len(known)} numbers have the same digits"
          + (f"; {left} are means over training steps, which no state tells" if left else ""))
    return not differ


def _measured_again(workdir: Workdir, step: int, protocols: Mapping[str, dict[str, Any]]) -> dict[str, float]:
    """What evals and the validation find now in the run's state of a step, by name.

    Each number is taken from the measurement with its own protocol's settings, on its own protocol's state: where there
    is no such eval, or the state is another, it is not among them.
    """
    ways, line, found = _ways(protocols), Line(), {}
    for i, way in enumerate(ways, 1):
        run = load_run(workdir, way.overrides, str(step), way.evals)
        with line.evaluating(f"{way.name} {i}/{len(ways)}"):
            numbers = run_eval(way.name, run.trained, lambda *_: None).numbers if way.evals else _validated(run.trained)
        state = digest(run.state)
        found |= {name: numbers[name] for name in way.numbers
                  if name in numbers and protocols[name]["state"] == state}
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
