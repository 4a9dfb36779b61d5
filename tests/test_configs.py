"""Every config runs in its :smoke variant, from launch to pictures, and says what it is."""
import ast
import functools
import importlib
import json
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import configs
from gen_jax import data, experiment, style
from gen_jax.modes.train import train
from gen_jax.parts import parts
from gen_jax.report import results
from gen_jax.report.workdir import Workdir

CHEAP = ("vae_digits", "dcgan_digits")  # what several configs have in common is tried in these, which are quick
FILES = sorted((path for path in Path(configs.__file__).parent.glob("*.py") if path.stem not in ("__init__", "base")),
               key=lambda path: (path.stem not in CHEAP, path.stem))


def says_what_it_shows(name, figure):
    """A figure has a title, its axes have names, and its text is no smaller than others'."""
    titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
    assert any(titles), f"{name} has no title"
    assert figure.get_figwidth() <= style.WIDTH, f"{name} is so wide that its text is small on a slide"
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= style.SMALL, name
    for axes in figure.axes:
        if axes.lines or axes.collections or axes.containers:
            for axis, shared in ((axes.xaxis, figure.get_supxlabel()), (axes.yaxis, figure.get_supylabel())):
                numbered = any(label.get_visible() and label.get_text() for label in axis.get_ticklabels())
                assert axis.get_label_text() or shared or not numbered, f"{name}: an axis has no name"


@functools.cache
def smoke(name):
    """A config's :smoke variant, to read."""
    return importlib.import_module(f"configs.{name}").get_config("smoke")


def before_it(name):
    """The configs before one in FILES."""
    stems = [path.stem for path in FILES]
    return stems[:stems.index(name)]


def evals_of_its_own(name, when):
    """Those of a config's evals that no config before it runs, in the order of FILES, of the same players and data.

    when: "end" or "during".
    """
    config = smoke(name)
    before = [other for other in map(smoke, before_it(name))
              if [*other.optim] == [*config.optim] and data.kind(other.data) == data.kind(config.data)]
    return tuple(own for own in config.evals[when] if not any(own in other.evals[when] for other in before))


def parts_of(name):
    """The parts that a config is made of, but for its evals."""
    return {(part.room, part.name) for part in parts(smoke(name)) if part.room != "evals"}


def brings_something(name):
    """Whether a config has a part or an eval that no config before it has."""
    return any(evals_of_its_own(name, when) for when in ("end", "during")) or parts_of(name) - set().union(
        *map(parts_of, before_it(name)))


@pytest.mark.parametrize("name", [path.stem for path in FILES if not brings_something(path.stem)])
def test_a_config_of_known_parts_fits_together(name):
    assert experiment.build(smoke(name)).config.derived.total_steps == 12


@pytest.mark.parametrize("name", [path.stem for path in FILES if brings_something(path.stem)])
def test_smoke(name, tmp_path, monkeypatch):
    workdir, save = Workdir(tmp_path / name), results.save

    def checked(path, result, *report):
        if isinstance(result, Figure):
            says_what_it_shows(path.name, result)
        save(path, result, *report)
    monkeypatch.setattr(results, "save", checked)
    config = smoke(name).copy_and_resolve_references()
    config.evals.end, config.evals.during = evals_of_its_own(name, "end"), evals_of_its_own(name, "during")
    train(config, workdir)
    result = json.loads(workdir.result.read_bytes())
    for key in ("config", "seed", "step", "images_seen", "wall_s", "images_per_s", "state_sha256", "data_fingerprint"):
        assert key in result, key
    assert len(result["state_sha256"]) == len(result["data_fingerprint"]) == 64
    assert (workdir.path / "report.html").exists()
    assert result["images_per_s"] == pytest.approx(result["images_seen"] / result["wall_s"])
    objective = result["config"]["objective"]
    batches = objective["disc_steps"] if objective.get("fresh_batches") else 1
    assert result["step"] == 12 and result["images_seen"] == 12 * 16 * batches
    metrics = result["metrics"]
    players = ["train"] if len(result["config"]["optim"]) == 1 else list(result["config"]["optim"])
    assert {f"{player}/loss" for player in players} <= set(metrics)
    assert {"test/loss", "test/recon"} <= set(metrics) or {"test/disc_loss", "test/gen_loss"} <= set(metrics)
    if "test/kl" in metrics:
        total = metrics["test/recon"] + objective["beta"] * metrics["test/kl"]
        assert metrics["test/loss"] == pytest.approx(total, rel=1e-5)
    assert len(list(workdir.figures.glob("*.png"))) >= 3 or name not in CHEAP
    records = [json.loads(line) for line in workdir.metrics.read_text().splitlines()]
    assert [record["step"] for record in records] == [6, 12]
    assert [record.get("epoch") for record in records] == ([None, None] if config.data.get("stream") else [1, 2])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_docstring_has_command_minutes_device_and_figure(path):
    text = ast.get_docstring(ast.parse(path.read_text()))
    for word in ("python launch.py", "minute", "CPU"):
        assert word in text, f"{path.name} does not say: {word}"
    figure = r"[0-9] nats|[0-9] modes|(nats|Fréchet|modes)[^:;]* [0-9]"
    assert re.search(figure, text), f"{path.name} does not say what to expect"
