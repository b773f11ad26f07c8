"""Malicious picture files, and unusual ones that are valid. All of them are made here."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image, PngImagePlugin

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.exif import to_exif

PNG = b"\x89PNG\r\n\x1a\n"
KINDS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(mode: str = "L", size: tuple[int, int] = (64, 64)) -> Image.Image:
    return Image.effect_noise(size, 60).convert(mode)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(width: int, height: int, tags: dict[int, tuple[int, int, int]], body: bytes = b"") -> bytes:
    """A TIFF of one directory; tags are (type, count, value or offset). The body lies behind the directory."""
    entries = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), **tags}
    start = 8 + 2 + 12 * (len(entries) + 3) + 4
    entries |= {273: (4, 1, start), 278: (4, 1, height), 279: (4, 1, len(body))} | tags
    packed = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", 0) + body


@cache
def deflate_bomb(megabytes: int) -> bytes:
    """Compressed zeros, a thousandth of their size."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def wrong_exif() -> bytes:
    """EXIF whose tags, a camera's and ours, have values of wrong types and sizes."""
    entries = [
        (0x0112, 2, 3, b"up\0\0"),  # orientation, as text
        (11000, 2, 4, b"lots"),  # sample rate, as text
        (11005, 7, 4, b"\xff\xfe\xfd\xfc"),
        (11010, 5, 1, struct.pack("<I", 500)),  # a rational far outside
        (11020, 3, 0xFFFF, struct.pack("<I", 8)),  # 65535 numbers
        (11070, 4, 0, bytes(4)),  # none
        (11080, 12, 1, struct.pack("<I", 8)),  # a double that is the file's own header
        (33434, 99, 1, bytes(4)),  # no such type
        (34665, 2, 4, b"/etc"),  # a directory, as text
    ]
    packed = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\x00" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", 0xFFFFFFF0)


@cache
def valid_ones() -> dict[str, bytes]:
    """Unusual, but valid: they must be accepted."""
    frames = [noise(), noise(), noise()]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("evil.html", "<script>alert(1)</script>")
    palette = noise("RGB").quantize(16)
    palette.info["transparency"] = 3
    huge = Image.Exif()
    huge[0x9286] = b"ASCII\0\0\0" + bytes(4 << 20)
    return {
        "1x1": png(1, 1, 8, 0, b"\0\x80"),
        "1x100000": saved(Image.new("L", (1, 100_000), 7), "PNG"),
        "one bit": saved(noise("1"), "PNG"),
        "16-bit grey": saved(Image.frombytes("I;16", (64, 64), random.Random(0).randbytes(8192)), "PNG"),
        "16-bit colour": png(2, 1, 16, 2, b"\0" + bytes(12)),
        "cmyk jpeg": saved(noise("CMYK"), "JPEG"),
        "cmyk tiff": saved(noise("CMYK"), "TIFF"),
        "lab tiff": saved(noise("RGB").convert("LAB"), "TIFF"),
        "palette": saved(palette, "PNG"),
        "animated gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "animated png": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "png and zip": saved(noise(), "PNG") + archive.getvalue(),
        "gif and script": saved(noise(), "GIF", comment=b"*/=1;alert(1)//"),
        "jpeg and html": saved(noise(), "JPEG", comment=b"<script>alert(1)</script>"),
        "wrong exif": saved(noise(), "PNG", exif=wrong_exif()),
        "wrong exif in a jpeg": saved(noise(), "JPEG", exif=wrong_exif()),
        "huge exif": saved(noise(), "PNG", exif=huge),
        "tiff whose strip is too long": tiff(64, 64, {259: (3, 1, 8)}, deflate_bomb(80)),
        "exif that is none": png(1, 1, 8, 0, b"\0\x80", chunk(b"eXIf", b"MM\x00*\xff\xff\xff\xff")),
        "exif in a circle": png(1, 1, 8, 0, b"\0\x80", chunk(b"eXIf", circle())),
    }


def circle() -> bytes:
    """EXIF whose directories refer back to themselves."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    return b"II*\x00" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 8)


@cache
def bombs() -> dict[str, bytes]:
    """Small files of enormous pictures, and files whose content contradicts their signature: they must be refused."""
    bomb = deflate_bomb(80)
    text = PngImagePlugin.PngInfo()
    text.add_text("recipe", "x" * (80 << 20), zip=True)
    vp8l = b"VP8L" + struct.pack("<I", 16) + b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + bytes(11)
    return {
        "png bomb": png(50_000, 50_000, 8, 0, bytes(1000)),
        "png with a bomb of text": saved(noise(), "PNG", pnginfo=text),
        "png with a bomb of colours": png(1, 1, 8, 0, b"\0\0", chunk(b"iCCP", b"x\0\0" + bomb)),
        "png without data": png(64, 64, 8, 0, b""),
        "png that no one could hear": saved(noise(), "PNG", exif=to_exif(SpectrogramParams(max_hz=1))),
        "png of nothing": png(0, 0, 8, 0, b""),
        "png and nothing else": PNG,
        "100000x1": saved(Image.new("L", (100_000, 1), 7), "PNG"),
        "gif bomb": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"\x2c" + bytes(20),
        "webp bomb": b"RIFF" + struct.pack("<I", len(vp8l) + 4) + b"WEBP" + vp8l,
        "tiff bomb": tiff(60_000, 60_000, {259: (3, 1, 8)}, bomb),
        "tiff whose tags never end": tiff(8, 8, {700: (2, 0xFFFFFFF0, 8)}),
        "tiff of strange bits": tiff(8, 8, {258: (3, 1, 77)}, bytes(64)),
        "tiff in 32 bits": saved(Image.new("F", (8, 8)), "TIFF"),
        "bmp bomb": b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
        "jpeg bomb": b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
        "postscript in a tiff": b"II*\x00%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (w) file\n",
        "svg in a gif": b"GIF8<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    } | {f"half a {kind}": half(saved(noise("RGB"), kind)) for kind in KINDS}


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def mutants(count: int) -> Iterator[bytes]:
    """Sound files of every kind with EXIF, each with a few bytes of its own changed, cut out or doubled."""
    dice = random.Random(5)
    exif: dict[str, object] = {"exif": wrong_exif()}
    options: dict[str, dict[str, object]] = {"PNG": exif, "JPEG": exif, "WEBP": exif}
    sound = [saved(noise("RGB", (24, 24)), kind, **options.get(kind, {})) for kind in KINDS]
    for number in range(count):
        data = bytearray(sound[number % len(sound)])
        for _ in range(dice.randint(1, 6)):
            # Most of what a decoder relies on is at the beginning.
            at = min(int(dice.expovariate(1 / 60)), len(data) - 1)
            match dice.randrange(4):
                case 0:
                    data[at] = dice.randrange(256)
                case 1:
                    data[at] ^= 1 << dice.randrange(8)
                case 2:
                    del data[at : at + dice.randint(1, 4)]
                case _:
                    data[at:at] = data[at : at + dice.randint(1, 8)]
        yield bytes(data)
