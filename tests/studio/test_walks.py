"""Walks through the pages as a person would take them, in a real browser."""

import dataclasses
import re

import numpy as np
import pytest
from studio_trial import IN_A_BROWSER, png, until

from tvir.studio.trainings import Trainings
from tvir.studio.works import Draft, Works

pytestmark = IN_A_BROWSER


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


def test_the_picture_does_not_wait_for_the_directions(visit):
    page = visit("vae", at="#/gallery")
    page.locator("main h1").wait_for()
    held = []

    def hold(route):  # a method of a list cannot be given away
        held.append(route)

    page.route("**/chart", hold)
    page.get_by_role("link", name="Explore").first.click()
    until(lambda: page.locator("tvir-explore").get_attribute("data-painted"))
    until(lambda: held)
    changes(page, lambda: page.get_by_role("button", name="Surprise me").click())
    seen = pixels(page)
    held[0].continue_()
    ready(page)
    assert pixels(page) == seen


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
    assert page.get_by_label("Note", exact=True).input_value() == "for the cover"
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


def older(folder, count):
    """A studio's works from before it was opened; the oldest is a favourite and lies in a collection."""
    works = Works(folder / "studio" / "works.sqlite")
    draft = Draft(origin="explored", picture=png(np.zeros((1, 1), np.uint8)), width=1, height=1)
    kept = works.keep_all("ada", [draft] * count)
    collection = works.collect("ada", "Firsts")
    first = f"work:{kept[0].id}"
    said = [(first, "favourite", True), (first, f"in:{collection.id}", True), (first, "name", "The first")]
    works.change("ada", "say", said)
    works.close()


def test_works_older_than_the_first_page_are_reached_by_keys_and_by_filters(visit, tmp_path):
    older(tmp_path, 1003)
    page = visit("vae", at="#/gallery")
    page.get_by_text("1,003 works · the newest 1,000 shown · files hold the first 500").wait_for()
    cards = page.locator(".work")
    assert cards.count() == 1000
    page.get_by_role("button", name="Favourites", exact=True).click()
    page.locator(".work b", has_text="The first").wait_for()
    until(lambda: cards.count() == 1)
    page.get_by_role("button", name="Firsts", exact=True).click()
    page.get_by_role("button", name="Remove the collection").wait_for()
    assert cards.count() == 1
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Show older ones").press("Enter")
    until(lambda: cards.count() == 1003)
    page.get_by_text("1,003 works · files hold the first 500").wait_for()
    assert page.get_by_role("button", name="Show older ones").count() == 0
    assert page.evaluate("document.activeElement === document.querySelectorAll('.work .open')[1000]")
    cards.last.get_by_role("button", name="Take out of the gallery").click()
    until(lambda: cards.count() == 1002)
    page.get_by_role("button", name=re.compile("Undo")).click()
    until(lambda: cards.count() == 1003)
    assert cards.last.locator("b").text_content() == "The first"


def test_a_direction_is_named_in_place(visit):
    page = visit("gan")
    ready(page)
    page.get_by_role("button", name="Give Direction 1 another name").click()
    page.get_by_label("Give a name", exact=True).fill("thickness")
    page.keyboard.press("Enter")
    page.locator(".direction label", has_text="thickness").wait_for()
    page.reload()
    ready(page)
    assert page.locator(".direction label").first.text_content() == "thickness"


def test_classes_are_asked_for_by_buttons(visit):
    page = visit("asked")
    ready(page)
    changes(page, lambda: page.get_by_role("button", name="7", exact=True).click())
    assert page.get_by_role("button", name="7", exact=True).get_attribute("aria-pressed") == "true"


def test_models_without_latents_are_walked_by_seeds(visit):
    page = visit("pixels")
    until(lambda: page.locator("tvir-explore").get_attribute("data-painted"))
    seed = page.get_by_role("spinbutton", name="Seed")
    first, seen = seed.input_value(), pixels(page)
    changes(page, lambda: seed.fill("12"))
    seed.fill(first)
    assert until(lambda: pixels(page) == seen)


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


