"""What is heard of Opus packets: decoded by ffmpeg, from an Ogg stream that is written here (RFC 3533, RFC 7845)."""

import struct
from collections.abc import Sequence

import numpy as np

from riffusion.audio.ffmpeg import convert

RATE = 48_000
PACKET = 960  # samples in 20 ms
PRE_SKIP = 312  # samples that the encoder is late


def decode(packets: Sequence[bytes]) -> np.ndarray:
    """Samples [T, 2] of packets of 20 ms."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, PRE_SKIP, RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<II", 0, 0)
    pages = [_page(0, 0, 2, head), _page(1, 0, 0, tags)]
    pages += [_page(n + 2, (n + 1) * PACKET, 0, packet) for n, packet in enumerate(packets)]
    options = ["-c:a", "pcm_f32le", "-f", "f32le", "-ac", "2", "-ar", str(RATE)]
    raw = convert(b"".join(pages), options, max_output=(len(packets) + 10) * PACKET * 8).output
    return np.frombuffer(raw, np.float32).reshape(-1, 2)


def levels(sound: np.ndarray) -> np.ndarray:
    """The root mean square of every 20 ms."""
    whole = sound[: len(sound) // PACKET * PACKET].mean(1).reshape(-1, PACKET)
    return np.asarray(np.sqrt((whole**2).mean(1)))


def pitches(sound: np.ndarray) -> np.ndarray:
    """The loudest frequency of every 20 ms, in steps of 50 Hz."""
    whole = sound[: len(sound) // PACKET * PACKET].mean(1).reshape(-1, PACKET)
    loudest = np.abs(np.fft.rfft(whole * np.hanning(PACKET), axis=1)).argmax(1)
    return np.asarray(loudest * RATE / PACKET)


def clicks(sound: np.ndarray) -> float:
    """The loudest 20 ms above 8 kHz, where none of a test's tones sounds."""
    shifted = sound[PACKET // 2 :]  # bar lines lie at the edges of packets, where the window hears nothing
    whole = shifted[: len(shifted) // PACKET * PACKET].mean(1).reshape(-1, PACKET)
    spectrum = np.fft.rfft(whole * np.hanning(PACKET), axis=1)
    return float(np.sqrt((np.abs(spectrum[:, 8_000 * PACKET // RATE :]) ** 2).sum(1)).max() / PACKET)


def _page(number: int, granule: int, flags: int, packet: bytes) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    header = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, number, 0, len(lacing)) + lacing
    page = header + packet
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _table(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1) ^ (0x04C11DB7 if value & 1 << 31 else 0)
    return value & 0xFFFFFFFF


_CRC = [_table(byte) for byte in range(256)]


def _checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value
