"""--mode=bench: what it writes, and that its numbers belong together."""
import json

import pytest

from gen_jax.modes import _bench_seeds, bench
from gen_jax.report.workdir import Workdir
from gen_jax.training import loop


def test_bench_writes_what_it_measured(tiny_config, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(loop, "STRETCH_SECONDS", 0.01)
    monkeypatch.setattr(bench, "range", lambda num: range(min(num, 2)), raising=False)  # two products are enough here
    bench.bench(tiny_config, Workdir(tmp_path))
    result = json.loads((tmp_path / "bench.json").read_bytes())
    assert result["images_per_s"] == pytest.approx(16 / result["step_s"])
    assert result["images_per_s_lowest"] <= result["images_per_s"] <= result["images_per_s_highest"]
    assert 0 < result["compile_s"] < result["first_step_s"]
    weights = 64 * 16 + 16 * 4 + 2 * 16 + 16 * 64  # of the encoder and the decoder
    flops = result["flops_per_step"]
    assert 4 * 16 * weights < flops < 12 * 16 * weights, "forward and backward: about 6 for each weight"
    assert result["peak_share"] == pytest.approx(flops / result["step_s"] / result["peak_flops_per_s"])
    assert result["peak_memory_bytes"] > 1e6
    table = capsys.readouterr().out
    assert "examples/s" in table and "GFLOP" in table and "to compile" in table
    assert not (tmp_path / "checkpoints").exists()


def test_seeds_are_timed_in_every_form(tiny, monkeypatch):
    monkeypatch.setattr(loop, "STRETCH_SECONDS", 0.002)
    monkeypatch.setattr(_bench_seeds, "_in_processes", lambda built, num, launch: 1e4)  # it takes seconds
    found = _bench_seeds.bench_seeds(tiny, 2, launch=None)
    assert [*found] == ["solo", "loop", "vmap", "processes"] and found["solo"]["to_solo"] == 1
    for of in found.values():
        assert 0 < of["images_per_s_lowest"] <= of["images_per_s"] <= of["images_per_s_highest"]
        assert of["to_solo"] == pytest.approx(of["images_per_s"] / found["solo"]["images_per_s"])
    lines = list(_bench_seeds.table(found, 2))
    assert lines[0].endswith("one seed") and "10,000 examples/s" in lines[3] and "2 seeds" in lines[3]
