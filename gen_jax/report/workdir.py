"""A run's folder: whose it is, what config it has, where things are in it."""
import fcntl
import json
import os
from pathlib import Path

from ml_collections import ConfigDict

from gen_jax.config import differences
from gen_jax.errors import UserError
from gen_jax.report.files import read_json, write_json


class Workdir:
    """Paths in a run's folder: config.json, run.json, metrics.jsonl, checkpoints, samples, figures, result.json."""

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser().absolute()
        self._lock: int | None = None
        self.config, self.run, self.result = (self.path / f"{name}.json" for name in ("config", "run", "result"))
        self.metrics, self.timing = self.path / "metrics.jsonl", self.path / "timing.jsonl"
        self.checkpoints, self.samples, self.figures = (
            self.path / name for name in ("checkpoints", "samples", "figures"))

    def of_step(self, step: int) -> "Workdir":
        """The folder in it of what is measured of another step than the latest."""
        return Workdir(self.path / f"step_{step}")

    def saved(self, name: str) -> list[Path]:
        """The files that were saved during training under one name, in the order of epochs or steps."""
        numbers = {path: path.stem.removeprefix(f"{name}_") for path in self.samples.glob("*")
                   if path.name.startswith(f"{name}_")}
        return sorted((path for path in numbers if numbers[path].isdecimal()), key=lambda path: int(numbers[path]))

    def claim(self) -> None:
        """Makes the folder and holds it until the process ends. A second process is a UserError."""
        if self._lock is not None:
            return
        try:
            for path in (self.path, self.checkpoints, self.samples, self.figures):
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

    def adopt(self, config: ConfigDict) -> None:
        """Writes config.json, or finds that the run here has the same config. Another one is a UserError."""
        new = json.loads(config.to_json())
        if self.config.exists() and (changed := differences(self.stored_config().to_dict(), new)):
            raise UserError(f"--workdir={self.path}: the run there has another config; name another folder, or change "
                            "back:", *(f"  {line}" for line in changed))
        write_json(self.config, new)

    def stored_config(self) -> ConfigDict:
        """The config of the run here. A missing or unreadable one is a UserError."""
        stored = read_json(self.config)
        if stored is None:
            raise UserError(f"--workdir={self.path}: no run there (config.json is missing); train one first, or name "
                            "its folder")
        return ConfigDict(_tuples(stored))


def _tuples(value):
    """Lists as tuples, as configs have them."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
