import contextlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tvir.data.images import ImageForm, Note, UnusableImageError, decode_image, measure_image

SQUARE = ImageForm(height=16, width=16, channels=3)
GRAY = ImageForm(height=16, width=16, channels=1)


def halves(width=16, height=16, left=(255, 0, 0), right=(0, 0, 255)):
    """Left half of one colour, right half of another."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2] = left
    pixels[:, width // 2 :] = right
    return pixels


def png_header(width, height):
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_images_of_the_wanted_size_keep_every_pixel(encode, form):
    options = {"lossless": True} if form == "WEBP" else {}
    pixels, notes = decode_image(encode(Image.fromarray(halves()), form, **options), SQUARE)
    np.testing.assert_array_equal(pixels, halves())
    assert not notes


def test_files_and_bytes_decode_alike(encode, picture, tmp_path):
    content = encode(picture(1, width=40, height=20), "JPEG")
    (tmp_path / "a.jpg").write_bytes(content)
    np.testing.assert_array_equal(decode_image(content, SQUARE)[0], decode_image(tmp_path / "a.jpg", SQUARE)[0])


def test_crop_keeps_the_centre_and_says_so(encode):
    wide = np.zeros((16, 48, 3), np.uint8)
    wide[:, 16:32] = 200
    pixels, notes = decode_image(encode(Image.fromarray(wide)), SQUARE)
    assert (pixels == 200).all()
    assert notes == {Note.CROPPED}


def test_pad_keeps_everything_between_black_bars_and_says_so(encode):
    wide = np.full((16, 32, 3), 200, np.uint8)
    form = ImageForm(height=16, width=16, channels=3, fit="pad")
    pixels, notes = decode_image(encode(Image.fromarray(wide)), form)
    assert (pixels[4:12] == 200).all()
    assert (pixels[:4] == 0).all()
    assert (pixels[12:] == 0).all()
    assert notes == {Note.PADDED}


def test_any_proportions_are_reached_without_distortion(encode):
    form = ImageForm(height=8, width=24, channels=3)
    pixels, _ = decode_image(encode(Image.fromarray(halves(48, 48))), form)
    assert pixels.shape == (8, 24, 3)
    np.testing.assert_array_equal(pixels[:, :9], np.broadcast_to([255, 0, 0], (8, 9, 3)))
    np.testing.assert_array_equal(pixels[:, 15:], np.broadcast_to([0, 0, 255], (8, 9, 3)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(encode, orientation):
    upright = np.zeros((16, 16), np.uint8)
    upright[:8, :8], upright[:8, 8:], upright[8:, :8], upright[8:, 8:] = 0, 80, 160, 240
    # The stored image for each orientation, written out from the definition of the tag: what row 0 and column 0 are.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    pixels, notes = decode_image(content, GRAY)
    np.testing.assert_array_equal(pixels[..., 0], upright)
    assert notes == ({Note.TURNED} if orientation > 1 else set())


def test_measuring_sees_the_upright_size(encode, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    for form in ("JPEG", "PNG"):
        measured = measure_image(encode(picture(width=40, height=20), form, exif=exif))
        assert (measured.height, measured.width) == (40, 20)


def test_sixteen_bits_are_scaled_not_clipped(encode):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    pixels, notes = decode_image(encode(Image.fromarray(ramp)), GRAY)
    np.testing.assert_array_equal(pixels.ravel(), np.arange(256))
    assert notes == {Note.SIXTEEN_BIT}


def test_floats_from_zero_to_one_are_scaled(encode):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    pixels, _ = decode_image(encode(Image.fromarray(ramp), "TIFF"), GRAY)
    np.testing.assert_array_equal(pixels.ravel(), np.arange(256))


@pytest.mark.parametrize("worst", [np.nan, -1.0, 1e6])
def test_floats_without_a_defined_brightness_are_refused(encode, worst):
    values = np.full((16, 16), worst, np.float32)
    with pytest.raises(UnusableImageError, match="no defined brightness"):
        decode_image(encode(Image.fromarray(values), "TIFF"), GRAY)


def test_transparency_is_composited_over_white(encode):
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :8] = (255, 0, 0, 255)
    decoded, notes = decode_image(encode(Image.fromarray(pixels)), SQUARE)
    np.testing.assert_array_equal(decoded, halves(right=(255, 255, 255)))
    assert notes == {Note.TRANSPARENT}


def test_hidden_colours_of_transparent_pixels_do_not_bleed_when_resized(encode):
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (0, 0, 0, 255)
    pixels[:, 16:] = (255, 0, 0, 0)
    decoded, _ = decode_image(encode(Image.fromarray(pixels)), SQUARE)
    assert (decoded[..., 0] == decoded[..., 1]).all()


def test_half_transparent_gray_and_palette_images_are_composited(encode):
    gray = np.zeros((16, 16, 2), np.uint8)
    decoded, notes = decode_image(encode(Image.fromarray(gray, "LA")), GRAY)
    assert (decoded == 255).all()
    assert notes == {Note.TRANSPARENT}
    palette = Image.fromarray(np.zeros((16, 16), np.uint8), "P")
    palette.putpalette([10, 20, 30])
    decoded, _ = decode_image(encode(palette, "PNG", transparency=0), SQUARE)
    assert (decoded == 255).all()


def test_alpha_is_kept_when_four_channels_are_wanted(encode):
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :8] = (255, 0, 0, 255)
    decoded, notes = decode_image(encode(Image.fromarray(pixels)), ImageForm(height=16, width=16, channels=4))
    np.testing.assert_array_equal(decoded, pixels)
    assert not notes


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGB", "RGBA", "LA"])
def test_every_mode_becomes_gray_rgb_and_rgba(encode, mode):
    image = Image.fromarray(halves(left=(255, 255, 255), right=(0, 0, 0))).convert(mode)
    content = encode(image, "TIFF" if mode == "CMYK" else "PNG")
    for channels in (1, 3, 4):
        decoded, _ = decode_image(content, ImageForm(height=16, width=16, channels=channels))
        assert decoded.shape == (16, 16, channels)
        assert (decoded[:, :8] == 255).all()
        assert (decoded[:, 8:, : min(channels, 3)] == 0).all()


def test_only_the_first_frame_of_an_animation_is_used(encode):
    first, second = Image.new("RGB", (16, 16), "white"), Image.new("RGB", (16, 16), "black")
    for form in ("GIF", "WEBP", "PNG"):
        content = encode(first, form, save_all=True, append_images=[second])
        decoded, notes = decode_image(content, SQUARE)
        assert (decoded > 250).all()
        assert Note.ANIMATED in notes


def test_a_large_jpeg_decoded_at_a_fraction_looks_like_the_whole(encode, picture):
    image = picture(3, width=1200, height=900)
    decoded, _ = decode_image(encode(image, "JPEG", quality=95), SQUARE)
    expected = np.asarray(image.crop((150, 0, 1050, 900)).resize((16, 16), Image.Resampling.LANCZOS))
    assert np.abs(decoded.astype(int) - expected).max() <= 4


def test_truncated_images_are_refused(encode, picture):
    for form in ("JPEG", "PNG"):
        content = encode(picture(1, width=200, height=200), form)
        with pytest.raises(UnusableImageError, match="truncated or corrupt"):
            decode_image(content[: len(content) // 2], SQUARE)


def test_bombs_are_refused_before_a_pixel_is_decoded():
    with pytest.raises(UnusableImageError, match="9000 x 9000 pixels, more than the"):
        decode_image(png_header(9000, 9000), SQUARE)
    with pytest.raises(UnusableImageError, match="more than the 50,000,000 pixels"):
        decode_image(png_header(60_000, 60_000), SQUARE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS pointer"),
        (b"hello, this is text", "no image that can be recognised"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n", "no image that can be recognised"),
        (b"P6 16 16 255\n" + bytes(768), "no image that can be recognised"),
    ],
)
def test_what_is_no_image_is_refused_with_its_reason(content, reason):
    with pytest.raises(UnusableImageError, match=reason):
        decode_image(content, SQUARE)


@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_never_raise_anything_else(encode, picture):
    random = np.random.default_rng(0)
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        content = np.frombuffer(encode(picture(2), form), np.uint8)
        for _ in range(40):
            damaged = content.copy()
            damaged[random.integers(4, len(damaged), 6)] = random.integers(0, 256, 6)
            with contextlib.suppress(UnusableImageError):
                assert decode_image(damaged.tobytes(), SQUARE)[0].shape == (16, 16, 3)
