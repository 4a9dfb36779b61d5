"""What was run: the settings and where they differ from the defaults, the launches, how to make the run again."""
import json
import shlex
from typing import Any

from ml_collections import ConfigDict

from gen_jax.config import declared
from gen_jax.pages.files import shortened
from gen_jax.report.files import read_json
from gen_jax.report.settings import explained, values_of
from gen_jax.report.workdir import Workdir

ORDER = ("seed", "data", "model", "objective", "optim", "train", "evals", "checkpoint", "log", "report")


def settings(config: ConfigDict) -> list[dict]:
    """Each setting of config: key, value, meaning, and its default where that is another. A part's name has none."""
    known = declared(config)

    def row(key: str, value: Any) -> dict:
        setting, is_name = known.get(key), key.endswith(".name") and not key.startswith("evals.")
        meaning = explained(setting) if setting else ""
        is_default = setting is None or (not is_name and _text(value) == _text(setting.value()))
        default = {} if is_default or is_name else {"default": _text(setting.value())}
        return {"key": key, "value": _text(value), "meaning": meaning, "differs": not is_default, **default}
    return sorted((row(key, value) for key, value in values_of(config).items()), key=_place)


def _place(row: dict) -> int:
    """Where a setting stands: those of what was trained first, those of how it was watched last."""
    section = row["key"].partition(".")[0]
    return ORDER.index(section) if section in ORDER else len(ORDER)


def launches(folder: Workdir) -> list[dict]:
    """Each launch of run.json, with its command as a shell takes it in the folder of the launch; [] without one."""
    known = (read_json(folder.run) or {}).get("launches", [])
    return [_shown(launch) for launch in known if isinstance(launch, dict)]


def _shown(launch: dict) -> dict:
    there = launch.get("folder", "")
    return {key: value for key, value in launch.items() if key != "folder"} | {
        "command": shortened(command(launch.get("command", [])), there, ".")}


def command(words: list[str]) -> str:
    """A launch's words as a shell takes them."""
    return shlex.join(["python", *words])


def as_file(config: ConfigDict) -> str:
    """config as config.json has it."""
    return json.dumps(json.loads(config.to_json()), indent=2)


def _text(value: Any) -> str:
    """A value as --config.key=value takes it."""
    if isinstance(value, ConfigDict):
        return "{}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_item, value))}{',' * (len(value) == 1)})"
    return "unset" if value is None else str(value) if value != "" else "''"


def _item(value: Any) -> str:
    return _text(value) if isinstance(value, (tuple, list)) else repr(value)
