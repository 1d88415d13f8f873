"""Walks through the pages as a person would take them, in a real browser."""

import re
import shutil
import socket
import threading
import time

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
uvicorn = pytest.importorskip("uvicorn")

from tvir.studio.atelier import Atelier  # noqa: E402
from tvir.studio.guard import Door, Pace  # noqa: E402
from tvir.studio.server import create_app  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def serve(tmp_path):
    """Serves a studio with some runs in a thread and gives its address."""
    running = []

    def served(named):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        atelier = Atelier.at(tmp_path / "studio", named, [], tmp_path / "trained")
        app = create_app(atelier, Door(port=port), Pace(1e6, 1e6))
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        until(lambda: server.started)
        return f"http://127.0.0.1:{port}/"

    yield served
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def visit(browser, serve, runs):
    """Opens a page of a studio; what the browser complains about fails the test."""
    contexts, complaints = [], []

    def visited(*named, at="", language="en-US", size=(1280, 900), paths=None, **more):
        address = serve([runs / name for name in named] if paths is None else paths)
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=language, accept_downloads=True, **more
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(address + at)
        contexts.append(context)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert complaints == []


def until(holds, seconds=15):
    """Wait for something; the pages forbid eval, so it is asked from outside."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)
    return found


def pixels(page, selector="tvir-explore .stage canvas"):
    """What a canvas shows, as text."""
    return page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")


def ready(page):
    """Wait until Explore has its map and has painted."""
    page.locator(".direction").first.wait_for()
    until(lambda: page.locator("tvir-explore").get_attribute("data-painted"))


def changes(page, act, selector="tvir-explore .stage canvas"):
    """Do something after which the picture must be another one."""
    before = pixels(page, selector)
    act()
    until(lambda: pixels(page, selector) != before)


def test_exploring_by_map_sliders_and_keys(visit):
    page = visit("vae")
    ready(page)
    box = page.locator(".map").bounding_box()

    def drag():
        page.mouse.move(box["x"] + 50, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 90, steps=5)
        page.mouse.up()

    changes(page, drag)
    page.locator(".map").focus()
    changes(page, lambda: page.keyboard.press("Shift+ArrowLeft"))
    page.locator("#direction-2").focus()
    changes(page, lambda: page.keyboard.press("PageUp"))
    changes(page, lambda: page.get_by_role("button", name="Surprise me").click())
    changes(page, lambda: page.get_by_role("button", name="To the middle").click())
    assert page.locator(".direction canvas").count() == 2 * page.locator(".direction").count()


def test_the_place_survives_leaving_the_page(visit):
    page = visit("vae")
    ready(page)
    slider = page.locator("#direction-0")
    slider.focus()
    changes(page, lambda: page.keyboard.press("PageUp"))
    place, seen = slider.input_value(), pixels(page)
    page.get_by_role("link", name="Gallery").click()
    page.get_by_role("link", name="Explore").first.click()
    ready(page)
    assert float(page.locator("#direction-0").input_value()) == pytest.approx(float(place), abs=1e-4)
    until(lambda: pixels(page) == seen)


def test_keeping_saying_undoing_and_going_on(visit):
    page = visit("vae")
    ready(page)
    changes(page, lambda: page.get_by_role("button", name="Surprise me").click())
    seen = pixels(page)
    page.keyboard.press("k")
    page.get_by_text("Kept in the gallery").wait_for()
    changes(page, lambda: page.get_by_role("button", name="To the middle").click())
    page.get_by_role("link", name="Gallery").click()
    page.locator(".work .open").click()
    page.get_by_label("Name", exact=True).fill("Thin three")
    page.get_by_label("Note", exact=True).fill("for the cover")
    page.get_by_role("button", name="Close").click()
    page.locator(".work .about b", has_text="Thin three").wait_for()
    page.get_by_role("button", name="Favourite", exact=True).click()
    until(lambda: page.get_by_role("button", name="Favourite", exact=True).get_attribute("aria-pressed") == "true")
    page.get_by_role("button", name="Take out of the gallery").click()
    page.get_by_text("Nothing here yet").wait_for()
    page.get_by_role("button", name=re.compile("Undo")).click()
    page.locator(".work .about b", has_text="Thin three").wait_for()
    page.locator("main").press("Control+z")
    until(lambda: page.get_by_role("button", name="Favourite", exact=True).get_attribute("aria-pressed") == "false")
    page.locator("main").press("Control+Shift+z")
    until(lambda: page.get_by_role("button", name="Favourite", exact=True).get_attribute("aria-pressed") == "true")
    page.locator(".work .open").click()
    page.get_by_role("button", name="Go on from here").click()
    ready(page)
    until(lambda: pixels(page) == seen)


def test_collections_side_by_side_and_files_to_take_along(visit):
    page = visit("vae")
    ready(page)
    for number in (1, 2):
        page.get_by_role("button", name="Surprise me").click()
        page.get_by_role("button", name="Keep", exact=True).click()
        page.get_by_role("link", name="Gallery").click()
        until(lambda wanted=number: page.locator(".work").count() == wanted)
        page.get_by_role("link", name="Explore").first.click()
        ready(page)
    page.get_by_role("link", name="Gallery").click()
    for box in page.locator(".work input[type=checkbox]").all():
        box.check()
    page.get_by_text("2 chosen").wait_for()
    page.get_by_role("button", name="Side by side").click()
    assert page.locator("dialog figure").count() == 2
    page.get_by_role("button", name="Close").click()
    page.get_by_label("Name of a collection").fill("Threes")
    page.get_by_role("button", name="New collection").click()
    page.get_by_role("button", name="Threes", pressed=True).wait_for()
    until(lambda: page.locator(".work").count() == 2)
    for name, suffix in (("ZIP", ".zip"), ("Contact sheet", ".png")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename.endswith(suffix)
        assert download.value.path().stat().st_size > 500


def test_a_direction_is_named_in_place(visit):
    page = visit("gan")
    ready(page)
    page.get_by_role("button", name="Give Direction 1 another name").click()
    page.get_by_label("Give a name", exact=True).fill("thickness")
    page.keyboard.press("Enter")
    page.locator(".direction label", has_text="thickness").wait_for()


def test_classes_are_asked_for_by_buttons(visit):
    page = visit("asked")
    ready(page)
    changes(page, lambda: page.get_by_role("button", name="7", exact=True).click())
    assert page.get_by_role("button", name="7", exact=True).get_attribute("aria-pressed") == "true"


def test_models_without_latents_are_walked_by_seeds(visit):
    page = visit("pixels")
    until(lambda: page.locator("tvir-explore").get_attribute("data-painted"))
    changes(page, lambda: page.get_by_role("spinbutton", name="Seed").fill("12"))


def test_the_page_speaks_both_languages_and_remembers_which(visit):
    page = visit("vae", language="uk-UA")
    ready(page)
    assert page.locator("html").get_attribute("lang") == "uk"
    page.get_by_role("button", name="Зберегти").click()
    page.get_by_text("Збережено в галереї").wait_for()
    page.get_by_label("Мова").select_option("en")
    page.get_by_role("link", name="Gallery").wait_for()
    page.reload()
    page.get_by_role("link", name="Gallery").wait_for()


@pytest.mark.parametrize("size", [(360, 740), (1280, 900), (3840, 2160)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_at_any_size(visit, size, scheme):
    page = visit("asked", size=size, color_scheme=scheme)
    ready(page)
    for link in page.locator("#nav a").all():
        link.click()
        page.locator("main h1").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(
            "[...document.querySelectorAll('main .card')].every(card => card.scrollWidth <= card.clientWidth + 1)"
        )


def test_everything_has_a_name_for_those_who_listen(visit):
    page = visit("asked")
    ready(page)
    nameless = """[...document.querySelectorAll('button, a, input, select, textarea, [role=application]')]
      .filter(node => node.checkVisibility())
      .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length || node.title))
      .map(node => node.outerHTML)"""
    for link in page.locator("#nav a").all():
        link.click()
        page.locator("main h1").wait_for()
        assert page.evaluate(nameless) == []
        assert page.locator("main h1").count() == 1
        assert page.locator("#nav [aria-current=page]").count() == 1


def test_without_a_run_a_first_training_is_offered_and_explored(visit, monkeypatch):
    from tvir.studio.trainings import Trainings

    start = Trainings.start
    monkeypatch.setattr(Trainings, "start", lambda self, model, data, _: start(self, model, data, "8steps"))
    page = visit(paths=[])
    page.get_by_role("button", name="Train for 30 seconds on digits").click()
    page.get_by_role("progressbar", name="Training").wait_for()
    page.locator(".map").wait_for(timeout=90_000)
    ready(page)
