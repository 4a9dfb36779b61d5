"""A run's folder: whose it is, what config it has, where things are in it."""
import fcntl
import itertools
import json
import os
import re
from pathlib import Path

from ml_collections import ConfigDict

from gen_jax.config import FORMAT, RUN
from gen_jax.errors import UserError
from gen_jax.folders import expanded
from gen_jax.identity import differences, run_id
from gen_jax.report.files import read_json, write_json
from gen_jax.report.group import FILE, read_group
from gen_jax.report.terminal import say
from gen_jax.stored import renewed

OF_A_RUN = (  # what a run and the modes that read it leave in its folder; config.json, which the rest needs, is last
    "checkpoints", "samples", "figures", "step_*", "sampled", "samples.npz",
    *(f"{name}.{ending}" for name in ("samples", "data") for ending in RUN["report"].settings["format"].must.known),
    "lab.html", "report.html", "bench.json", "events.out.tfevents*", "metrics.jsonl*", "timing.jsonl*", "result.json",
    "run.json", "launch.log", "config.json")
ADDRESS = re.compile("[a-z][a-z0-9+.-]*:/")


class Workdir:
    """Paths in a run's folder: config.json, run.json, metrics.jsonl, checkpoints, samples, figures, result.json."""

    def __init__(self, path: str | Path, flag: str = "--workdir"):
        """flag: what names it for a person."""
        if ADDRESS.match(str(path)):
            raise UserError(f"{flag}={path}: is an address; the folder must be on this machine")
        self.path, self.flag = expanded(path, flag).absolute(), flag
        self._lock: int | None = None
        self.group = self.path / FILE  # of a folder that holds runs, each in a folder of its own
        self.config, self.run, self.result = (self.path / f"{name}.json" for name in ("config", "run", "result"))
        self.metrics, self.timing = self.path / "metrics.jsonl", self.path / "timing.jsonl"
        self.checkpoints, self.samples, self.figures = (
            self.path / name for name in ("checkpoints", "samples", "figures"))

    @property
    def name(self) -> str:
        """What a person calls the run: its folder, after that of the group that it is in, if it is in one."""
        above = self.path.parents[:2]  # a point of a sweep, and its seed
        group = next((folder for folder in above if (folder / self.group.name).exists()), None)
        return str(self.path.relative_to(group.parent)) if group else self.path.name

    def of_step(self, step: int) -> "Workdir":
        """The folder in it of what is measured of another step than the latest."""
        return Workdir(self.path / f"step_{step}")

    def saved(self, name: str) -> list[Path]:
        """The files that were saved during training under one name, in the order of epochs or steps."""
        numbers = {path: path.stem.removeprefix(f"{name}_") for path in self.samples.glob("*")
                   if path.name.startswith(f"{name}_")}
        return sorted((path for path in numbers if numbers[path].isdecimal()), key=lambda path: int(numbers[path]))

    def claim(self) -> None:
        """Makes the run's folder and holds it until the process ends. A second process is a UserError, and a group's
        folder."""
        self.refuse_group()
        self._hold(self._folders())

    def claim_for_group(self) -> None:
        """The same for a folder that holds runs, each in a folder of its own. A run that is here is a UserError."""
        if self.config.exists() or self.checkpoints.exists() and any(self.checkpoints.iterdir()):
            raise UserError(f"--workdir={self.path}: a single run is there, and --seeds and --sweep need a folder of "
                            "their own; name another one")
        self._hold((self.path,))

    def refuse_group(self) -> None:
        """UserError where the folder holds runs, each in a folder of its own."""
        if group := read_group(self.path):
            runs = [run["folder"] for run in group["runs"]]
            raise UserError(f"{self.flag}={self.path}: holds {len(runs)} runs, {', '.join(runs[:8])}"
                            f"{', ...' * (len(runs) > 8)}; name one of them, {self.path / runs[0]} say, or train them "
                            "on with --seeds or --sweep")

    def _hold(self, folders: tuple[Path, ...]) -> None:
        if self._lock is not None:
            return
        try:
            for path in folders:
                path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / ".lock", os.O_CREAT | os.O_RDWR)  # open until the process ends
        except OSError as error:
            raise UserError(f"--workdir={self.path}: cannot write there ({error.strerror}); name another folder"
                            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise UserError(f"--workdir={self.path}: another process is at work there; wait for it, or name another "
                            "folder") from None
        self._lock = lock

    def release(self) -> None:
        """Lets go of the folder, so that another process may hold it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def move_aside(self) -> None:
        """Moves the run that is here, if one is, into a folder of its own in this one, old_1 say: a workdir like any.

        Nothing else in the folder is touched. Where a kill comes between, what is left here is refused or moved by the
        next launch. Raises OSError.
        """
        there = [path for pattern in OF_A_RUN for path in sorted(self.path.glob(pattern)) if path.is_file() or
                 any(path.iterdir())]
        if not there:
            return
        old = next(old for i in itertools.count(1) if not (old := self.path / f"old_{i}").exists())
        old.mkdir()
        for path in there:
            os.replace(path, old / path.name)
        for path in self._folders():
            path.mkdir(exist_ok=True)
        say(f"--restart: the run that was in {self.path} is in {old} now; a new one starts")

    def compare(self, config: ConfigDict) -> ConfigDict:
        """config with the id of the run here, if one is. Another config there, or none, is a UserError.

        config: resolved. It has the id of a new run.
        """
        if not self.config.exists():
            if any(self.checkpoints.iterdir()) or self.metrics.exists() and self.metrics.stat().st_size:
                raise UserError(f"--workdir={self.path}: a run's checkpoints or metrics are there, and its config.json "
                                "is missing; put it back, name another folder, or start anew with --restart, which "
                                "moves the old run aside")
            return config
        stored = self.stored_config()
        config = config.copy_and_resolve_references()
        config.derived.run = stored.derived.run
        if changed := differences(stored.to_dict(), json.loads(config.to_json())):
            raise UserError(f"--workdir={self.path}: the run there has another config; name another folder, or change "
                            "back:", *(f"  {line}" for line in changed))
        return config

    def adopt(self, config: ConfigDict) -> None:
        """Writes config.json. A value that cannot be read back as it is, is a UserError. Raises OSError."""
        new = json.loads(config.to_json())
        write_json(self.config, new)
        if changed := differences(self.stored_config().to_dict(), new):
            raise UserError(*(f"{line}: cannot be kept in config.json" for line in changed))

    def stored_config(self) -> ConfigDict:
        """The config of the run here. A missing or unreadable one, or one of another format, is a UserError."""
        stored = read_json(self.config)
        if stored is None:
            self.refuse_group()
            raise UserError(f"{self.path}: no run there (config.json is missing); train one first, or name "
                            "its folder")
        derived = stored.get("derived")
        if not isinstance(derived, dict) or derived.get("format") != FORMAT:
            raise UserError(f"{self.config}: was made by an older gen_jax, whose runs this one does not read, or by "
                            "something else: check out the commit in run.json beside it, or name another folder")
        derived.setdefault("run", run_id(stored))  # of a gen_jax that kept it nowhere, before it gets later settings
        return renewed(ConfigDict(_tuples(stored)), str(self.config))

    def _folders(self) -> tuple[Path, ...]:
        return self.path, self.checkpoints, self.samples, self.figures


def _tuples(value):
    """Lists as tuples, as configs have them."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
