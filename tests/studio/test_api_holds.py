"""Whatever is sent to the API is answered, with what was asked for or with a reason; it never fails by itself."""

import json

import pytest

schemathesis = pytest.importorskip("schemathesis")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from studio_trial import HOME, PORT, live  # noqa: E402

from tvir.studio.guard import Door, Pace  # noqa: E402
from tvir.studio.server import create_app  # noqa: E402

HOST = HOME.removeprefix("http://")
FEW = settings(
    max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.slow
def test_no_request_that_the_description_allows_or_forbids_breaks_the_server(atelier, ids, keep):
    known = {"run": ids["vae"], "work": keep()["id"]}
    app = create_app(atelier, Door(port=PORT), Pace(1e6, 1e6))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers={"Host": HOST})
    # Each of these starts a process that trains, judges or examines.
    schema = schema.exclude(path_regex="/learning/runs", method="POST")
    asked = 0
    for operation in schema.get_all_operations():

        @FEW
        @given(case=operation.ok().as_strategy(), names_what_is_there=st.booleans())
        def holds(case, names_what_is_there):
            # Invented ids end at the first door; what lies behind it is asked as well.
            if names_what_is_there:
                for given_names in (case.path_parameters, case.body):
                    if isinstance(given_names, dict):
                        given_names.update({name: known[name] for name in known if name in given_names})
            answer = case.call(headers={"Host": HOST, "Origin": HOME})
            assert answer.status_code != 403, answer.text
            assert answer.status_code < 500 or answer.status_code == 503, f"{case.method} {case.path}: {answer.text}"

        holds()
        asked += 1
    assert asked > 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_no_message_breaks_the_line(client, ids):
    @FEW
    @given(messages=st.lists(st.text(max_size=30) | JSON.map(json.dumps), min_size=1, max_size=5))
    def holds(messages):
        with live(client, ids["vae"]) as socket:
            for message in messages:
                socket.send_text(message)
            socket.send_text('{"number": 77, "point": {"seed": 1}}')
            for _ in range(len(messages) + 1):
                answer = socket.receive()
                if answer.get("bytes"):
                    break
                assert json.loads(answer["text"])["code"] in (
                    "invalid",
                    "no-point",
                    "no-class",
                    "no-latents",
                    "missing",
                )
            assert answer["bytes"][:1] == bytes([77])

    holds()
