import base64
import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from studio_trial import png, read_frame

import tvir
from tvir.studio.making import Maker, Point
from tvir.studio.projecting import approach, filled_in
from tvir.studio.refusal import RefusalError

DIGIT = np.zeros((8, 8), np.uint8)
DIGIT[1:7, 3:5] = 220


def bring(client, run, content, kind="image/png"):
    return client.post(f"/api/runs/{run}/mine", content=content, headers={"Content-Type": kind})


def mask_of(free):
    return base64.b64encode(free.astype(np.uint8).tobytes()).decode()


def finished(client, path):
    for _ in range(400):
        view = client.get(path).json()
        if view["finished"]:
            return view
        time.sleep(0.02)
    raise AssertionError("it did not end")


def test_a_picture_becomes_a_work_of_ones_own_in_the_size_of_the_model(client, ids):
    large = np.kron(DIGIT, np.ones((5, 5), np.uint8))
    work = bring(client, ids["vae"], png(np.stack([large] * 3, axis=2))).json()
    assert (work["origin"], work["width"], work["height"], work["alive"]) == ("mine", 8, 8, None)
    kept = np.asarray(Image.open(io.BytesIO(client.get(f"/api/works/{work['id']}/picture").content)))
    assert np.abs(kept.astype(int) - DIGIT).max() <= 40