@pytest.mark.parametrize(("size", "scheme"), [((360, 740), "dark"), ((1280, 900), "light"), ((3840, 2160), "dark")])
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
      .filter(node => !node.getAttribute('aria-label') && !node.textContent.trim())
      .filter(node => !node.labels?.length && !node.title)
      .map(node => node.outerHTML)"""
    for link in page.locator("#nav a").all():
        link.click()
        page.locator("main h1").wait_for()
        assert page.evaluate(nameless) == []
        assert page.locator("main h1").count() == 1
        assert page.locator("#nav [aria-current=page]").count() == 1


def test_without_a_run_a_first_training_is_offered_and_explored(visit, monkeypatch):
    orders = []
    begin = Trainings.begin

    def shortened(self, order):
        orders.append(order)
        return begin(self, dataclasses.replace(order, budget="8steps"))

    monkeypatch.setattr(Trainings, "begin", shortened)
    page = visit(paths=[])
    page.get_by_role("button", name="Train for 30 seconds on digits").click()
    page.get_by_role("progressbar", name="Training").wait_for()
    page.locator(".map").wait_for(timeout=90_000)
    ready(page)
    assert [run["model"] for run in page.evaluate("fetch('/api/runs').then(answer => answer.json())")] == ["vae"]
    assert [(order.model, order.data, order.budget) for order in orders] == [("vae", "digits", "30s")]


def test_a_first_training_that_fails_says_why_and_can_be_tried_again(visit, monkeypatch):
    begin = Trainings.begin
    monkeypatch.setattr(
        Trainings, "begin", lambda self, order: begin(self, dataclasses.replace(order, data="nowhere.npz"))
    )
    page = visit(paths=[])
    button = page.get_by_role("button", name="Train for 30 seconds on digits")
    button.click()
    page.get_by_text(re.compile("The training failed: .*nowhere.npz")).wait_for(timeout=90_000)
    assert button.is_enabled()


ALL = "fetch('/api/works').then(answer => answer.json())"


def kept(page, count=2):
    """Keep some works in Explore."""
    ready(page)
    for number in range(count):
        changes(page, lambda: page.get_by_role("button", name="Surprise me").click())
        page.get_by_role("button", name="Keep", exact=True).click()
        until(lambda wanted=number + 1: len(page.evaluate(ALL)) == wanted)


def newest(page, origin):
    """The work of this origin that was kept last."""

    def found():
        works = page.evaluate(ALL)
        return works and works[0]["origin"] == origin and works[0]

    return until(found)


def blending(page, count):
    """Keeps some works, has all of them blended, and names the canvas."""
    kept(page, count)
    page.get_by_role("link", name="Blend").click()
    for choice in page.locator("tvir-blend .strip button").all():
        choice.click()
    until(lambda: page.locator("tvir-blend").get_attribute("data-painted"))
    return "tvir-blend .pad canvas"


def test_blending_three_works_by_hand_and_by_keys(visit):
    page = visit("vae")
    canvas = blending(page, 3)
    box = page.locator(".pad").bounding_box()
    changes(page, lambda: page.mouse.click(box["x"] + 15, box["y"] + 15), canvas)
    page.locator(".pad").focus()
    changes(page, lambda: page.keyboard.press("Shift+ArrowRight"), canvas)
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("Kept in the gallery").wait_for()
    assert len(newest(page, "blended")["parents"]) == 3
    page.get_by_role("button", name="Go on from here").click()
    ready(page)


def test_a_blend_is_asked_for_a_class_and_keeps_it(visit):
    page = visit("asked")
    canvas = blending(page, 2)
    assert page.get_by_role("button", name="Of the nearest", pressed=True).count() == 1
    changes(page, lambda: page.get_by_role("button", name="7", exact=True).click(), canvas)
    assert page.locator("tvir-blend .classes [aria-pressed=true]").all_text_contents() == ["7"]
    page.get_by_role("button", name="Keep", exact=True).click()
    assert newest(page, "blended")["condition_name"] == "7"
    changes(page, lambda: page.get_by_role("button", name="Of the nearest").click(), canvas)


def test_at_a_corner_a_blend_is_the_work_itself(visit):
    page = visit("vae")
    canvas = blending(page, 2)
    box = page.locator(".pad").bounding_box()
    page.mouse.click(box["x"] + 1, box["y"] + 60)
    first = page.locator(".pad .corner img").first
    drawn = """image => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      canvas.getContext('2d').drawImage(image, 0, 0);
      return canvas.toDataURL();
    }"""
    page.keyboard.press("Shift+ArrowLeft")
    assert until(lambda: pixels(page, canvas) == first.evaluate(drawn))


def test_evolving_picking_and_breeding_again_grows_the_family_tree(visit):
    page = visit("vae")
    kept(page, 2)
    page.get_by_role("link", name="Evolve").click()
    for choice in page.locator("tvir-evolve .strip button").all():
        choice.click()
    page.get_by_label("Boldness").fill("0.6")
    page.get_by_role("button", name="Breed", exact=True).click()
    page.get_by_role("button", name="Pick child 9").wait_for()
    page.get_by_role("button", name="Pick child 2").click()
    page.get_by_role("button", name="Pick child 5").click()
    page.get_by_role("button", name="Breed again from those picked").click()
    until(lambda: page.locator("tvir-evolve .strip button[aria-pressed=true]").count() == 2)
    page.get_by_role("button", name="Breed", exact=True).wait_for()
    page.get_by_role("button", name="Keep child 1").click()
    page.get_by_text("Kept in the gallery").wait_for()
    until(lambda: len(page.evaluate(ALL)) == 5)
    work = newest(page, "bred")
    assert (len(work["parents"]), work["settings"]["boldness"]) == (2, 0.6)
    page.get_by_role("link", name="Family").click()
    until(lambda: page.locator(".tree .node").count() == 5)
    assert page.locator(".tree path").count() == 6
    before = page.locator(".tree").get_attribute("viewBox")
    page.get_by_role("button", name="Zoom in").click()
    assert page.locator(".tree").get_attribute("viewBox") != before
    page.locator(".tree .node").last.focus()
    page.keyboard.press("Enter")
    page.locator("dialog").get_by_text("Bred", exact=True).wait_for()


def picture_file(folder, pixels=None, name="mine.png"):
    """A picture of one's own in a file."""
    gray = np.zeros((40, 40), np.uint8)
    gray[5:35, 18:24] = 230
    (folder / name).write_bytes(png(gray if pixels is None else pixels))
    return folder / name


