import ast
import threading
import time

from tvir.studio import describing


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