def bomb():
    """A PNG that says it has 40,000 x 40,000 pixels, in a few kilobytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def large():
    """A real PNG with more pixels than are read."""
    content = io.BytesIO()
    Image.new("L", (6000, 5000)).save(content, format="PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not-a-picture"),
        (b"<!doctype html><script>alert(1)</script>", "not-a-picture"),
        (b"GIF89a" + b"\0" * 20, "not-a-picture"),
        (png(DIGIT)[:40], "not-a-picture"),
        (b"%PDF-1.4", "not-a-picture"),
        (bomb(), "not-a-picture"),
        (large(), "too-many-pixels"),
    ],
    ids=["empty", "svg", "html", "damaged gif", "truncated png", "pdf", "bomb", "many pixels"],
)
def test_what_is_no_picture_or_too_large_is_refused_and_nothing_is_kept(client, ids, content, code):
    answer = bring(client, ids["vae"], content, "image/svg+xml" if code == "svg" else "image/png")
    assert answer.status_code in (413, 415)
    assert answer.json()["code"] == code
    assert client.get("/api/works").json() == []


def test_pictures_are_sent_as_attachments_or_as_nothing_but_png(client, keep):
    work = keep()
    shown = client.get(f"/api/works/{work['id']}/picture").headers
    assert shown["content-type"] == "image/png"
    assert "attachment" in client.get(f"/api/works/{work['id']}/png").headers["content-disposition"]


def test_an_encoder_says_where_a_picture_lies(client, ids, runs):
    work = bring(client, ids["vae"], png(DIGIT)).json()
    found = client.post(f"/api/runs/{ids['vae']}/encode", json={"work": work["id"]}).json()
    run = tvir.load(runs / "vae")
    _, rows = read_frame(
        client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": [{"latent": found["latent"]}]}).content
    )
    assert np.array_equal(rows, run.reconstruct(DIGIT[None, :, :, None]))
    refused = client.post(f"/api/runs/{ids['gan']}/encode", json={"work": work["id"]})
    assert refused.json()["code"] == "cannot-encode"


def test_coming_nearer_finds_a_picture_that_the_model_can_make(runs):
    maker = Maker(tvir.load(runs / "gan").model)
    target = maker.rows([Point(latent=np.array([0.3, -0.8, 0.5, 0.1], np.float32))])[0]
    steps = list(approach(maker, target, steps=200))
    assert steps[-1].share == 1
    assert [step.distance for step in steps] == sorted((step.distance for step in steps), reverse=True)
    found = maker.rows([steps[-1].point])[0].astype(float)
    others = maker.rows([Point(latent=latent) for latent in maker.drawn(64, 1)]).astype(float)
    nearest = np.square(others - target).mean(axis=(1, 2, 3)).min()
    assert np.square(found - target).mean() < 0.2 * nearest


def test_the_class_that_fits_best_is_found_or_kept_to(runs):
    maker = Maker(tvir.load(runs / "asked").model)
    target = maker.rows([maker.checked(Point(latent=np.full(4, 0.5), condition=6))])[0]
    free = list(approach(maker, target, steps=60))[-1]
    kept = list(approach(maker, target, steps=10, condition=2))[-1]
    assert kept.point.condition == 2
    assert free.distance < 0.01


def test_coming_nearer_is_followed_and_stopped_over_the_api(client, ids):
    work = bring(client, ids["gan"], png(DIGIT)).json()
    path = f"/api/runs/{ids['gan']}/approaches"
    begun = client.post(path, json={"work": work["id"], "steps": 20}).json()
    end = finished(client, f"{path}/{begun['id']}")
    assert end["share"] == 1
    assert end["failed"] is None
    assert len(end["point"]["latent"]) == 4
    endless = client.post(path, json={"work": work["id"], "steps": 2000}).json()
    assert client.delete(f"{path}/{endless['id']}").status_code == 204
    assert finished(client, f"{path}/{endless['id']}")["failed"] is None
    assert client.get(f"{path}/0123456789abcdef").status_code == 404


def test_a_model_without_latents_cannot_come_nearer_and_says_so(client, ids):
    work = bring(client, ids["pixels"], png(DIGIT)).json()
    path = f"/api/runs/{ids['pixels']}/approaches"
    begun = client.post(path, json={"work": work["id"]})
    assert "no latents" in finished(client, f"{path}/{begun.json()['id']}")["failed"]


def test_what_is_masked_does_not_pull(runs):
    maker = Maker(tvir.load(runs / "vae").model)
    free = np.zeros((8, 8), bool)
    free[:, 4:] = True
    bright, dark = DIGIT.copy(), DIGIT.copy()
    bright[:, 4:], dark[:, 4:] = 255, 0
    ends = [list(approach(maker, picture[:, :, None], free=free, steps=30))[-1].distance for picture in (bright, dark)]
    assert ends[0] == pytest.approx(ends[1], rel=0.05)
    with pytest.raises(RefusalError, match="covers the whole"):
        next(approach(maker, DIGIT[:, :, None], free=np.ones((8, 8), bool)))


def test_filling_in_changes_the_masked_part_alone_but_for_a_soft_edge():
    picture, made = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 200, np.uint8)
    free = np.zeros((32, 32), bool)
    free[12:20, 12:20] = True
    hard = filled_in(picture, made, free, 0)
    assert np.array_equal(hard[:, :, 0] == 200, free)
    soft = filled_in(picture, made, free, 2)
    assert (soft[free] == 200).all()
    assert 0 < soft[11, 15, 0] < 200
    assert (soft[:6] == 0).all()


def test_a_filled_picture_is_kept_with_where_it_came_from(client, ids):
    work = bring(client, ids["vae"], png(DIGIT)).json()
    free = np.zeros((8, 8), bool)
    free[4:] = True
    form = {"work": work["id"], "mask": mask_of(free), "point": {"seed": 1}, "feather": 0}
    filled = client.post(f"/api/runs/{ids['vae']}/fillings", json=form).json()
    kept = np.asarray(Image.open(io.BytesIO(client.get(f"/api/works/{filled['id']}/picture").content)))
    assert np.array_equal(kept[:4], DIGIT[:4])
    assert not np.array_equal(kept[4:], DIGIT[4:])
    assert (filled["origin"], filled["parents"], filled["settings"]["masked"]) == ("filled", [work["id"]], 0.5)


@pytest.mark.parametrize("mask", ["no base64!", base64.b64encode(b"\1" * 63).decode()])
def test_masks_of_another_size_are_refused(client, ids, mask):
    work = bring(client, ids["vae"], png(DIGIT)).json()
    form = {"work": work["id"], "mask": mask, "point": {"seed": 1}}
    assert client.post(f"/api/runs/{ids['vae']}/fillings", json=form).json()["code"] == "invalid"