def test_a_picture_of_ones_own_is_encoded_come_nearer_to_and_gone_on_from(visit, tmp_path):
    page = visit("vae", at="#/mine")
    page.get_by_label("Picture file").set_input_files(picture_file(tmp_path))
    page.get_by_text("Encoded.").wait_for()
    page.get_by_role("button", name="Come nearer").click()
    page.get_by_text(re.compile("100 % of the steps")).wait_for()
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("Kept in the gallery").wait_for()
    assert len(newest(page, "approached")["parents"]) == 1
    page.get_by_role("button", name="Go on from here").click()
    ready(page)


def test_a_model_that_cannot_encode_comes_nearer_with_progress(visit, tmp_path):
    page = visit("gan", at="#/mine")
    page.get_by_label("Picture file").set_input_files(picture_file(tmp_path))
    page.get_by_role("progressbar", name="How near it has come").wait_for()
    page.get_by_text(re.compile("100 % of the steps")).wait_for(timeout=30_000)
    assert page.get_by_role("button", name="Encode").count() == 0
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("Kept in the gallery").wait_for()


def test_drawing_by_hand_and_by_keys(visit):
    page = visit("vae", at="#/mine")
    pad = page.get_by_label("Drawing", exact=True)
    canvas = ".draw"
    box, blank = pad.bounding_box(), pixels(page, canvas)

    def stroke():
        page.mouse.move(box["x"] + 30, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 30, box["y"] + box["height"] - 30, steps=4)
        page.mouse.up()

    changes(page, stroke, canvas)
    page.get_by_role("button", name="Clear", exact=True).click()
    assert pixels(page, canvas) == blank
    pad.focus()
    changes(page, lambda: page.keyboard.press("Shift+ArrowLeft"), canvas)
    page.get_by_role("button", name="Use the drawing").click()
    page.get_by_text("Encoded.").wait_for()


def test_a_masked_part_is_filled_in_and_the_rest_stays(visit, tmp_path):
    page = visit("vae", at="#/mine")
    page.get_by_label("Picture file").set_input_files(picture_file(tmp_path))
    page.get_by_text("Encoded.").wait_for()
    box = page.get_by_label("Mask", exact=True).bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] - 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + box["height"] - 10, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Fill in what is masked").click()
    page.get_by_text(re.compile("100 % of the steps")).wait_for(timeout=30_000)
    page.get_by_role("button", name="Keep it filled in").click()
    page.get_by_text("Filled in and kept.").wait_for()
    assert 0 < newest(page, "filled")["settings"]["masked"] < 0.6


def test_a_pasted_picture_and_a_dropped_export_are_taken(visit, tmp_path):
    page = visit("vae")
    kept(page, 1)
    seen = pixels(page)
    page.get_by_role("link", name="Gallery").click()
    page.locator(".work .open").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG").click()
    page.get_by_role("button", name="Close").click()
    exported = download.value.path().read_bytes()
    send = """([bytes, kind]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], 'x.png', { type: 'image/png' }));
      document.querySelector('main').dispatchEvent(kind === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(send, [list(exported), "drop"])
    ready(page)
    until(lambda: pixels(page) == seen)
    page.get_by_role("link", name="Start from mine").click()
    page.evaluate(send, [list(picture_file(tmp_path).read_bytes()), "paste"])
    page.get_by_text("Encoded.").wait_for()


def test_a_path_over_the_map_becomes_a_moving_picture(visit):
    from PIL import Image

    page = visit("vae")
    ready(page)
    page.get_by_role("button", name="Draw on the map").click()
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 220, steps=6)
    page.mouse.up()
    until(lambda: page.get_by_role("button", name="Draw on the map").get_attribute("aria-pressed") == "false")
    page.get_by_label("Pictures", exact=True).fill("6")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make", exact=True).click()
    film = Image.open(download.value.path())
    assert film.format == "GIF"
    assert film.n_frames > 3
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("button", name="Add this place").click()
    assert page.get_by_role("button", name="Make", exact=True).is_disabled()


def test_what_goes_wrong_is_said_in_the_readers_language(visit, tmp_path):
    page = visit("vae", at="#/mine", language="uk-UA", refused="status of 415")
    (tmp_path / "mine.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    page.get_by_label("Файл картинки").set_input_files(tmp_path / "mine.svg")
    page.get_by_text("Це не картинка, яку можна прочитати").wait_for()
    assert page.evaluate(ALL) == []
