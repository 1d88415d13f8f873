"""Whatever is sent to whatever OpenAPI describes, no answer is a failure of the server."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from studio_trial import HOME, PORT, live

from tvir.studio.atelier import Atelier
from tvir.studio.guard import Door, Pace
from tvir.studio.server import create_app

SLOW = {"/api/trainings", "/api/runs/{run}/approaches"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def described(runs, tmp_path_factory):
    """A studio with a work, its operations and the ids that mean something in it."""
    place = tmp_path_factory.mktemp("any-input")
    atelier = Atelier.at(place / "studio", [runs / "vae", runs / "asked", runs / "toy"], [], place / "trained")
    app = create_app(atelier, Door(port=PORT), Pace(1e9, 1e9))
    client = TestClient(app, base_url=HOME, raise_server_exceptions=False)
    client.get("/")
    listed = {run["name"]: run["id"] for run in client.get("/api/runs").json()}
    found = [listed["vae"], listed["asked"], listed["toy"]]
    form = {"run": found[0], "works": [{"point": {"seed": 1}}]}
    works = [client.post("/api/works", json={**form, "run": run}).json() for run in found]
    found += [work[0]["id"] for work in works if isinstance(work, list)]
    found.append(client.post("/api/collections", json={"name": "c"}).json()["id"])
    document = client.get("/api/openapi.json").json()
    operations = [(method, path) for path, methods in document["paths"].items() for method in methods]
    yield client, sorted(operations), found, document["components"]["schemas"]
    atelier.close()


def near(schema, schemas, ids):
    """JSON that nearly is what a schema asks for."""
    if "$ref" in schema:
        return near(schemas[schema["$ref"].rpartition("/")[2]], schemas, ids)
    if "anyOf" in schema:
        return st.one_of([near(choice, schemas, ids) for choice in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            fields = {name: near(field, schemas, ids) for name, field in schema.get("properties", {}).items()}
            needed = schema.get("required", [])
            return st.fixed_dictionaries(
                {name: field for name, field in fields.items() if name in needed},
                optional={name: field for name, field in fields.items() if name not in needed},
            )
        case "array":
            return st.lists(near(schema["items"], schemas, ids), max_size=5)
        case "integer":
            return st.integers(-3, 12) | st.just(2**60)
        case "number":
            return st.floats(-2, 2) | st.sampled_from([1e308, -1e308, 5e-324])
        case "boolean":
            return st.booleans()
        case "string":
            return st.sampled_from(ids) | st.text(max_size=8)
    return JSON


@pytest.mark.slow
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(data=st.data())
def test_no_request_makes_the_server_fail(described, data):
    client, operations, ids, schemas = described
    method, path = data.draw(st.sampled_from([found for found in operations if found[1] not in SLOW]))
    strange = st.text(max_size=8).filter(lambda text: "/" not in text and text not in ("", ".", ".."))
    for name in re.findall(r"\{(\w+)\}", path):
        meant = data.draw(st.sampled_from([*ids, "0", "-1", "99"]) | strange)
        path = path.replace(f"{{{name}}}", quote(meant.encode("utf-8", "replace"), safe=""))
    query = data.draw(
        st.dictionaries(
            st.sampled_from(["work", "limit", "before", "side", "removed"]),
            st.sampled_from([*ids, "1", "-1", "x", "1e9"]),
        )
    )
    operation = described_operation(client, method, path)
    body = None
    if method in ("post", "put", "patch"):
        shapes = [near({"$ref": name}, schemas, ids) for name in operation] or [JSON]
        body = json.dumps(data.draw(st.one_of([*shapes, JSON])))
    answer = client.request(
        method.upper(), path, params=query, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code < 500, (method, path, body, answer.text[:300])
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "detail"}


def described_operation(client, method, path):
    """References to the schemas of the bodies of an operation."""
    document = client.app.openapi()
    for known, methods in document["paths"].items():
        if method in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path):
            content = methods[method].get("requestBody", {}).get("content", {})
            return [kind["schema"]["$ref"] for kind in content.values() if "$ref" in kind.get("schema", {})]
    return []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(messages=st.lists(st.text(max_size=30) | JSON.map(json.dumps), min_size=1, max_size=5))
def test_no_message_breaks_the_line(described, messages):
    client, _, ids, _ = described
    with live(client, ids[0]) as socket:
        for message in messages:
            socket.send_text(message)
        socket.send_text('{"number": 77, "point": {"seed": 1}}')
        for _ in range(len(messages) + 1):
            answer = socket.receive()
            if answer.get("bytes"):
                break
            assert json.loads(answer["text"])["code"] in ("invalid", "no-point", "no-class", "no-latents", "missing")
        assert answer["bytes"][:1] == bytes([77])
