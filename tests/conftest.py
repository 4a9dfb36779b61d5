"""Every test runs with implicit broadcasting between ranks as an error, and with small runs to share."""
import os
import shutil

import _compiling
import jax
import pytest

from configs import vae_digits
from gen_jax import experiment
from gen_jax.folders import keep_compiled_code
from gen_jax.report.workdir import Workdir

os.environ["XLA_FLAGS"] = _compiling.FLAGS
jax.devices()  # reads the flags
os.environ["XLA_FLAGS"] = _compiling.BEFORE  # processes that tests launch have all optimizations, or what they say
keep_compiled_code()  # as the launcher does: many tests compile the same programs
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def tiny_config():
    """vae_digits:smoke with narrow nets, a Bernoulli likelihood and nothing drawn: 6 steps an epoch, 2 epochs."""
    config = vae_digits.get_config("smoke")
    config.model.update({"widths": (16,), "latent_dim": 2})
    config.objective.likelihood = "bernoulli"
    config.evals.update({"end": (), "every_epochs": 0})
    return config


@pytest.fixture
def tiny(tiny_config):
    """The experiment of tiny_config."""
    return experiment.build(tiny_config)


@pytest.fixture
def workdir(tmp_path):
    """An empty, claimed workdir."""
    workdir = Workdir(tmp_path / "run")
    workdir.claim()
    return workdir


BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def browser():
    """A Chromium; where there is none, the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=BROWSER)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """(a page's file, a selector, settings) -> the page, opened. It must neither complain nor ask for anything else.

    The selector is of what is there once the page is ready.
    """
    tabs, complaints, requests = [], [], []

    def opened(path, ready, **settings):
        tab = browser.new_page(**settings)
        tabs.append(tab)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(path.as_uri())
        tab.wait_for_selector(ready)
        return tab

    yield opened
    for tab in tabs:
        tab.close()
    assert complaints == []
    assert len([url for url in requests if not url.startswith("data:")]) == len(tabs)
