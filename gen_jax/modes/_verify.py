"""The numbers of result.json, measured again from their protocols."""
from collections.abc import Mapping
from typing import Any

from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.find import names
from gen_jax.keys import stream
from gen_jax.modes._run import run_eval
from gen_jax.protocol import RECORD
from gen_jax.report.files import read_json
from gen_jax.report.progress import Line
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.training.validate import make_validate


def verify(workdir: Workdir, checkpoint: str = "latest") -> bool:
    """Whether the numbers of result.json come out with the same digits when they are measured again.

    Each is measured on the state, by the eval and with the settings that its protocol says. Prints each that differs,
    and how many were compared. Means over training steps are not measured again. Raises UserError.

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
    again = _measured_again(workdir, result["step"], protocols)
    known = {name: (result["metrics"][name], again[name]) for name in protocols if name in again}
    differ = {name: pair for name, pair in known.items() if pair[0] != pair[1]}
    for name, (before, now) in differ.items():
        print(f"{name}: was {before!r}, is {now!r}")
    left = len(protocols) - len(known)
    print(f"{len(known) - len(differ)} of {len(known)} numbers have the same digits"
          + (f"; {left} are means over training steps, which no state tells" if left else ""))
    return not differ


def _measured_again(workdir: Workdir, step: int, protocols: Mapping[str, dict[str, Any]]) -> dict[str, float]:
    """What evals and the validation find now in the run's state of a step, by name, with the protocols' settings."""
    settings = {of["eval"]: of["settings"] for of in protocols.values() if of["eval"] in names("evals")}
    overrides = {f"evals.{key if key == 'other' else f'{name}.{key}'}": value
                 for name, own in settings.items() for key, value in own.items()}
    trained, line, found = load_run(workdir, overrides, str(step), settings).trained, Line(), {}
    for i, name in enumerate(settings, 1):
        with line.evaluating(f"{name} {i}/{len(settings)}"):
            found |= run_eval(name, trained, lambda *_: None).numbers
    if any(of["eval"] == RECORD and name.startswith("test/") for name, of in protocols.items()):
        found = _validated(trained) | found
    return found


def _validated(trained: Trained) -> dict[str, float]:
    """The test terms, as a record of training has them."""
    hp = trained.config
    validate = make_validate(trained.objective, trained.test, hp.evals.batch_size, hp.train.on_device_gb)
    return {f"test/{term}": value for term, value in validate(trained.vars, stream(hp.seed, "validate")).items()}
