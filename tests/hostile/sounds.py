"""Malicious sound files. All of them are made here, or by the bundled ffmpeg."""

import struct
import subprocess
import tempfile

from riffusion.audio.ffmpeg import ffmpeg_path

# An empty tag as at the start of an MP3: the file is detected as a sound, and ffmpeg reads what follows.
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x00"


def tone(kind: str, *options: str, seconds: float = 1.0) -> bytes:
    """A sine in the format `kind`, by ffmpeg."""
    source = ["-f", "lavfi", "-i", f"sine=440:duration={seconds}"]
    with tempfile.NamedTemporaryFile() as file:  # not a pipe: lengths are written into headers last
        subprocess.run([ffmpeg_path(), "-v", "error", "-y", *source, *options, "-f", kind, file.name], check=True)
        return file.read()


def wav(*, rate: int = 8000, channels: int = 1, bits: int = 16, size: int | None = None, data: bytes = bytes(1600),
        kind: int = 1) -> bytes:  # fmt: skip
    """A WAV with a header of these values."""
    size = len(data) if size is None else size
    step = max(1, channels * bits // 8)
    header = struct.pack("<HHIIHH", kind, channels, rate, min(rate * step, 2**32 - 1), step % 65536, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + header + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", min(len(body) + size, 2**32 - 1)) + body


def atom(name: bytes, *parts: bytes) -> bytes:
    """A box of an MP4."""
    return struct.pack(">I", 8 + sum(map(len, parts))) + name + b"".join(parts)


def mp4_that_names(url: bytes) -> bytes:
    """A track whose samples are in another file, in every way that QuickTime has."""
    zeros = bytes(36)
    mvhd = atom(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 1000), zeros, bytes(44))
    tkhd = atom(b"tkhd", struct.pack(">IIIIII", 7, 0, 0, 1, 0, 1000), zeros, bytes(24))
    mdhd = atom(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, 8000, 8000, 0))
    hdlr = atom(b"hdlr", bytes(8), b"soun", bytes(13))
    alias = atom(b"alis", bytes(4), bytes(150), struct.pack(">HH", 2, len(url)), url)
    dref = atom(b"dref", struct.pack(">II", 0, 2), atom(b"url ", bytes(4), url, b"\0"), alias)
    stsd = atom(b"stsd", struct.pack(">II", 0, 1),
                atom(b"sowt", bytes(6), struct.pack(">HIIHHIII", 1, 0, 0, 1, 16, 0, 8000 << 16, 0)[:28]))  # fmt: skip
    stts = atom(b"stts", struct.pack(">IIII", 0, 1, 800, 1))
    stsc = atom(b"stsc", struct.pack(">IIIII", 0, 1, 1, 800, 1))
    stsz = atom(b"stsz", struct.pack(">III", 0, 2, 800))
    stco = atom(b"stco", struct.pack(">III", 0, 1, 0))
    minf = atom(b"minf", atom(b"dinf", dref), atom(b"stbl", stsd, stts, stsc, stsz, stco))
    moov = atom(b"moov", mvhd, atom(b"trak", tkhd, atom(b"mdia", mdhd, hdlr, minf)))
    reference = atom(b"rmra", atom(b"rmda", atom(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(url)), url)))
    return atom(b"ftyp", b"qt  ", bytes(4)) + moov + atom(b"moov", reference)


def playlists(url: str, path: str) -> dict[str, bytes]:
    """Files that name others, in every form that ffmpeg reads; `url` and `path` are what they try to open."""
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
    texts = {
        "hls url": hls.format(url),
        "hls file": hls.format(path),
        "hls concat protocol": hls.format(f"concat:{path}|{url}"),
        "hls subfile protocol": hls.format(f"subfile,,start,0,end,99,,:{path}"),
        "hls key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n',
        "concat": f"ffconcat version 1.0\nfile '{path}'\nfile '{url}'\n",
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" '
        f'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
        "m3u": f"#EXTM3U\n{url}\n",
        "smooth streaming": f'<SmoothStreamingMedia><StreamIndex Url="{url}"/></SmoothStreamingMedia>',
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
        "images": f"{path}%03d.png",
    }
    files = {name: text.encode() for name, text in texts.items()}
    files |= {f"{name}, after a tag": ID3 + data for name, data in files.items()}
    return files | {
        "mp4 of a url": mp4_that_names(url.encode()),
        "mp4 of a file": mp4_that_names(path.encode()),
        "playlist in a wav": wav(kind=0x55, data=files["hls url"] * 20),
        "playlist in an aiff": b"FORM\0\0\1\0AIFF" + files["concat"],
    }


