import io
import json
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from studio_trial import png, read_frame

from tvir.studio.exporting import exported_path
from tvir.studio.provenance import read_from


def exported(client, work, side=512):
    return client.get(f"/api/works/{work['id']}/png?side={side}").content


def bring(client, run, content):
    return client.post(f"/api/runs/{run}/mine", content=content, headers={"Content-Type": "image/png"}).json()


def test_an_exported_picture_holds_all_that_is_needed_to_make_it_again(client, ids, keep):
    work = keep(seed=5, origin="bred", settings={"boldness": 0.3})
    content = exported(client, work)
    image = Image.open(io.BytesIO(content))
    told = json.loads(image.text["tvir"])
    assert (told["weights"], told["model"], told["seed"], told["settings"]) == (
        work["weights"], "vae", 5, {"boldness": 0.3},
    )  # fmt: skip
    _, latent = read_from(content)
    made = client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": [{"latent": latent.tolist()}]}).content
    assert np.array_equal(np.asarray(image)[::64, ::64], read_frame(made)[1][0, :, :, 0])
    assert image.size == (512, 512)


def test_a_dropped_export_is_the_work_itself_and_is_brought_back_if_it_was_removed(client, ids, keep):
    work = keep(seed=5)
    content = exported(client, work)
    client.patch(f"/api/works/{work['id']}", json={"kept": False})
    assert bring(client, ids["vae"], content)["id"] == work["id"]
    assert [found["id"] for found in client.get("/api/works").json()] == [work["id"]]


def test_an_export_from_another_studio_opens_as_live_work(client, ids, keep, atelier):
    work = keep(seed=5)
    content = exported(client, work)
    text = json.loads(Image.open(io.BytesIO(content)).text["tvir"])
    text["work"] = "0123456789abcdef"
    other = PngImagePlugin.PngInfo()
    other.add_itxt("tvir", json.dumps(text))
    opened = bring(client, ids["gan"], png(np.zeros((9, 9), np.uint8), pnginfo=other))
    assert (opened["origin"], opened["alive"], opened["seed"]) == ("opened", ids["vae"], 5)
    assert np.array_equal(atelier.works.latent(opened["id"]), atelier.works.latent(work["id"]))
    assert atelier.works.picture(opened["id"]) == atelier.works.picture(work["id"])


