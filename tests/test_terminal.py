"""What a person reads: the progress line, the lines at the end of a run, settings in words, TensorBoard's tags."""
import io
import os
import re
import shutil
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from configs import dcgan_digits, vae_digits
from gen_jax.evals import in_words, lacks, needs
from gen_jax.find import find, names
from gen_jax.identity import differences, length_is_fixed
from gen_jax.report import progress, settings, summary
from gen_jax.report.progress import Line, ProgressLine
from gen_jax.report.tensorboard import TensorBoard, board_of
from gen_jax.settings import Setting, at_least, one_of, placeholder
from gen_jax.types import Metric

RECORD = {"train/kl": 17.3, "train/loss": -36.8, "train/grad_norm": 93.9, "test/kl": 17.2, "test/loss": -24.8,
          "test/neg_elbo": -24.8}


class Terminal(io.StringIO):
    """A stream on a terminal of so many columns, and the rows that a person sees there."""

    def __init__(self, columns, monkeypatch):
        super().__init__()
        self.columns, self.rows, self.row = columns, [""], 0
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(shutil, "get_terminal_size", lambda fallback=None: os.terminal_size((self.columns, 24)))

    def isatty(self):
        return True

    def resize(self, columns):
        """Wraps what stands there anew."""
        text, self.columns = "".join(self.rows), columns
        self.rows = [text[i:i + columns] for i in range(0, len(text), columns)]
        self.row = len(self.rows) - 1

    def write(self, text):
        for code, words in re.findall(r"(\x1b\[K|\x1b\[A|\r|\n)|([^\x1b\r\n]+)", text):
            self.row -= code == "\x1b[A"
            if code == "\x1b[K":
                self.rows[self.row] = ""
            self.rows[self.row] += words
        return len(text)

    def shown(self):
        return [row for row in self.rows if row]


@pytest.fixture
def now(monkeypatch):
    """The progress line's clock, a list of one number of seconds."""
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize("columns", [10, 40, 80, 100, 200])
def test_the_line_fits_the_terminal_and_time_left_comes_first(columns, monkeypatch, now):
    stream = Terminal(columns, monkeypatch)
    line = ProgressLine(3300, 22, 64, stream)
    line.start(0)
    now[0] = 2.0
    line.update(1320, RECORD)
    (row,) = stream.shown()
    whole = ("0:03 left  42,240 examples/s  epoch 60.0/150  loss -36.80 (test -24.80)  kl 17.30 (test 17.20)  "
             "test/neg_elbo -24.80")
    assert whole.startswith(row) and len(row) < columns
    assert len(row) == {10: 9, 40: 28, 80: 71, 100: 94, 200: len(whole)}[columns]


def test_a_terminal_that_becomes_narrower_keeps_no_stale_row(monkeypatch, now):
    stream = Terminal(200, monkeypatch)
    line = ProgressLine(3300, 22, 64, stream)
    line.start(0)
    now[0] = 2.0
    line.update(22, RECORD)
    for columns in (60, 30, 100):
        stream.resize(columns)
        line.update(44, RECORD)
        assert len(stream.shown()) == 1, columns


