"""Every page, as a screen reader and a narrow screen meet it."""

from pathlib import Path

import pytest
from studio_trial import IN_A_BROWSER, until

axe_playwright_python = pytest.importorskip("axe_playwright_python")

pytestmark = IN_A_BROWSER

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")


@pytest.mark.parametrize(
    ("size", "scheme", "language"), [((1280, 900), "light", "en-US"), ((400, 800), "dark", "uk-UA")]
)
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_the_screen(visit, size, scheme, language):
    page = visit("asked", size=size, color_scheme=scheme, language=language)
    page.locator(".direction").first.wait_for()
    page.keyboard.press("k")
    until(lambda: page.evaluate("fetch('/api/works').then(answer => answer.json())"))
    names = [link.get_attribute("data-page") for link in page.locator("#nav a").all()]
    assert len(names) > 6
    for name in names:
        page.evaluate("name => { location.hash = `#/${name}` }", name)
        page.locator("main h1").first.wait_for()
        page.wait_for_timeout(300)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("() => axe.run()")
        assert found["passes"], name
        told = [f"{name}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
        assert told == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), name
