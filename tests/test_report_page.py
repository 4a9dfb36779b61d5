"""report.html: what it says of a run, and in a real browser: what it shows, how it is steered, what it decodes."""
import json
import re
import shutil
import signal
from dataclasses import replace
from pathlib import Path, PurePath

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import lab_moons_vae, vae_digits
from gen_jax import experiment
from gen_jax.data import Splits
from gen_jax.errors import UserError
from gen_jax.models.vae import conv_vae
from gen_jax.modes import _run, train
from gen_jax.modes import report as mode
from gen_jax.pages import comparison, decoder, files, pictures, report
from gen_jax.pages.decoder import program
from gen_jax.report.files import read_json, write_json
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run, trained_of
from gen_jax.training import loop
from gen_jax.training.interrupt import Interrupted

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 380, "height": 800}
READY = "body[data-ready]"


def config_of(**model):
    """vae_digits:smoke with narrow nets, and one picture during training."""
    config = vae_digits.get_config("smoke")
    config.model.update(model)
    config.evals.update({"end": ("samples", "latent_usage"), "during": ("samples",)})
    return config


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run that was trained to its end."""
    folder = Workdir(tmp_path_factory.mktemp("run") / "a <b>run & more")
    train.train(config_of(widths=(16,), latent_dim=2), folder)
    return folder


def untrained(config, path):
    """(the folder, the state as evals see it) of a run whose numbers are all random."""
    built, folder = experiment.build(config), Workdir(path)
    state = built.begin().state
    rng = np.random.default_rng(0)
    noisy = jax.tree.map(lambda array: np.asarray(array) + rng.uniform(0, 0.3, array.shape).astype("f4"), state.vars)
    folder.claim()
    folder.adopt(built.config)
    return folder, trained_of(built, state.replace(vars=noisy), folder, [])


def content(path: Path) -> dict:
    """What a page holds."""
    return json.loads(re.search(rb'<script [^>]*id="content">(.*?)</script>', path.read_bytes(), re.DOTALL)[1])


def test_training_writes_it_and_it_needs_nothing_else(run):
    html = (run.path / "report.html").read_text()
    assert not re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?:https?:)?//', html) and "import " not in html
    assert html.count("<script") == html.count("</script>") == 2
    made = content(run.path / "report.html")
    assert made["name"] == run.path.name and not made["unfinished"]
    assert [row["values"]["test"]["protocol"]["eval"] for row in made["table"] if row["name"] == "kl"] == ["record"]
    rows = {row["key"]: row for row in made["settings"]}
    assert rows["model.latent_dim"]["differs"] is False and rows["model.widths"]["default"] == "(256,)"
    assert rows["model.widths"]["value"] == "(16,)" and rows["model.widths"]["differs"]
    assert made["launches"][0]["command"].startswith("python ")
    assert json.loads(made["config"]) == read_json(run.config)
    assert [figure["name"] for figure in made["figures"]] == ["samples", "latent_usage"]
    assert all(figure["src"].startswith("data:image/png;base64,") and figure["caption"] for figure in made["figures"])
    assert [frame["at"] for frame in made["over_time"][0]["frames"]] == [1, 2]


def test_it_is_written_without_data_and_without_a_state(run, tmp_path):
    def lost(split):
        raise UserError("the disk is at home")
    made = report.content(run, replace(load_run(run, {}).trained, data=Splits(lost)))
    assert "at home" in made["data"]["missing"] and "examples" not in made["data"]
    assert "codes" not in made["latent"] and made["latent"]["sets"] and made["table"]
    begun = Workdir(tmp_path)
    write_json(begun.config, read_json(run.config))
    begun.metrics.write_bytes(run.metrics.read_bytes().partition(b"\n")[0] + b"\n")
    mode.write(begun, {})
    made = content(tmp_path / "report.html")
    assert made["unfinished"] == "This run is unfinished: 6 of 12 steps are recorded."
    assert made["table"] == [] and made["curves"]["x"] == [1] and made["latent"]["why"]


def test_a_picture_that_is_torn_costs_itself_alone(run, tmp_path, capsys):
    torn = Workdir(shutil.copytree(run.path, tmp_path / "torn"))
    picture = torn.samples / "samples_0002.png"
    picture.write_bytes(picture.read_bytes()[:200])
    mode.write(torn, {})
    assert [frame["at"] for frame in content(torn.path / "report.html")["over_time"][0]["frames"]] == [1]
    assert capsys.readouterr().err.count(f"{picture}: is not in the page") == 1


def test_pictures_take_no_more_than_their_room(run):
    whole = pictures.over_time(run, 10**6)[0]["frames"]
    assert pictures.over_time(run, len(whole[1]["src"]))[0]["frames"] == whole[1:]
    assert pictures.over_time(run, -1) == []


def test_what_older_runs_have_measured_is_shown(run, tmp_path):
    old, result = Workdir(shutil.copytree(run.path, tmp_path / "old")), read_json(run.result)
    write_json(old.result, result | {"evals": ["frechet", "of_long_ago"], "metrics": {"FD[a:1]/samples": 1.5}})
    [row] = report.content(old, None)["table"]
    assert row["name"] == "FD[a:1]" and row["better"] == "lower"
    write_json(old.result, {"step": 1})
    with pytest.raises(UserError, match="is not what was written there"):
        report.content(old, None)


@pytest.mark.parametrize(("where", "fault"), [
    ("Session.train", loop.Diverged(12, ["x"])), ("finish", Interrupted(signal.SIGTERM, "stopped while measuring"))])
def test_a_run_that_does_not_come_to_its_end_has_a_page_too(run, tmp_path, monkeypatch, where, fault):
    def fail(*_):
        raise fault
    monkeypatch.setattr(f"gen_jax.modes.train.{where}", fail)
    ended = Workdir(shutil.copytree(run.path, tmp_path / "ended"))
    (ended.path / "report.html").unlink()
    with pytest.raises(type(fault)):
        train.train(config_of(widths=(16,), latent_dim=2), ended)
    assert content(ended.path / "report.html")["curves"]["x"] == [1, 2]


def test_a_page_that_cannot_be_written_is_a_line(run, monkeypatch, capsys):
    def fail(*args):
        raise ValueError("a torn picture")
    monkeypatch.setattr(report, "content", fail)
    _run.write_report(run, None)
    assert "report.html: could not be written (ValueError: a torn picture)" in capsys.readouterr().err


def test_nothing_in_a_content_ends_a_script_or_begins_a_part(run):
    html = files.page("</title><b>", {"a": "</script><!-- {{STYLE}}", "b": [float("nan")]}, "kit").decode()
    assert "</script><!--" not in html and "<title>&lt;/title>" in html and html.count("--page: #ffffff") == 1
    assert '"b":[null]' in html


def test_a_page_tells_no_home_and_holds_any_name(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    made = files.page("\udcff", {"a": "--x=/home/ann/runs,/home/ann. /home/anna /x/home/ann", "b": "\udcff"}).decode()
    assert '"a":"--x=~/runs,~. /home/anna /x/home/ann","b":"?"' in made and "<title>?</title>" in made
    assert files.shortened("python /home/ann/launch.py", "/home/ann", ".") == "python ./launch.py"
    assert files.link(PurePath("javascript:a #1?\udcff/x=1")) == "./javascript%3Aa%20%231%3F%FF/x=1"


def test_curves_of_many_runs_are_their_means_alone(tmp_path, monkeypatch):
    metrics = compared(tmp_path, tmp_path)["metrics"]
    monkeypatch.setattr(comparison, "POINTS", 7)  # 4 runs, 2 steps
    series = comparison.curves(metrics)["charts"][0]["series"]
    assert [of["values"] for of in series] == [[9.5, 10.5], [19.5, 20.5]] and not any(of["members"] for of in series)


def compared(folder: Path, runs: Path) -> dict:
    """comparison.json of two groups of two runs, as --mode=compare writes it."""
    def run_of(group, seed):
        final = 10.0 * group + seed
        return {"seed": seed, "folder": str(runs / f"beta={group}" / f"seed_{seed}"), "final": final, "best": final - 1,
                "best_step": 10, "has_fallen": True, "times_best": 1.5, "protocol": {"eval": "record", "seed": seed},
                "curve": [[10, final - 1], [20, final]]}
    groups = [{"name": f"beta={i}", "n": 2, "mean": 10 * i + 0.5, "std": 0.71, "ci95": None if i == 2 else [10, 11.5],
               "best_mean": 0.0, "runs": [run_of(i, 0), run_of(i, 1)]} for i in (1, 2)]
    pair = {"a": "beta=1", "b": "beta=2", "difference": -10.0, "interval": None, "seeds": [2, 2], "is_paired": True,
            "left_over": 0, "test": "sign flips", "p": 0.5, "least": 0.5, "adjusted": 0.5,
            "verdict": "not enough seeds to tell"}
    metric = {"name": "test/kl", "of": "test", "unit": "nats", "better": "lower", "rank": 1, "winner": "beta=1",
              "groups": groups, "pairs": [pair], "sentences": ["not enough seeds to tell"], "notes": ["a note"]}
    content = {"groups": [{"name": of["name"], "settings": {"objective.beta": i}, "runs": [
        {"folder": run["folder"], "seed": run["seed"]} for run in of["runs"]]} for i, of in enumerate(groups, 1)],
        "lost": [{"name": "beta=3", "settings": {}, "lost_seeds": [0, 1], "runs": []}],
        "metrics": [metric], "refused": ["FD is refused"], "left_out": [], "beside": [], "notes": [],
        "methods": ["± is the standard deviation"]}
    write_json(folder / "comparison.json", content)
    return content


def test_a_comparison_needs_its_json(tmp_path):
    with pytest.raises(UserError, match="--mode=compare --workdirs="):
        comparison.write(tmp_path)
    write_json(tmp_path / "comparison.json", {"groups": []})
    with pytest.raises(UserError, match="is not what was written there"):
        comparison.write(tmp_path)


# The browser

def test_a_comparison_shows_its_groups_and_leads_to_its_runs(tmp_path, opened):
    made = compared(tmp_path, Path("."))
    (tmp_path / "beta=2" / "seed_1").mkdir(parents=True)
    (tmp_path / "beta=2" / "seed_1" / "report.html").write_text("the run")
    mode.write(Workdir(tmp_path), {})
    tab = opened(tmp_path / "report.html", READY, viewport=PHONE)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380
    assert tab.locator(".note").all_inner_texts() == ["test/kl: not enough seeds to tell", "FD is refused"]
    assert tab.locator("td.winner").all_inner_texts() == ["10.50 ± 0.71\n[10.00, 11.50]"]
    assert tab.locator("#numbers th.number").all_text_contents() == ["beta=1 (2)", "beta=2 (2)", "beta=3 (0 of 2)"]
    table = "[...document.querySelectorAll('#numbers .scroll')].map(box => box.scrollWidth - box.clientWidth)"
    assert tab.evaluate(table) == [0]
    assert tab.locator("circle title").all_text_contents() == [
        f"{group['name']}, seed {run['seed']}: {run['final']:.0f}" for group in made["metrics"][0]["groups"]
        for run in group["runs"]]
    chart = tab.locator("#training figure")
    chart.locator("> svg").focus()
    tab.keyboard.press("Home")
    assert chart.locator(".legend button").all_inner_texts() == ["beta=1\n9.5", "beta=2\n19.5"]
    assert chart.locator("path.member").count() == 4
    assert tab.locator("#runs a").evaluate_all("links => links.map(link => link.getAttribute('href'))") == [
        "./beta=2/seed_1/report.html"]
    assert "21\nbest 20 at step 10, now 1.5 times that" in tab.locator("#runs table").first.inner_text()


def test_it_shows_a_run(run, opened):
    tab, records = opened(run.path / "report.html", READY, viewport=WIDE), content(run.path / "report.html")
    assert tab.locator("h1").inner_text() == run.path.name
    assert tab.locator("h2").all_inner_texts() == ["Training", "Samples over training", "Latent space", "Figures",
                                                   "Numbers", "Data", "Settings", "Reproduce"]
    chart = tab.locator(".charts figure").first
    values = {series["name"]: series["values"] for series in records["curves"]["charts"][0]["series"]}
    chart.locator("> svg").focus()
    for key, at in (("Home", 0), ("ArrowRight", 1), ("ArrowLeft", 0)):
        tab.keyboard.press(key)
        shown = chart.locator(".legend button").all_inner_texts()
        assert [float(text.split()[-1].replace("−", "-")) for text in shown] == pytest.approx(
            [values[text.split()[0]][at] for text in shown], rel=1e-4)
    chart.locator(".legend button").first.click()
    assert chart.locator(".legend button").first.get_attribute("aria-pressed") == "false"
    before = chart.locator("> svg").inner_html()
    tab.get_by_label("logarithmic scale").check()
    assert chart.locator("> svg").inner_html() != before
    image, last = tab.locator(".over-time img"), records["over_time"][0]["frames"][-1]["src"]
    assert image.get_attribute("src") == last
    tab.locator(".over-time input").focus()
    tab.keyboard.press("Home")
    assert image.get_attribute("src") == records["over_time"][0]["frames"][0]["src"] != last
    shown = tab.locator(".settings tbody tr:visible").count()
    tab.get_by_label("show all").check()
    assert shown < tab.locator(".settings tbody tr:visible").count() == len(records["settings"])
    number = tab.locator("#numbers tr", has_text="active_units").locator("button")
    number.click()
    assert "latent_usage" in tab.locator(".protocol-row").inner_text()
    number.click()
    assert tab.locator(".protocol-row").count() == 0


def test_it_fits_a_phone_and_the_dark(run, opened):
    phone, dark = (opened(run.path / "report.html", READY, viewport=PHONE, color_scheme=scheme)
                   for scheme in ("light", "dark"))
    assert phone.evaluate("document.documentElement.scrollWidth") <= 380
    background = "getComputedStyle(document.body).backgroundColor"
    assert phone.evaluate(background) == "rgb(255, 255, 255)" != dark.evaluate(background)
    plane = "document.querySelector('.plane').toDataURL()"
    assert phone.evaluate(plane) != dark.evaluate(plane)
    dark.emulate_media(media="print")
    assert dark.evaluate(background) == "rgb(255, 255, 255)" and not dark.locator("nav").is_visible()


def decoded(tab) -> tuple[np.ndarray, np.ndarray]:
    """(the latents that the page shows, the pixels [H,W,4] that it has made of them)."""
    tab.wait_for_timeout(40)  # two frames
    z, pixels, width = tab.evaluate("""() => {
        const {dataset, width, height} = document.querySelector(".picture");
        const image = document.querySelector(".picture").getContext("2d").getImageData(0, 0, width, height);
        return [JSON.parse(dataset.z), [...image.data], width];
    }""")
    return np.array([z], np.float32), np.array(pixels, np.uint8).reshape(-1, width, 4)


def agrees(tab, trained) -> np.ndarray:
    """The latents that the page shows; its pixels are ours to a grey level."""
    z, pixels = decoded(tab)
    ours = trained.spec.kind.to_stored(trained.decode(z))[0].astype(int)
    assert np.abs(pixels[..., :3] - ours).max() <= 1
    return z[0]


def test_a_point_that_is_dragged_is_decoded(run, opened):
    tab, trained = opened(run.path / "report.html", READY, viewport=WIDE), load_run(run, {}).trained
    places = [agrees(tab, trained)]
    plane = tab.locator(".plane")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    tab.mouse.down()
    for share in (0.9, 0.1):
        tab.mouse.move(box["x"] + share * box["width"], box["y"] + 0.2 * box["height"])
        places.append(agrees(tab, trained))
    tab.mouse.up()
    assert places[1][0] > 1 > -1 > places[2][0] and places[1][1] == places[2][1] > 1
    tab.mouse.move(box["x"], box["y"])
    assert (agrees(tab, trained) == places[2]).all(), "the button is up"
    tab.keyboard.press("ArrowRight")
    places.append(agrees(tab, trained))
    assert places[3][0] > places[2][0] and places[3][1] == places[2][1]
    assert float(tab.locator(".picture").get_attribute("data-ms")) < 30


def test_sliders_places_and_concepts_move_a_point_of_many_latents(tmp_path, opened):
    config = config_of()
    config.model = conv_vae.hp(widths=(8,), latent_dim=5, norm="batch", kernel_size=3)
    folder, trained = untrained(config, tmp_path)
    tab = opened(report.write(folder, trained), READY, viewport=WIDE)
    start = agrees(tab, trained)
    tab.get_by_label("latent 3", exact=True).fill("1.5")
    assert np.flatnonzero(agrees(tab, trained) != start).tolist() == [3]
    tab.get_by_role("button", name="random draw").click()
    drawn = agrees(tab, trained)
    assert (drawn != start).all()
    sets = {of["name"]: np.array(of["code"]) for of in content(folder.path / "report.html")["latent"]["sets"]}
    source, target = (tab.get_by_label(f"{word} the mean code of") for word in ("from", "to"))
    names = [box.locator("option:checked").inner_text() for box in (source, target)]
    tab.get_by_label("how far along").fill("1")
    assert agrees(tab, trained) == pytest.approx(drawn + sets[names[1]] - sets[names[0]], abs=1e-4)
    tab.get_by_role("button", name=names[0], exact=True).click()
    assert agrees(tab, trained) == pytest.approx(sets[names[0]], abs=1e-5)


def test_points_are_decoded_among_the_data(tmp_path, opened):
    folder, trained = untrained(lab_moons_vae.get_config("smoke"), tmp_path)
    tab = opened(report.write(folder, trained), READY, viewport=WIDE)
    tab.get_by_role("button", name="random draw").click()
    tab.wait_for_timeout(40)
    z, x = (json.loads(tab.locator(".picture").get_attribute(f"data-{name}")) for name in "zx")
    assert x == pytest.approx(trained.decode(np.array([z], np.float32))[0], abs=1e-4)


def every_primitive(z):
    """Of z [1,4]: what decoders are made of, in one row."""
    a, b = jnp.split(z, 2, axis=1)
    h = jnp.concatenate([jnp.tanh(a), jax.nn.gelu(b), jax.nn.elu(a), jax.nn.softplus(b), jax.nn.silu(a)], 1)
    h = jnp.concatenate([h, jax.nn.gelu(a, approximate=False), jnp.where(b > 0, a**3, jnp.abs(b)), -h[:, ::-1]], 1)
    h = jnp.where(jnp.maximum(h, 0).astype(bool) & (h < 1), h, 0.1)
    h = (h - h.mean(1, keepdims=True)) * jax.lax.rsqrt(h.var(1, keepdims=True) + 1e-3) + jax.nn.softmax(h)
    image = jnp.pad(jnp.clip(h, -1, 1)[:, :24].reshape(1, 2, 4, 3), ((0, 0), (1, 0), (0, 2), (0, 0)))
    kernel = jnp.asarray(np.random.default_rng(0).normal(size=(3, 2, 3, 2)), jnp.float32)
    image = jax.checkpoint(lambda x: jax.image.resize(x, (1, 6, 6, 3), "nearest"))(image)
    image = jax.lax.conv_transpose(image, kernel, (2, 3), "SAME")
    image = jax.lax.conv_general_dilated(image, kernel[:, :, :2].transpose(1, 0, 2, 3), (2, 1), "VALID",
                                         rhs_dilation=(1, 2), dimension_numbers=("NHWC", "HWIO", "NHWC"))
    image = image + jax.nn.logsumexp(image)
    return jnp.einsum("bhwc,bhvc->bvw", image, image).max(2) + jnp.sqrt(jnp.exp(z.sum()))


def test_the_page_runs_what_decoders_are_made_of(browser):
    tab = browser.new_page()
    tab.set_content('<script type="application/json" id="content">{}</script>')
    for name in ("kit", "decoder"):
        tab.add_script_tag(path=files.HERE / f"{name}.js")
    made, ours = program(every_primitive, 4).content(), jax.jit(every_primitive)
    for z in np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32):
        theirs = tab.evaluate("([made, z]) => [...makeDecoder(made)(z)]", [made, z.tolist()])
        assert theirs == pytest.approx(np.asarray(ours(z[None]))[0], rel=1e-4, abs=1e-4)
    known = tab.evaluate("Object.keys(ELEMENTWISE)")
    assert set(known) == {*decoder.ELEMENTWISE}
    tab.close()


def test_what_the_page_does_not_know_is_named():
    with pytest.raises(decoder.Unknown, match="cumsum"):
        program(lambda z: jnp.cumsum(z, 1), 3)
    with pytest.raises(decoder.Unknown, match="no latents"):
        program(lambda z: jnp.ones((1, 3)), 3)
    with pytest.raises(decoder.Unknown, match="in bfloat16"):
        program(lambda z: z.astype(jnp.bfloat16).astype(jnp.float32), 3)
    with pytest.raises(decoder.Unknown, match="in int32"):
        program(lambda z: (jnp.where(z > 0, 3, 5) & 1) * z, 3)


def test_a_programs_size_is_that_of_its_numbers_and_its_moves():
    made = program(lambda z: z[:, ::-1] * 2, 30)
    [index] = [step["index"] for step in made.steps if step["op"] == "gather"]
    assert made.size == sum(map(len, made.arrays)) + len(index) > len(index) == 30 * 4 * 4 / 3
