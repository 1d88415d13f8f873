"""Walks through learning and writing as a person would take them, in a real browser."""

import dataclasses

import numpy as np
import pytest
from studio_trial import IN_A_BROWSER, png, until

from tvir.studio.trainings import Trainings

pytestmark = IN_A_BROWSER


@pytest.fixture
def short(monkeypatch):
    """Trainings of a person's usual length would be too long here."""
    begin = Trainings.begin

    def shortened(self, order):
        settings = {"width": "2", "batch_size": "16", **order.settings}
        return begin(self, dataclasses.replace(order, budget="40steps", settings=settings))

    monkeypatch.setattr(Trainings, "begin", shortened)


def test_training_from_the_form_to_the_film_strip(visit, short):
    page = visit(paths=[], at="#/train")
    page.get_by_text("There is no run yet").wait_for()
    page.get_by_role("link", name="New training").click()
    page.get_by_label("Data", exact=True).select_option("built-in:digits")
    page.get_by_label("Model", exact=True).select_option("vae")
    page.get_by_label("beta", exact=True).fill("0.5")
    page.locator("code.command", has_text="--beta 0.5").wait_for()
    page.get_by_label("beta", exact=True).fill("half")
    page.get_by_role("alert").filter(has_text="beta").wait_for()
    page.get_by_label("beta", exact=True).fill("0.5")
    page.locator("code.command", has_text="--beta 0.5").wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator(".state.finished").first.wait_for(timeout=90_000)
    page.get_by_role("img", name="/reconstruction").first.wait_for()
    assert page.locator(".chart").count() >= 2
    page.locator(".film img").last.wait_for()
    page.locator(".film button").last.click()
    page.get_by_role("slider", name="Moment").press("Home")
    page.get_by_role("dialog").get_by_text("Step 0", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Explore it").click()
    page.locator("tvir-explore").wait_for()


def test_pictures_are_put_together_and_a_run_is_fine_tuned_on_them(visit, short):
    page = visit("vae", at="#/train/pictures")
    page.get_by_label("Name of the set").fill("Stripes")
    page.get_by_role("button", name="New set").click()
    page.get_by_role("heading", name="Stripes").wait_for()
    files = [
        {"name": f"{n}.png", "mimeType": "image/png",
         "buffer": png(np.random.default_rng(n % 11).integers(0, 256, (16, 16, 3), np.uint8))}
        for n in range(12)
    ]  # fmt: skip
    page.locator("#images-files").set_input_files(files)
    page.get_by_text("11.png is there already, as 0.png").wait_for()
    until(lambda: page.locator(".thumbs li").count() == 11)
    page.locator(".thumbs input").first.check()
    page.get_by_role("button", name="Take out the chosen").click()
    until(lambda: page.locator(".thumbs li").count() == 10)
    page.keyboard.press("Control+z")
    until(lambda: page.locator(".thumbs li").count() == 11)
    page.get_by_label("Fine-tune a run on it").select_option(label="vae")
    page.get_by_label("Begin from").wait_for()
    page.locator("code.command", has_text="--start-from").wait_for()
    assert page.get_by_label("Model", exact=True).input_value() == "vae"
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("vae learns from Stripes").wait_for(timeout=90_000)
    page.get_by_text("began from vae").wait_for()
    page.get_by_role("link", name="Its pictures").click()
    page.get_by_role("heading", name="Stripes").wait_for()


def test_asking_a_model_of_text_and_keeping_what_it_wrote(visit, authors):
    page = visit(paths=sorted(authors.iterdir()), at="#/write")
    page.get_by_label("Model", exact=True).select_option(label="reader · language-model")
    page.get_by_label("Beginning").fill("a cat ")
    page.get_by_label("Temperature").press("Home")
    page.get_by_label("Beginning").press("Control+Enter")
    page.locator(".sheet .said mark", has_text="a cat").wait_for()
    keep = page.locator(".sheet").get_by_role("button", name="Keep").first
    until(keep.is_enabled)
    keep.click()
    page.get_by_text("Kept in the gallery").wait_for()
    page.get_by_label("Model", exact=True).select_option(label="poet · conditional-language-model")
    page.get_by_role("button", name="verse").click()
    with page.expect_request("**/write") as asked:
        page.locator("form").get_by_role("button", name="Write", exact=True).click()
    assert asked.value.post_data_json["condition"] == 1
    page.get_by_label("Model", exact=True).select_option(label="sentences · text-vae")
    page.get_by_role("button", name="From one to another").first.click()
    page.get_by_label("From", exact=True).fill("a cat sees milk.")
    page.get_by_label("To", exact=True).fill("the bird likes bread.")
    page.locator("form").get_by_role("button", name="From one to another").click()
    until(lambda: page.locator(".sheet li").count() == 7)
    page.locator(".sheet").get_by_role("button", name="Vary this").first.click()
    until(lambda: page.locator(".sheet li").count() == 13)
    page.get_by_role("link", name="Gallery").click()
    page.locator(".work .open", has_text="a cat").click()
    page.get_by_role("button", name="Go on from here").click()
    page.get_by_label("Beginning").wait_for()
    assert page.get_by_label("Beginning").input_value().startswith("a cat ")
    page.get_by_label("Beginning").press("Control+Enter")
    until(lambda: page.locator(".sheet li").count() == 2)  # those of this model
    until(keep.is_enabled)
    keep.click()
    page.get_by_role("link", name="Family").click()
    until(lambda: (page.locator(".tree .node").count(), page.locator(".tree path").count()) == (2, 1))


def test_learning_and_writing_speak_ukrainian(visit, authors):
    page = visit(paths=sorted(authors.iterdir()), at="#/train/new", language="uk-UA")
    page.get_by_role("button", name="Навчати", exact=True).wait_for()
    page.get_by_text("Кількість прикладів на крок, в усіх процесах разом.").wait_for(state="attached")
    page.get_by_role("link", name="Тексти").click()
    page.locator("form").get_by_role("button", name="Писати", exact=True).wait_for()
    assert page.get_by_text("write.").count() == 0
