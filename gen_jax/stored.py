"""A config as an earlier launch, or an older gen_jax, has stored it."""
from collections.abc import Iterable

from ml_collections import ConfigDict

from gen_jax import parts
from gen_jax.config import RUN, check_form
from gen_jax.find import names
from gen_jax.settings import Settings
from gen_jax.types import Metric

RENAMED = {"frechet": "quality"}  # evals


def renewed(config: ConfigDict, what: str) -> ConfigDict:
    """config itself, made what this gen_jax makes of the same settings.

    Sections and settings that there were not yet get their defaults. Evals have their present names. Unset values get
    their type again, so that they can be set. Raises UserError where config is not of the form.

    what: config is, in words.
    """
    for name, settings in RUN.items():
        if name not in config:
            config[name] = ConfigDict()
        if isinstance(config[name], ConfigDict):
            _renew(config[name], settings)
    check_form(config, what)
    for key in ("end", "during"):
        config.evals[key] = tuple(RENAMED.get(name, name) for name in config.evals[key])
    for part in parts.parts(config):
        if part.hp:
            _renew(part.section, part.hp)
    return config


def metrics(config: ConfigDict, ran: Iterable[str] = ()) -> dict[str, Metric]:
    """What the parts of a stored run declare of its numbers; what evals that are no more have declared is not known.

    ran: names of evals beside those that config names, as they were when they ran.
    """
    config, known = config.copy_and_resolve_references(), names("evals")

    def present(evals: Iterable[str]) -> tuple[str, ...]:
        return tuple(new for name in evals if (new := RENAMED.get(name, name)) in known)
    with config.unlocked():
        for key in ("end", "during"):
            config.evals[key] = present(config.evals[key])
    return parts.metrics(config, present(ran))


def _renew(section: ConfigDict, settings: Settings) -> None:
    """Adds to section the settings that it lacks, and gives unset values their type, which JSON does not keep."""
    for key, value in settings.values().items():
        if key in section and section[key] is None and settings.settings[key].may_be_unset:
            del section[key]
        if key not in section:
            section[key] = value
