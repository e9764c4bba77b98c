"""The training page as an admin uses it: the real program, a tiny data set, a tiny recipe, a real browser."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bots.console import MOST_PIECE_BYTES, UPLOAD_PATH
from bots.learning.training_job import Job, JobSlot
from tests.bots.web.conftest import browser, camera_film
from tests.bots.web.program import ROOT, Bot, needs_browser
from tests.bots.web.visits import violations
from tests.training.faces import easy_faces, in_turns, write_class_folders, write_kaggle_csv
from tests.training.recipes import LIVELY, tiny_recipe
from tests.waiting import PATIENCE_S, TRAINING_PATIENCE_S, wait_until

__all__ = ["browser", "camera_film"]

pytestmark = needs_browser

TOKEN = "a token for tests"
ENDLESS = 400
"""More epochs than anybody waits for."""


def write_recipe(path: Path, name: str, epochs: int) -> Path:
    recipe = tiny_recipe(name=name, epochs=epochs).model_copy(update={"augmentation": LIVELY})
    path.write_text(json.dumps(recipe.model_dump(mode="json")))
    return path


def training_folder(folder: Path) -> Path:
    return folder / "data" / "training"


def started(folder: Path) -> Bot:
    bot = Bot(folder, CONSOLE_TOKEN=TOKEN, FER2013_DIR=str(folder / "nowhere"), HOME=str(folder), LOG_FORMAT="json")
    bot.wait_for("adapter_open")
    return bot


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bot's folder with a run that was fitted before, by the command line."""
    folder = tmp_path_factory.mktemp("training")
    data = training_folder(folder) / "data" / "before"
    data.mkdir(parents=True)
    write_kaggle_csv(data / "fer2013.csv", easy_faces(400), in_turns(400))
    recipe = folder / "plain.yaml"
    recipe.write_text(json.dumps(tiny_recipe(name="plain", epochs=5).model_dump(mode="json")))
    command = [sys.executable, "-m", "training", "fit", str(recipe), "--data", str(data)]
    runs = training_folder(folder) / "runs" / "before"
    subprocess.run([*command, "--runs", str(runs)], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def bot(folder: Path) -> Iterator[Bot]:
    bot = started(folder)
    yield bot
    bot.stop()


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], Bot]]:
    """Start bots in the folder, of which none, and no training of theirs, outlives the test."""
    bots: list[Bot] = []

    def start() -> Bot:
        bots.append(started(folder))
        return bots[-1]

    yield start
    for each in bots:
        each.stop()
    JobSlot(training_folder(folder) / "jobs", "training").stop("the tests", at_once=True)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def log_in(page: Page, bot: Bot, name: str = "Ada") -> None:
    page.goto(f"{bot.url}console")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("navigation").get_by_role("link", name="Training", exact=True).click()
    expect(page.get_by_label("Recipe", exact=True)).to_be_visible()


def upload(page: Page, path: Path) -> None:
    page.get_by_label("Upload a data set or a recipe").set_input_files(path)


def choose(page: Page, data: str, recipe: str) -> None:
    page.get_by_label("Recipe", exact=True).select_option(label=f"{recipe} (yours)")
    page.get_by_label("Data set", exact=True).select_option(data)
    expect(page.get_by_role("button", name=f"Delete {data}")).to_be_visible()


def epochs(page: Page) -> int:
    return page.locator(".epochs tbody tr").count()