def malformed_ones() -> dict[str, bytes]:
    """Headers that are truncated, false or contradictory: they must be refused."""
    flac, ogg, mp3 = tone("flac"), tone("ogg", "-c:a", "libvorbis"), tone("mp3")
    m4a, webm, aiff = tone("ipod", "-c:a", "aac"), tone("webm", "-ar", "48000"), tone("aiff")
    hours = bytearray(flac)
    hours[22:26] = b"\xff" * 4  # total samples in STREAMINFO
    frames = mp3.index(b"Info") + 8
    return {
        "wav of two gigabytes": wav(size=0x7FFFFFF0),
        "wav of 1 bit": wav(bits=1),
        "wav of 0 bits": wav(bits=0),
        "wav of 0 channels": wav(channels=0),
        "wav of 64 channels": wav(channels=64, data=bytes(64 * 1600)),
        "wav of 65535 channels": wav(channels=65_535),
        "wav of 384 kHz": wav(rate=384_000, data=bytes(384_000)),
        "wav of 0 Hz": wav(rate=0),
        "wav of 4 GHz": wav(rate=2**32 - 1),
        "wav of 1e36": wav(kind=3, bits=32, data=struct.pack("<f", 1e36) * 400),
        "wav of NaN": wav(kind=3, bits=32, data=struct.pack("<f", float("nan")) * 400),
        "wav without data": wav(data=b""),
        "wav of a film": wav(kind=0x1234),
        "flac that promises hours": bytes(hours),
        "mp3 that promises hours": mp3[:frames] + struct.pack(">I", 500_000) + mp3[frames + 4 :],
        "flac of nothing": b"fLaC" + bytes(40),
        "ogg of nothing": b"OggS" + bytes(100),
        "mp4 of nothing": atom(b"ftyp", b"isom"),
        "mp4 of a giant box": atom(b"ftyp", b"isom") + struct.pack(">I", 0x7FFFFFFF) + b"moov",
        "mp4 of boxes in boxes": atom(b"ftyp", b"isom") + b"".join(
            struct.pack(">I", 8 * (3000 - depth)) + b"moov" for depth in range(2999)
        ),
        "webm of nothing": b"\x1aE\xdf\xa3" + bytes(100),
        "aiff of nothing": b"FORM\0\0\0\4AIFF",
        "mp3 of nothing": ID3,
        "mp3 of a giant tag": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(100),
        "wav, 20 bytes of it": wav()[:20],
        "flac, 20 bytes of it": flac[:20],
        "ogg, 60 bytes of it": ogg[:60],
        "m4a, half of it": m4a[: len(m4a) // 2],
        "webm, 40 bytes of it": webm[:40],
        "aiff, 30 bytes of it": aiff[:30],
        "mp3, 60 bytes of it": mp3[:60],
    }  # fmt: skip


def valid_ones() -> dict[str, bytes]:
    """Unusual, but valid: they must be accepted."""
    return {
        "192 kHz": tone("wav", "-ar", "192000"),
        "8 channels": tone("wav", "-ac", "8"),
        "8 bits": tone("wav", "-c:a", "pcm_u8"),
        "64-bit floats": tone("wav", "-c:a", "pcm_f64le"),
        "A-law": tone("wav", "-c:a", "pcm_alaw"),
        "ADPCM": tone("wav", "-c:a", "adpcm_ima_wav"),
        "opus in ogg": tone("ogg", "-c:a", "libopus"),
        "aac in mp4": tone("mp4", "-c:a", "aac"),
        "alac in m4a": tone("ipod", "-c:a", "alac"),
        "an mp3 with a cover": _with_cover("mp3"),
        "a flac with a cover": _with_cover("flac"),
        "tiny frames": tone("flac", "-ar", "192000", "-frame_size", "16", seconds=20),
    }


def _with_cover(kind: str) -> bytes:
    options = ["-f", "lavfi", "-i", "color=size=64x64:duration=0.04", "-map", "0", "-map", "1", "-c:v", "png"]
    return tone(kind, *options, "-frames:v", "1", "-disposition:v", "attached_pic")
