"""kill -9 at random moments, most of them inside a save: the run ends in the bits of one that nothing disturbed."""
import random
import time

import pytest
from _launched import ended, outcome, start

pytestmark = pytest.mark.slow
KILLS = 12


def test_kills(tmp_path):
    assert ended(tmp_path / "whole")[0] == 0
    rng, run, kills, inside = random.Random(0), tmp_path / "run", 0, 0
    while kills < KILLS:
        if (run / "result.json").exists():  # it came to its end: the next
            assert outcome(run) == outcome(tmp_path / "whole")
            run = tmp_path / f"run{kills}"
        process, in_a_save = start(run), rng.random() < 0.8
        if in_a_save:
            while process.poll() is None and not list(run.glob("checkpoints/*.unfinished")):
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.25))
        else:
            time.sleep(rng.uniform(0, 8))
        inside += bool(list(run.glob("checkpoints/*.unfinished")))
        process.kill()
        process.communicate()
        kills += 1
    assert ended(run)[0] == 0
    assert outcome(run) == outcome(tmp_path / "whole")
    print(f"{kills} kills, {inside} of them inside a save, no wrong bit")
