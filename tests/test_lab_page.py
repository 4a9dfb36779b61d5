"""lab.html in a real browser: what it plays, how it is steered, where it fits."""
import base64
import json
import re

import numpy as np
import pytest

from gen_jax.evals.lab._page import Frame, Run, page

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 380, "height": 800}


def run(title="ring", frames=6, every=100, samples=40, side=12, grid=5) -> Run:
    """Samples that walk from the middle to a ring, judged by a discriminator which likes the right half."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(samples, 2))
    ring = z / np.linalg.norm(z, axis=1, keepdims=True)
    heat = np.tile(np.linspace(0, 1, side), (side, 1))
    latents = np.stack(np.meshgrid(*[np.linspace(-1, 1, grid)] * 2), -1)
    ways = np.linspace(0.1, 1, frames)
    numbers = [{"modes/covered": 8 * way, "loss": float("nan")} for way in ways]
    return Run(title, rng.normal(size=(1000, 2)), (-2, 2, -2, 2),
               [Frame(i * every, way * ring, heat, ring, way * latents, numbers[i]) for i, way in enumerate(ways)])


def content(runs: list[Run]) -> list[dict]:
    """What page(runs) holds of them."""
    return json.loads(re.search(rb'<script [^>]*id="runs">(.*?)</script>', page(runs), re.DOTALL)[1])


@pytest.fixture
def visit(opened, tmp_path):
    """(runs, settings of the browser) -> their page, opened."""
    def visit(runs, viewport=WIDE, **settings):
        path = tmp_path / "lab.html"
        path.write_bytes(page(runs))
        return opened(path, "body[data-step]", viewport=viewport, **settings)
    return visit


def step(tab) -> int:
    """The step on show."""
    return int(tab.evaluate("document.body.dataset.step"))


def playing(tab) -> bool:
    return tab.evaluate("document.body.dataset.playing") == "true"


def pixels(tab) -> str:
    return tab.evaluate("document.querySelector('canvas').toDataURL()")


def test_it_shows_the_end_and_plays_from_the_beginning(visit):
    tab = visit([run(frames=21)], PHONE)
    assert step(tab) == 2000 and not playing(tab) and tab.locator("#step").inner_text() == "step 2,000"
    tab.click("#play")
    tab.wait_for_selector("body[data-playing=true]:not([data-step='0'])")
    assert tab.get_attribute("#play", "aria-label") == "Pause"
    tab.click("#play")
    at, picture = step(tab), pixels(tab)
    assert not playing(tab) and 0 < at < 2000
    tab.wait_for_timeout(200)
    assert step(tab) == at and pixels(tab) == picture
    tab.select_option("#speed", "8")
    tab.click("#play")
    tab.wait_for_selector("body[data-playing=false]")
    assert step(tab) == 2000


def test_samples_glide_between_frames_but_for_who_wants_no_motion(visit):
    count = """async () => {
        const seen = new Set();
        document.querySelector("#play").click();
        while (document.body.dataset.playing === "true") {
          seen.add(document.querySelector("canvas").toDataURL());
          await new Promise(requestAnimationFrame);
        }
        return seen.size;
    }"""
    runs = [run(frames=2)]
    assert visit(runs, PHONE).evaluate(count) > 2
    assert visit(runs, PHONE, reduced_motion="reduce").evaluate(count) == 1, "the first, until it ends with the second"


def test_the_slider_and_the_keys_move_it(visit):
    tab = visit([run()], PHONE)
    tab.locator("#time").fill("2")
    assert step(tab) == 200 and tab.get_attribute("#time", "aria-valuetext") == "step 200"
    for key, wanted in (("ArrowRight", 300), ("Home", 0), ("ArrowLeft", 0), ("End", 500), ("ArrowLeft", 400)):
        tab.keyboard.press(key)
        assert step(tab) == wanted, key
    for key, wanted in (("+", "2"), ("-", "1"), ("-", "0.5")):
        tab.keyboard.press(key)
        assert tab.input_value("#speed") == wanted, key
    for focus in ("#time", "#play"):
        tab.focus(focus)
        for wanted in (True, False):
            tab.keyboard.press("Space")
            assert playing(tab) == wanted, focus


def test_each_layer_has_a_switch_and_a_key(visit):
    tab = visit([run()], PHONE)
    for name, key in zip(("samples", "data", "heat", "gradients", "manifold"), "sdhgl", strict=True):
        before, box = pixels(tab), tab.locator(f"#layers input[value={name}]")
        tab.keyboard.press(key)
        without = pixels(tab)
        assert without != before and not box.is_checked(), name
        box.focus()
        tab.keyboard.press("Space")
        assert box.is_checked() and not playing(tab) and pixels(tab) == before, name


def test_layers_that_no_run_has_are_left_out(visit):
    full = run()
    vae = full._replace(frames=[frame._replace(heat=None, gradients=None) for frame in full.frames])
    left = visit([vae]).locator("#layers input:visible")
    assert [box.get_attribute("value") for box in left.all()] == ["samples", "data", "manifold"]
    assert visit([vae, full]).locator("#layers input:visible").count() == 5


def test_two_runs_follow_one_clock_and_stand_where_there_is_room(visit):
    runs = [run("one", every=100), run("two", every=150, frames=3)]
    tab = visit(runs)
    tab.locator("#time").fill("3")  # of 0, 100, 150, 200, 300, 400, 500
    assert [tab.locator("canvas").nth(i).get_attribute("data-step") for i in range(2)] == ["200", "150"]
    one, two = (tab.locator("canvas").nth(i).bounding_box() for i in range(2))
    assert one["y"] == two["y"] and two["x"] > one["x"] + one["width"]
    tab.set_viewport_size(PHONE)
    one, two = (tab.locator("canvas").nth(i).bounding_box() for i in range(2))
    assert one["x"] == two["x"] and two["y"] > one["y"] + one["height"] and one["width"] > 300
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380


def test_a_dark_room_gets_a_dark_page(visit):
    def background(scheme):
        tab = visit([run()], PHONE, color_scheme=scheme)
        return tab.evaluate("getComputedStyle(document.body).backgroundColor"), pixels(tab)
    (light, light_picture), (dark, dark_picture) = background("light"), background("dark")
    assert light == "rgb(255, 255, 255)" and dark != light and dark_picture != light_picture


def test_what_is_not_finite_and_what_is_in_a_title_is_harmless(visit):
    title = "</script><script>throw 1</script> & <b>ring</b> {{RUNS}}"
    broken = run(title)
    broken.frames[2].samples[:3] = [np.nan, 0], [np.inf, np.inf], [1e30, 0]
    broken.frames[2].gradients[5:7] = [np.nan, 1], [-np.inf, 0]
    tab = visit([broken], PHONE)
    assert tab.locator("h2").inner_text() == title
    tab.locator("#time").fill("2")
    assert tab.locator("tr th").all_inner_texts() == ["modes/covered", "loss", "samples out of the picture"]
    assert tab.locator("tr .number").all_inner_texts() == ["3.68", "–", "3"]
    lost = run(frames=1)
    lost.frames[0].samples[:] = np.nan
    assert visit([lost]).locator("#play").is_disabled(), "there is nothing to play in one frame"


def test_places_arrows_and_shades_are_whole_numbers():
    def codes(text, dtype):
        return np.frombuffer(base64.b64decode(text), dtype)
    points = np.array([[-2, 2], [0, 1], [np.nan, 0], [99, -99]], np.float32)
    gradients = np.array([[0, 0], [2, 0], [0, -2], [np.inf, 1]], np.float32)
    heat = np.array([[0, 0.5], [1, np.nan]], np.float32)
    [made] = content([Run("", points, (-2, 2, -2, 2), [Frame(7, points, heat, gradients, None, {})])])
    [frame] = made["frames"]
    places = (codes(frame["samples"], "<u2").reshape(-1, 2) - 1.0) / 65534 * 3 - 1
    assert made["data"] == frame["samples"]
    assert np.allclose(places[[0, 1, 3]], [[0, 1], [0.5, 0.75], [2, -1]], atol=1e-4)
    assert codes(frame["samples"], "<u2")[4:6].tolist() == [0, 0]
    assert codes(frame["gradients"], "<i2").tolist() == [0, 0, 20000, 0, 0, -20000, -32768, -32768]
    assert codes(frame["heat"], "u1").tolist() == [0, 127, 254, 255] and "manifold" not in frame


def test_two_long_runs_fit_in_few_megabytes():
    assert len(page([run(frames=120, samples=300, side=40, grid=15)] * 2)) < 2_000_000