@pytest.mark.timeout(900)  # it imports TensorFlow half a dozen times
def test_from_an_upload_to_a_training_that_is_stopped_and_goes_on_after_the_bot_was_restarted(
    page: Page, folder: Path, start: Callable[[], Bot], tmp_path: Path
) -> None:
    faces = easy_faces(280)
    source = write_class_folders(tmp_path / "set", faces[slice(0, 210)], faces[slice(210, 280)])
    with zipfile.ZipFile(tmp_path / "My Faces.zip", "w") as archive:
        for path in sorted(source.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    bot = start()
    log_in(page, bot)
    upload(page, write_recipe(tmp_path / "endless.yaml", "endless", ENDLESS))
    expect(page.get_by_text("among the others now")).to_be_visible()
    upload(page, tmp_path / "My Faces.zip")
    expect(page.get_by_label("Data set", exact=True)).to_have_value("my-faces")
    choose(page, "my-faces", "endless")

    page.get_by_role("button", name="Show classes and samples").click()
    expect(page.locator(".counts tbody tr").last).to_contain_text("189")
    expect(page.locator(".sample")).to_have_count(7)
    expect(page.get_by_alt_text("happy, as it is")).to_have_count(1)
    expect(page.get_by_alt_text("happy, augmented")).to_have_count(5)

    page.get_by_role("button", name="Start the training").click()
    expect(page.locator(".running")).to_contain_text("started by Ada")
    expect(page.get_by_role("progressbar", name="Epochs")).to_be_visible()
    wait_until(lambda: epochs(page) >= 2, patience_s=TRAINING_PATIENCE_S)
    expect(page.get_by_role("img", name=re.compile("^The loss of each epoch; after epoch"))).to_be_visible()
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text("A training is running already, started by Ada")).to_be_visible()
    assert violations(page) == []

    assert bot.stop() == 0
    bot = start()
    page.context.clear_cookies()
    log_in(page, bot, "Grace")
    expect(page.locator(".running")).to_contain_text("started by Ada")
    page.locator(".running").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Go on with it")).to_be_visible()
    expect(page.locator(".running")).to_be_hidden()
    stopped = epochs(page)
    assert stopped >= 2

    page.get_by_role("button", name="Go on with it").click()
    wait_until(lambda: epochs(page) > stopped, patience_s=TRAINING_PATIENCE_S)
    job = json.loads((training_folder(folder) / "jobs" / "training.json").read_text())
    os.kill(job["number"], signal.SIGKILL)
    expect(page.locator(".running")).to_contain_text("it was broken off")
    expect(page.get_by_role("button", name="Go on with it")).to_be_visible()
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_label("Run", exact=True)).not_to_have_value("my-faces/endless")
    assert bot.stop() == 0
    said = [json.loads(line) for line in bot.said().splitlines() if '"training_' in line]
    assert ("training_stop_asked", "Grace") in [(line["event"], line.get("by")) for line in said]
    assert ("training_run_deleted", "Grace") in [(line["event"], line.get("by")) for line in said]


EPOCH_AFTER_EPOCH = """
import json, sys, time
from pathlib import Path

run = Path(sys.argv[1])
run.mkdir()
(run / "recipe.json").write_text(json.dumps({"name": run.name, "epochs": 5000}))
with (run / "history.csv").open("w", buffering=1) as history:
    print("epoch,loss,val_loss,fer2013_accuracy,val_fer2013_accuracy", file=history)
    for epoch in range(5000):
        print(f"{epoch},1,1,0.5,0.5", file=history)
        print(f"epoch {epoch}", flush=True)
        time.sleep(0.2)
"""


@pytest.fixture
def scripted(folder: Path) -> Iterator[Path]:
    """A training that does nothing but write epochs; its run."""
    jobs = training_folder(folder) / "jobs"
    jobs.mkdir(exist_ok=True)
    run = training_folder(folder) / "runs" / "before" / "scripted"
    slot = JobSlot(jobs, "training")
    job = Job("fit", "before", run.name, "Grace", datetime.now(UTC))
    process = slot.start(job, (sys.executable, "-c", EPOCH_AFTER_EPOCH, str(run)), {})
    yield run
    slot.stop("the tests", at_once=True)
    wait_until(lambda: not process.is_running)
    process.last_error_line()  # closes its log
    shutil.rmtree(run)


def test_while_a_training_runs_its_log_stays_open_and_stop_keeps_focus_and_takes_a_slow_press(
    page: Page, bot: Bot, scripted: Path
) -> None:
    log_in(page, bot)
    running = page.locator(".running")
    stop, lines, title = running.get_by_role("button", name="Stop"), running.locator("pre"), running.locator("h2")
    expect(title).to_contain_text("scripted on before")
    running.get_by_text("Last lines of its log").click()
    stop.focus()
    for _ in range(2):
        shown = title.inner_text(), lines.inner_text()
        expect(title).not_to_have_text(shown[0])
        expect(lines).not_to_have_text(shown[1])
    expect(lines).to_be_visible()
    expect(lines).to_contain_text("epoch ")
    expect(stop).to_be_focused()
    assert violations(page) == []
    stop.hover()
    page.mouse.down()
    expect(title).not_to_have_text(title.inner_text())
    page.mouse.up()
    expect(page.get_by_text("It stops; whole epochs are kept.")).to_be_visible()
    expect(running).to_be_hidden()
    assert scripted.exists()