def test_elsewhere_lines_are_plain_and_rare():
    stream = io.StringIO()
    line = ProgressLine(3300, 22, 64, stream)
    line.start(0)
    for step in range(22, 3301, 22):
        line.update(step)
        line.update(step, RECORD)
    first, last = stream.getvalue().splitlines()
    assert "epoch 1.0/150" in first and "test/neg_elbo" in first and "epoch 150.0/150" in last
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_without_escape_codes_gets_plain_lines(monkeypatch):
    stream = Terminal(80, monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    with Line(stream).evaluating("samples"):
        pass
    assert stream.rows[0] == "eval samples  0:00"
    with pytest.raises(ValueError), Line(stream := Terminal(80, monkeypatch)).evaluating("samples"):
        raise ValueError
    assert stream.shown() == []


def soon(condition):
    """Waits for what a thread does."""
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def test_an_eval_is_named_while_it_runs_and_leaves_no_row(monkeypatch):
    monkeypatch.setattr(progress, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.02)
    terminal, file = Terminal(80, monkeypatch), io.StringIO()
    for stream in (terminal, file):
        line, began = Line(stream), time.monotonic()
        with line.evaluating("concepts 7/13"):
            assert stream is file or soon(lambda: terminal.shown() == ["eval concepts 7/13  0:00"])
            assert stream is terminal or soon(lambda: file.getvalue().count("eval concepts 7/13") >= 2)
    assert terminal.shown() == []
    assert file.getvalue().count("eval concepts 7/13") <= 2 + (time.monotonic() - began) / 0.02
    line = ProgressLine(3300, 22, 64, terminal)
    with line.evaluating("samples 1/2"):
        assert soon(lambda: terminal.shown() and terminal.shown()[0].endswith("epoch 0.0/150  eval samples 1/2"))


# At the end

VAE = {"train/loss": 10.0, "train/grad_norm": 3.0, "test/loss": 12.0, "test/neg_elbo": 12.0, "neg_elbo/train": 9.5,
       "neg_elbo/test": 11.5, "recon/train": 4.5, "recon/test": 6.0, "kl/train": 5.0, "kl/test": 5.5,
       "log_px/test": -9.0,
       "active_units": 8, "concept/1_to_0/target": 0.75, "concept/1_to_0/random_target": 0.0}


def test_a_vae_s_end_is_five_rows_and_the_best_epoch():
    history = [{"step": 10 * i, "epoch": i, "test/loss": loss} for i, loss in ((1, 14.0), (2, 11.0), (3, 12.0))]
    lines = summary.summary(vae_digits.get_config(), history, VAE)
    assert [line.split() for line in lines] == [
        ["metric", "train", "test", "unit", "better"],
        ["neg_elbo", "9.5", "11.5", "nats", "per", "example", "lower"],
        ["log_px", "-9", "nats", "per", "example", "higher"],
        ["recon", "4.5", "6", "nats", "per", "example", "lower"],
        ["kl", "5", "5.5", "nats", "per", "example"],
        ["active_units", "8", "latents"],
        ["best", "epoch", "2", "of", "3:", "test/loss", "11"]]


def test_the_best_line_names_the_state_that_is_kept_and_knows_which_way_is_better():
    config = vae_digits.get_config()
    config.evals.end = ("log_likelihood",)
    history = [{"step": 10 * i, "epoch": i, "log_px/test": value} for i, value in ((1, -9.0), (2, -7.0), (3, -8.0))]
    for name, best, better in (("log_px/test", "2 of 3: log_px/test -7", True), ("test/loss", "", False)):
        config.checkpoint.best = name
        assert summary.is_higher_better(config, name) == better
        assert summary.summary(config, history, {}) == [f"best epoch {best}"] * better
    config.checkpoint.best = "log_px/test"
    assert summary.summary(config, history, {}, kept=20) == ["best epoch 2 of 3: log_px/test -7"]
    assert summary.summary(config, history, {}, kept=30) == [
        "best epoch 2 of 3: log_px/test -7 (not saved; the best that is saved: epoch 3, -8)"]


def test_a_gan_s_end_has_samples_beside_test_images_and_the_verdict():
    numbers = {"disc/loss": 0.5, "test/disc_loss": 1.0, "samples/diversity": 0.99, "samples/copied": 0.2,
               "health/verdict": "healthy at step 3300", "FD[digits-cnn:1a2b3c]/samples": 3.6,
               "FD[digits-cnn:1a2b3c]/test": 0.86, "accuracy[digits-cnn:1a2b3c]/test": None}
    lines = [line.split() for line in summary.summary(dcgan_digits.get_config(), [{"step": 1}], numbers)]
    assert lines == [["metric", "test", "samples", "unit", "better"],
                     ["FD[digits-cnn:1a2b3c]", "0.86", "3.6", "squared", "distance", "lower"],
                     ["samples/diversity", "0.99", "relative", "to", "test", "examples", "higher"],
                     ["samples/copied", "0.2", "share", "above", "chance", "lower"],
                     ["health/verdict:", "healthy", "at", "step", "3300"]]


def test_of_parts_that_declare_nothing_the_splits_are_shown():
    rows = summary.headlines({"train/energy": 1.0, "test/energy": 2.0, "train/grad_norm": 5.0, "brightness": 0.5}, {})
    assert [(row.name, row.values) for row in rows] == [("energy", {"train": 1.0, "test": 2.0})]


def test_what_was_measured_alone_is_all_printed():
    lines = summary.report(vae_digits.get_config(), {name: VAE[name] for name in VAE if "concept" in name})
    assert [line.split()[:2] for line in lines[1:]] == [["concept/1_to_0/target", "0.75"],
                                                        ["concept/1_to_0/random_target", "0"]]


def test_every_declared_metric_can_be_shown():
    for room in ("objectives", "evals"):
        for name in names(room):
            module = find(room, name)
            for metric in (module.metrics(module.hp()) if hasattr(module, "metrics") else
                           getattr(module, "METRICS", {})).values():
                assert isinstance(metric, Metric) and metric.better in ("lower", "higher", "")
                assert metric.of in summary.COLUMNS and metric.unit and len(metric.unit) < 50


def test_an_eval_that_compares_two_says_how_to_name_the_second():
    trained = SimpleNamespace(other=None, objective=SimpleNamespace(predict={"encode": None, "decode": None}),
                              spec=SimpleNamespace(given={}, kind=SimpleNamespace(tile=None, name="image")))
    assert "--config.evals.other=" in in_words(lacks(needs("ae_vs_vae"), trained))
    assert in_words(lacks(needs("samples"), trained)) == "this run's objective cannot draw samples"
    assert in_words(lacks(["encode", "kind:points"], trained)) == "this run's data are not of kind points"
    assert in_words(lacks(["depth"], trained)) == "this run's objective does not give depth"


def test_another_length_is_refused_with_the_reason_only_where_it_matters():
    def lines(schedule):
        old = ConfigDict({"derived": {"format": 2}, "optim": {"vae": {"schedule": schedule}}, "train": {"epochs": 3}})
        new = ConfigDict(old.to_dict())
        new.train.epochs = 4
        assert length_is_fixed(old) == (schedule != "constant")
        return differences(old.to_dict(), new.to_dict())
    assert lines("constant") == []
    changed, why = lines("cosine")
    assert changed == "train.epochs: 3 -> 4" and "scheduled over the whole run" in why


# Settings

def test_settings_say_meaning_type_and_range_within_the_terminal(monkeypatch):
    assert settings.explained(Setting(1.0, "so", at_least(0, 9))) == "so [a finite number, at least 0 and below 9]"
    assert settings.explained(Setting("a", "which", one_of("a", "b"))) == "which [a text, one of a, b]"
    assert settings.explained(Setting(placeholder(int), "steps")) == "steps [a whole number]"
    monkeypatch.setattr(sys, "stdout", Terminal(80, monkeypatch))
    lines = list(settings.describe(dcgan_digits.get_config(), "  --config."))
    for line in lines:
        assert len(line) <= 80 or line.startswith("  --config."), line  # a value is never broken
    text = "\n".join(lines)
    assert "  --config.objective.penalties = {}" in text and "!!python" not in text
    words = " ".join(text.replace("#", " ").split())
    assert "train.epochs = 150 passes over the training data; a ragged last step is left out" in words
    assert "of each [a whole number, positive and below 2**31]" in words


# TensorBoard

class Writer:
    """What tensorboardX's writer is asked for."""

    def __init__(self, *args, **kwargs):
        self.calls = []
        self.file_writer = self

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.calls.append((name, *args))


def test_tensorboard_gets_numbers_pictures_config_and_the_end(monkeypatch, tmp_path):
    hparams = SimpleNamespace(hparams=lambda settings, metrics: [(settings["train.epochs"], metrics)])
    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=Writer))
    monkeypatch.setitem(sys.modules, "tensorboardX.summary", hparams)
    config = vae_digits.get_config()
    config.log.tensorboard = True
    with board_of(config, tmp_path, 0) as board:
        pass
    assert "writer" not in vars(board)  # nothing was written
    with pytest.raises(KeyError), board_of(config, tmp_path, 0) as board:
        assert board.writer.calls[0][0] == "add_text"
        raise KeyError
    assert board.writer.calls[-1] == ("close",)
    board = TensorBoard(tmp_path, config, 0)
    board.record({"step": 22, "epoch": 1, **RECORD}, 1e4)
    board.picture("samples", np.zeros((8, 8, 1), np.uint8), 22)
    board.picture("losses", Figure(figsize=(2, 1)), 22)
    board.end({"log_px/test": -9.0, "health/verdict": "healthy"}, 22)
    calls = [call for call in board.writer.calls if call[0] != "flush"]
    scalars = {call[1] for call in calls if call[0] == "add_scalar"}
    assert scalars == {*RECORD, "norms/train_grad_norm", "speed/images_per_s", "final/log_px/test"} - {
        "train/grad_norm"}
    assert [(call[1], call[2].shape) for call in calls if call[0] == "add_image"] == [
        ("samples", (512, 512, 1)), ("losses", (100, 200, 3))]
    assert [call[1] for call in calls if call[0] == "add_text"] == ["config", "final/health/verdict"]
    assert "| train.epochs | 150 |" in calls[0][2]
    assert calls[-1] == ("add_summary", (150, {"final/log_px/test": -9.0}))
