import subprocess
import sys

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from studio_trial import HOME, PORT, live

from tvir.studio import guard
from tvir.studio.guard import Door, Pace, is_loopback
from tvir.studio.server import create_app


def browser(atelier, door, pace=None, base_url=HOME):
    return TestClient(create_app(atelier, door, pace or Pace(1e6, 1e6)), base_url=base_url, follow_redirects=False)


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", "", "[::1"])
def test_a_name_that_was_rebound_to_this_address_is_not_answered(client, host):
    assert client.get("/api/works", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"])
def test_the_names_of_this_machine_are_answered(client, host):
    assert client.get("/api/works", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", f"http://evil.example:{PORT}", "http://127.0.0.1:1"]
)
def test_a_foreign_page_changes_nothing(client, origin, keep):
    work = keep()
    said = client.patch(f"/api/works/{work['id']}", json={"favourite": True}, headers={"Origin": origin})
    assert said.status_code == 403
    assert client.post("/api/undo", headers={"Origin": origin}).status_code == 403
    assert not client.get(f"/api/works/{work['id']}").json()["favourite"]


def test_a_foreign_form_changes_nothing(client):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.post("/api/collections", content='{"name": "x"}', headers={"Content-Type": kind})
        assert answer.status_code == 415
    assert client.post("/api/undo", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/api/collections").json() == []


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example"])
def test_a_foreign_page_opens_no_websocket(client, ids, origin):
    headers = {} if origin is None else {"Origin": origin}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"ws://127.0.0.1:{PORT}/api/runs/{ids['vae']}/live", headers=headers),
    ):
        pass


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "CONNECT", "PROPFIND"])
def test_other_methods_are_not_answered(client, method):
    assert client.request(method, "/api/works").status_code == 405


def test_beyond_this_machine_nothing_is_shown_without_the_token(atelier):
    door = Door(host="0.0.0.0", port=PORT, token="the-token")
    stranger = browser(atelier, door)
    for path in ("/", "/api/works", "/pages/studio.js", "/api/openapi.json"):
        assert stranger.get(path).status_code == 401
    assert stranger.get("/?token=wrong").headers.get("set-cookie") is None
    with pytest.raises(WebSocketDisconnect), live(stranger, "0" * 12):
        pass


def test_the_printed_link_lets_in_and_leaves_the_address_clean(atelier):
    door = Door(host="0.0.0.0", port=PORT, token="the-token")
    assert door.link.endswith("/?token=the-token")
    friend = browser(atelier, door)
    entered = friend.get("/?token=the-token")
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "the-token" not in cookie
    assert friend.get("/").status_code == 200
    bearer = browser(atelier, door)
    assert bearer.get("/api/works", headers={"Authorization": "Bearer the-token"}).status_code == 200
    assert bearer.get("/api/works", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_on_all_addresses_only_numbers_and_the_own_name_are_known():
    door = Door(host="0.0.0.0", port=PORT)
    assert door.knows_host(f"192.168.1.7:{PORT}")
    assert not door.knows_host(f"rebound.example:{PORT}")
    assert not is_loopback("0.0.0.0")


def test_cookies_of_people_cannot_be_made_up(client, keep):
    door = Door(secret=b"secret")
    cookie = door.person()
    name = door.read_person(cookie)
    assert cookie.startswith(name)
    assert door.read_person(f"{name}.{'0' * 32}") is None
    assert door.read_person("somebody-else." + cookie.partition(".")[2]) is None
    assert Door(secret=b"other").read_person(cookie) is None
    keep()
    honest = client.cookies[guard.PERSON]
    forged = TestClient(client.app, base_url=HOME, cookies={guard.PERSON: honest[:-4] + "0000"})
    assert forged.get("/api/done").json()["undo"] is None
    assert client.get("/api/done").json()["undo"] == "keep"


def test_every_answer_forbids_what_the_page_does_not_need(client):
    for path in ("/", "/pages/studio.js", "/api/works", "/nothing", "/api/works/zz"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/pages/../server.py", "/pages/..%2fserver.py", "/pages/%2e%2e/guard.py", "/pages//etc/passwd",
        "/../../etc/passwd",
        "/pages/....//guard.py", "/pages/%00", "/api/works/..%2f..%2fworks.sqlite/picture", "/api/works/%2e%2e/picture",
        "/api/runs/..%2f..%2f/chart", "/api/works/0123456789abcdef/picture", "/pages/words",
    ],
)  # fmt: skip
def test_no_path_leads_out(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert b"import" not in answer.content


def test_bodies_are_counted_while_they_come(client, ids, monkeypatch):
    monkeypatch.setattr(guard, "LARGEST_UPLOAD", 10_000)
    monkeypatch.setattr(guard, "LARGEST_BODY", 1_000)

    def flood():
        for _ in range(100):
            yield b"x" * 1000

    path = f"/api/runs/{ids['vae']}/mine"
    assert client.post(path, content=flood(), headers={"Content-Type": "image/png"}).status_code == 413
    assert client.post(path, content=b"x" * 20_000, headers={"Content-Type": "image/png"}).status_code == 413
    assert client.post("/api/collections", json={"name": "x" * 2000}).status_code == 413


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(atelier):
    app = create_app(atelier, Door(port=PORT), Pace(per_second=1e-3, burst=5))
    hasty, calm = (TestClient(app, base_url=HOME) for _ in range(2))
    hasty.get("/")
    calm.get("/")
    answers = [hasty.get("/api/done").status_code for _ in range(7)]
    assert answers[:5] == [200] * 5
    assert answers[-1] == 429
    assert calm.get("/api/done").status_code == 200


def test_a_pace_fills_up_again():
    pace = Pace(per_second=2, burst=1)
    assert pace.allows("ada", 0.0)
    assert not pace.allows("ada", 0.1)
    assert pace.allows("ada", 0.6)


def test_errors_tell_a_code_for_the_page_and_a_line_for_people(client, ids):
    answer = client.post("/api/works", json={"run": ids["vae"], "works": []})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert client.get("/api/works/0123456789abcdef").json() == {"code": "missing", "detail": "there is no such work"}
    assert client.get("/api/nothing").json()["code"] == "missing"


def test_everything_is_described_in_openapi(client):
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/works", "/api/runs/{run}/chart", "/api/undo"} <= set(paths)


def test_without_its_packages_the_command_says_what_to_install(tmp_path):
    program = "import sys; sys.modules['fastapi'] = None; from tvir.cli.main import main; main(['studio'])"
    answer = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr == (
        "tvir: the studio needs packages that are not installed; install them with: pip install 'tvir[studio]'\n"
    )