@pytest.mark.parametrize(
    "text",
    [
        "no json", "{}", '{"weights": "%s", "latent": "!!!"}', '{"weights": "%s", "latent": "AAAA"}',
        '{"weights": "%s", "latent": "AADAfwAAwH8AAMB/AADAfw=="}', '{"weights": ["%s"]}', '{"settings": 1}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_provenance_that_cannot_be_believed_makes_a_picture_and_no_error(client, ids, keep, text):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("tvir", text.replace("%s", keep()["weights"]))
    content = png(np.zeros((8, 8), np.uint8), pnginfo=chunks)
    answer = client.post(f"/api/runs/{ids['vae']}/mine", content=content, headers={"Content-Type": "image/png"})
    assert answer.status_code == 201
    assert answer.json()["origin"] == "mine"


def test_a_chunk_that_unfolds_without_end_is_not_unfolded(client, ids):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("tvir", "x" * 80_000_000, zip=True)
    content = png(np.zeros((8, 8), np.uint8), pnginfo=chunks)
    assert len(content) < 200_000
    answer = client.post(f"/api/runs/{ids['vae']}/mine", content=content, headers={"Content-Type": "image/png"})
    assert answer.status_code in (201, 415)


def test_a_filled_picture_opens_as_it_looks(client, ids, keep):
    import base64

    own = bring(client, ids["vae"], png(np.full((8, 8), 255, np.uint8)))
    mask = base64.b64encode(bytes([1] * 32 + [0] * 32)).decode()
    form = {"work": own["id"], "mask": mask, "point": {"seed": 1}, "feather": 0}
    filled = client.post(f"/api/runs/{ids['vae']}/fillings", json=form).json()
    image = Image.open(io.BytesIO(exported(client, filled, side=8)))
    assert (np.asarray(image)[4:] == 255).all()


def test_a_zip_holds_pictures_and_what_is_known_of_them(client, keep):
    works = [keep(seed=1), keep("gan", seed=2)]
    client.patch(f"/api/works/{works[0]['id']}", json={"note": "нотатка"})
    query = "&".join(f"work={work['id']}" for work in works)
    with zipfile.ZipFile(io.BytesIO(client.get(f"/api/export/works.zip?{query}").content)) as archive:
        names = archive.namelist()
        told = json.loads(archive.read("provenance.json"))
        pictures = [name for name in names if name.endswith(".png") and name[0].isdigit()]
        assert read_from(archive.read(pictures[0]))[0].weights == works[0]["weights"]
    assert len(pictures) == 2
    assert "contact-sheet.png" in names
    assert [entry["note"] for entry in told] == ["нотатка", ""]
    assert all("/" not in name and ".." not in name for name in names)


def test_a_contact_sheet_shows_each_work_in_order(client, keep):
    works = [keep(seed=seed) for seed in (1, 2, 3)]
    query = "&".join(f"work={work['id']}" for work in works)
    sheet = Image.open(io.BytesIO(client.get(f"/api/export/contact-sheet.png?{query}").content))
    assert sheet.size == (2 * 168 + 8, 2 * 168 + 8)
    first = np.asarray(sheet.convert("L"))[8:168:20, 8:168:20]
    kept = np.asarray(Image.open(io.BytesIO(client.get(f"/api/works/{works[0]['id']}/picture").content)))
    assert np.array_equal(first, kept)
    assert client.get("/api/export/contact-sheet.png?work=0123456789abcdef").status_code == 404


def test_a_path_becomes_a_film_that_passes_its_ends(client, ids):
    form = {"points": [{"seed": 1}, {"seed": 2}, {"seed": 3}], "frames": 7}
    film = Image.open(io.BytesIO(client.post(f"/api/runs/{ids['vae']}/path", json=form).content))
    assert (film.format, film.info["loop"]) == ("GIF", 0)
    ends = read_frame(client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": form["points"]}).content)[1]
    first = np.asarray(film.convert("L"))[::32, ::32]
    assert np.abs(first.astype(int) - ends[0, :, :, 0]).max() < 12
    sheet = Image.open(io.BytesIO(client.post(f"/api/runs/{ids['vae']}/path", json={**form, "form": "sheet"}).content))
    assert sheet.width > sheet.height


WITH_FFMPEG = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="there is no ffmpeg: apt-get install ffmpeg"
)


def decoded(film, folder):
    """Frames (N, height, width, 3) of an MP4, with its frames per second."""
    path = folder / "film.mp4"
    path.write_bytes(film)
    asked = "stream=codec_name,pix_fmt,width,height,nb_read_frames,r_frame_rate"
    probe = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", asked, "-of", "json", str(path)]
    (told,) = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)["streams"]
    assert (told["codec_name"], told["pix_fmt"]) == ("h264", "yuv420p")  # what every browser plays
    raw = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    content = subprocess.run(raw, check=True, capture_output=True).stdout
    frames = np.frombuffer(content, np.uint8).reshape(-1, told["height"], told["width"], 3)
    assert int(told["nb_read_frames"]) == len(frames)
    return frames, int(told["r_frame_rate"].removesuffix("/1"))


@WITH_FFMPEG
@pytest.mark.parametrize(
    ("shape", "size"),
    [((9, 9, 1), (262, 262)), ((8, 8, 3), (256, 256)), ((1, 2, 3), (256, 512)), ((257, 301, 3), (258, 302)),
     ((9, 9, 4), (262, 262))],
)  # fmt: skip
def test_a_film_shows_every_picture_whole_whatever_its_size(shape, size, tmp_path):
    rows = np.zeros((4, *shape), np.uint8)
    for number in range(4):
        rows[number] = 40 + 50 * number
        rows[number, : (shape[0] + 1) // 2, : shape[1] // 2] = 0
    if shape[2] == 4:
        rows[..., 3] = 255
        rows[:, -1, :, 3] = 0  # transparent pixels show the paper
    frames, pace = decoded(exported_path(rows, "mp4", 10), tmp_path)
    assert (frames.shape, pace) == ((4, *size, 3), 10)
    times = max(1, -(-256 // min(shape[:2])))
    for number, row in enumerate(rows):
        shown = [[0, 0], [0, shape[1] - 1], [shape[0] - 1, shape[1] - 1]]
        for down, across in shown:
            wanted = row[down, across, :3].astype(int) if shape[2] > 2 else np.repeat(row[down, across].astype(int), 3)
            wanted = np.full(3, 255) if shape[2] == 4 and row[down, across, 3] == 0 else wanted
            seen = frames[number, down * times + times // 2, across * times + times // 2].astype(int)
            assert np.abs(seen - wanted).max() < 12, (number, down, across, seen, wanted)


@WITH_FFMPEG
def test_a_path_becomes_an_mp4_of_the_pictures_on_its_way(client, ids, tmp_path):
    form = {"points": [{"seed": 1}, {"seed": 2}], "frames": 5, "frames_per_second": 8}
    path = f"/api/runs/{ids['vae']}/path"
    answer = client.post(path, json={**form, "form": "mp4"})
    assert answer.headers["content-type"] == "video/mp4"
    frames, pace = decoded(answer.content, tmp_path)
    assert (frames.shape, pace) == ((5, 256, 256, 3), 8)
    ends = read_frame(client.post(f"/api/runs/{ids['vae']}/pictures", json={"points": form["points"]}).content)[1]
    for frame, row in ((frames[0], ends[0]), (frames[-1], ends[1])):
        assert np.abs(frame[16::32, 16::32, 0].astype(int) - row[:, :, 0]).max() < 12
    assert client.get("/api/about").json()["films"] is True


def test_a_run_of_texts_is_refused_a_film_in_words(writing):
    client, ids = writing
    form = {"points": [{"seed": 1}, {"seed": 2}], "form": "mp4"}
    assert client.post(f"/api/runs/{ids['sentences']}/path", json=form).json()["code"] == "no-pictures"


def test_mp4_is_refused_in_words_where_ffmpeg_is_not(client, ids, monkeypatch):
    form = {"points": [{"seed": 1}, {"seed": 2}], "frames": 5, "form": "mp4"}
    path = f"/api/runs/{ids['vae']}/path"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert client.post(path, json=form).json()["code"] == "no-ffmpeg"
    assert client.get("/api/about").json()["films"] is False


def test_a_path_needs_places(client, ids):
    assert client.post(f"/api/runs/{ids['vae']}/path", json={"points": [{"seed": 1}]}).status_code == 422
    nowhere = client.post(f"/api/runs/{ids['pixels']}/path", json={"points": [{"seed": 1}, {"seed": 2}]})
    assert nowhere.json()["code"] == "no-path"
