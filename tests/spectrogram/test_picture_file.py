import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from riffusion.errors import UnreadableMedia
from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.exif import from_exif, to_exif, with_exif
from riffusion.spectrogram.picture_file import (
    MAX_PIXELS,
    open_picture,
    probe_image,
    read_png_recipe,
    write_png,
)

RECIPE = {"mode": "text-to-audio", "prompt": "Blüten → ☂", "seed": 1}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey(width: int = 8, height: int = 4) -> Image.Image:
    return Image.frombytes("L", (width, height), bytes(range(width * height)))


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "GIF", "BMP", "TIFF"])
def test_formats_that_are_taken(kind: str) -> None:
    data = saved(grey(), kind)
    info = probe_image(data)
    assert (info.width, info.height, info.format) == (8, 4, kind)
    assert open_picture(data).mode in ("L", "RGB")


def test_a_file_is_taken_too(tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(saved(grey(), "PNG"))
    assert probe_image(tmp_path / "clip").width == 8
    assert open_picture(tmp_path / "clip").size == (8, 4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        saved(grey(), "PNG")[:50],
        saved(grey(64, 4), "JPEG")[:300],
        saved(grey(), "PPM"),
        png_header(100_000, 100_000),
        saved(Image.new("1", (MAX_PIXELS // 4 + 1, 4)), "PNG"),
        png_header(0, 0),
    ],
    ids=["empty", "text", "svg", "postscript", "cut png", "cut jpeg", "ppm", "bomb", "too large", "nothing"],
)
def test_what_is_refused(data: bytes) -> None:
    for look in (probe_image, open_picture):
        with pytest.raises(UnreadableMedia):
            look(data)


def test_a_bomb_of_text_is_refused() -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("recipe", "x" * (80 << 20), zip=True)
    with pytest.raises(UnreadableMedia):
        probe_image(saved(grey(), "PNG", pnginfo=chunks))


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("L", (8, 4), level) for level in (10, 200)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_picture(data).convert("L").getpixel((0, 0)) == 10


def test_sixteen_bits_are_scaled() -> None:
    deep = Image.frombytes("I;16", (2, 1), struct.pack("<HH", 0x8000, 0xFFFF))
    assert list(open_picture(saved(deep, "PNG")).tobytes()) == [0x80, 0xFF]


def test_other_modes() -> None:
    assert open_picture(saved(Image.new("CMYK", (2, 2)), "JPEG")).mode == "RGB"
    assert open_picture(saved(grey().convert("P"), "PNG")).getpixel((3, 1)) == (11, 11, 11)
    assert open_picture(saved(grey().convert("1"), "PNG")).mode == "L"
    with pytest.raises(UnreadableMedia, match="32-bit"):
        open_picture(saved(Image.new("F", (2, 2)), "TIFF"))


def test_what_is_transparent_is_silent() -> None:
    ink = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    ink.putpixel((0, 0), (0, 0, 0, 255))
    picture = open_picture(saved(ink, "PNG"))
    assert [picture.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (255, 255, 255)]


def test_a_photograph_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to show
    assert open_picture(saved(grey(), "JPEG", exif=exif)).size == (4, 8)


def test_exif_and_recipe_are_written_and_read() -> None:
    params = SpectrogramParams(max_value=99.0)
    data = write_png(with_exif(grey(), to_exif(params)), RECIPE, BPM="93.75")
    picture = open_picture(data)
    assert from_exif(picture.getexif()) == params
    assert picture.tobytes() == grey().tobytes()
    assert '"seed": 1' in read_png_recipe(data)
    texts = Image.open(io.BytesIO(data)).info
    assert (texts["BPM"], texts["Title"]) == ("93.75", RECIPE["prompt"])


def test_a_png_without_recipe() -> None:
    assert not read_png_recipe(write_png(grey()))


def test_importing_loads_no_numpy() -> None:
    modules = "riffusion.spectrogram.picture_file, riffusion.audio.probe, riffusion.seeds"
    program = f"import sys, {modules}; print({{'numpy', 'torch'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
