import ast
import json
import re
import threading
import time

from tvir.studio import describing

UKRAINIAN = json.loads((describing._WORDS / "settings.uk.json").read_text("utf-8"))


def test_every_description_of_a_setting_is_said_in_ukrainian_and_no_other():
    names = [model.name for model in describing.models() if model.missing is None]
    abouts = {setting.about for name in names for setting in describing.settings(name)}
    assert abouts - set(UKRAINIAN) == set(), "say these in src/tvir/studio/words/settings.uk.json"
    assert set(UKRAINIAN) - abouts == set(), "nothing is described so any more"


def test_ukrainian_descriptions_keep_sentences_citations_and_numbers():
    assert list(UKRAINIAN) == sorted(UKRAINIAN)
    for english, ukrainian in UKRAINIAN.items():
        assert re.search("[а-яіїєґ]", ukrainian), english
        assert not re.search("[ыэёъ]", ukrainian), ukrainian
        assert ukrainian.endswith(".") == english.endswith("."), english
        cited = [re.findall(r"arXiv [\d.]+\d", text) for text in (english, ukrainian)]
        assert cited[0] == cited[1], english
        numbers = [sorted(re.findall(r"\d+", text.replace("1,024", "1024"))) for text in (english, ukrainian)]
        assert numbers[0] == numbers[1], english


def test_a_form_is_described_in_the_language_that_is_asked_for():
    english, ukrainian = (describing.settings("gan", language) for language in ("en", "uk"))
    assert {one.name: UKRAINIAN[one.about] for one in english} == {one.name: one.about for one in ukrainian}
    assert [one.default for one in english] == [one.default for one in ukrainian]


def test_two_people_who_ask_for_forms_at_once_do_not_parse_at_once(monkeypatch):
    parse, inside, most = ast.parse, [], []

    def slow(*given, **more):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return parse(*given, **more)

    monkeypatch.setattr(ast, "parse", slow)
    describing._abouts.cache_clear()
    found = {}
    asked = [
        threading.Thread(target=lambda name=name: found.update({name: describing.settings(name)}))
        for name in ("vae", "gan", "unbalanced-gan")
    ]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join(60)
    assert set(found) == {"vae", "gan", "unbalanced-gan"}
    assert all(any(setting.about for setting in form) for form in found.values())
    assert max(most) == 1