def test_another_command_than_a_training_can_be_stopped(page: Page, bot: Bot, folder: Path) -> None:
    log_in(page, bot)
    page.get_by_label("Run", exact=True).select_option("before/plain")
    page.get_by_role("button", name="Show confusion and galleries").click()
    status = page.get_by_role("status").filter(has_text="Reading the faces of valid with plain")
    status.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("It stops; there is no result.")).to_be_visible()
    expect(status).to_have_count(0)
    expect(page.get_by_role("button", name="Show confusion and galleries")).to_be_enabled()
    assert not (training_folder(folder) / "runs" / "before" / "plain" / "look.json").exists()


def test_a_run_is_looked_at_exported_compared_and_added_to_the_versions(page: Page, bot: Bot) -> None:
    log_in(page, bot)
    page.get_by_label("Run", exact=True).select_option("before/plain")
    expect(page.get_by_text("5 of 5 epochs, finished")).to_be_visible()
    page.get_by_role("button", name="Show confusion and galleries").click()
    expect(page.get_by_text("Of 40 faces of valid it reads")).to_be_visible()
    expect(page.locator(".confusion .heat tbody tr")).to_have_count(7)
    expect(page.locator(".gallery")).to_have_count(7)
    expect(page.get_by_alt_text(re.compile("^sad, read as ")).first).to_be_visible()
    page.get_by_role("button", name="Export it").click()
    page.get_by_role("button", name="Compare with what is served").click()
    expect(page.get_by_text(re.compile("points of accuracy .* on 40 faces of valid"))).to_be_visible()
    heads = page.locator(".compared thead th")
    expect(heads.first).to_contain_text("plain-")
    expect(heads.last).to_contain_text("served then")
    for figure in ("accuracy", "macro-F1", "worst recall", "NLL", "size"):
        expect(page.get_by_role("rowheader", name=figure, exact=True)).to_be_visible()
    version = heads.first.inner_text()
    page.get_by_role("button", name="Add it to the versions").click()
    expect(page.get_by_text(f"{version} is among the versions")).to_be_visible()
    page.get_by_role("button", name="Add it to the versions").click()
    expect(page.get_by_text(f"There is a version {version} already")).to_be_visible()
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.reload()  # without the notifications, and without the bar that shows what axe-core loads
        expect(page.locator(".gallery")).to_have_count(7)
        expect(page.get_by_label("Recipe", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert violations(page) == []
    page.get_by_role("link", name="Models", exact=True).first.click()
    box = page.locator(f"[data-version='{version}']")
    expect(box).to_contain_text("Fitted by a recipe")
    box.get_by_role("button", name="Promote all the same").click()
    expect(page.locator(".dialog")).to_contain_text("It was fitted by a recipe")
    page.get_by_label("Why should it be served").fill("It is a test of the whole way")
    page.get_by_role("button", name="Serve it all the same").click()
    expect(page.locator(".served strong")).to_have_text(version)


def test_a_hostile_upload_is_refused_in_words_and_nothing_of_it_stays(
    page: Page, bot: Bot, folder: Path, tmp_path: Path
) -> None:
    log_in(page, bot)
    with zipfile.ZipFile(tmp_path / "hostile.zip", "w") as archive:
        archive.writestr("../../../escaped.png", b"x")
    upload(page, tmp_path / "hostile.zip")
    told = page.get_by_role("status").filter(has_text="The upload hostile was not taken in")
    expect(told).to_contain_text("'../../../escaped.png', which is not taken")
    assert list(folder.rglob("escaped*")) == []
    wait_until(lambda: not list((training_folder(folder) / "uploads").iterdir()))  # once its process is seen to end
    assert [each for each in (training_folder(folder) / "data").iterdir() if "hostile" in each.name] == []
    (tmp_path / "faces.exe").write_bytes(b"MZ")
    upload(page, tmp_path / "faces.exe")
    expect(page.locator(".upload-told")).to_contain_text("Choose a .zip or a .csv")
    another = page.context.new_page()  # of another admin, perhaps
    another.goto(page.url)
    expect(another.get_by_label("Recipe", exact=True)).to_be_visible()
    (tmp_path / "wrong.yaml").write_text("name: a/b\nepochs: many\n")
    upload(page, tmp_path / "wrong.yaml")
    expect(page.get_by_text("The recipe wrong cannot be used")).to_be_visible()
    expect(page.get_by_text("wrong cannot be used: wrong.yaml: name:")).to_be_visible()
    expect(another.get_by_text("wrong cannot be used: wrong.yaml: name:")).to_be_visible()
    recipe = page.get_by_label("Recipe", exact=True)
    expect(recipe.get_by_role("option", name="small_cnn", exact=True)).to_have_count(1)
    expect(recipe.get_by_role("option", name=re.compile("wrong"))).to_have_count(0)
    recipe.select_option("small_cnn")
    expect(page.get_by_text("small_cnn: convolutional network")).to_be_visible()
    page.get_by_role("button", name="Delete the recipe wrong").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("wrong cannot be used: wrong.yaml: name:")).to_have_count(0)
    assert not (training_folder(folder) / "recipes" / "wrong.yaml").exists()


def test_a_fault_of_the_disk_is_not_told_as_one_of_the_database(page: Page, bot: Bot, folder: Path) -> None:
    log_in(page, bot)
    page.get_by_label("Data set", exact=True).select_option("before")
    expect(page.get_by_role("button", name="Show classes and samples")).to_be_visible()
    jobs = training_folder(folder) / "jobs"
    jobs.rename(jobs.with_name("jobs.away"))
    jobs.write_text("no folder")
    try:
        expect(page.get_by_text("The files of trainings cannot be read or written (File exists).")).to_be_visible()
        page.get_by_role("button", name="Show classes and samples").click()
        expect(page.locator(".q-notification").filter(has_text="The files of trainings cannot be")).not_to_have_count(0)
        expect(page.get_by_text("The database does not answer")).to_have_count(0)
    finally:
        jobs.unlink()
        jobs.with_name("jobs.away").rename(jobs)
    expect(page.locator("main").get_by_text("The files of trainings cannot be")).to_have_count(0)


def test_only_an_admin_on_the_consoles_own_page_may_upload(bot: Bot, folder: Path) -> None:
    asked = {"file": "a.zip", "offset": "0", "size": "4"}
    url = bot.url.rstrip("/") + UPLOAD_PATH
    with httpx.Client(timeout=PATIENCE_S) as client:
        assert client.post(url, params=asked, content=b"abcd").status_code == 403
        client.post(f"{bot.url}console/login", data={"name": "Eve", "token": TOKEN})
        foreign = {"Origin": "https://evil.example"}
        assert client.post(url, params=asked, content=b"abcd", headers=foreign).status_code == 403
        assert client.post(url, params=asked, content=bytes(MOST_PIECE_BYTES + 1)).status_code == 413
        for wrong in ({"offset": "-1"}, {"offset": "x"}, {"size": "9" * 30}):
            assert client.post(url, params={**asked, **wrong}, content=b"abcd").status_code == 400
        assert client.post(url, params={**asked, "file": "../a.zip"}, content=b"abcd").status_code == 409
        assert client.post(url, params={**asked, "size": str(10**11)}, content=b"abcd").status_code == 409
        assert not (training_folder(folder) / "uploads" / "a.zip").exists()
        answer = client.post(url, params=asked, content=b"abcd")
        assert (answer.status_code, answer.json()) == (200, {"there": 4})
    assert (training_folder(folder) / "uploads" / "a.zip").stat().st_mode & 0o777 == 0o600
    (training_folder(folder) / "uploads" / "a.zip").unlink()


def test_where_training_is_not_installed_the_page_says_how_to_get_it(page: Page, tmp_path: Path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    hidden = (
        "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda name, *a: name != 'keras' and find(name)"
    )
    (without / "sitecustomize.py").write_text(hidden)
    bot = Bot(tmp_path, CONSOLE_TOKEN=TOKEN, PYTHONPATH=f"{without}:{ROOT}")
    bot.wait_for("adapter_open")
    page.goto(f"{bot.url}console")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Training", exact=True).click()
    expect(page.locator(".obstacle")).to_contain_text("Training needs keras: pip install -e '.[training]'.")
    expect(page.locator(".obstacle")).to_contain_text("the trainer's image has it")
    expect(page.get_by_role("button", name="Start the training")).to_have_count(0)
    assert violations(page) == []
    assert bot.stop() == 0
