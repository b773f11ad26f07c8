"""Notes that the page draws have the pitch of the note in the sound that the server makes of them."""

from base64 import b64decode

import numpy as np
import pytest

from riffusion.geometry import DEFAULT
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from tests.web.test_javascript import node
from web.assets import STATIC

NOTES = (43, 48, 55, 60, 61, 67, 69, 76, 84, 96)  # G2 to C7
EVERY, LENGTH = 100, 80  # columns from one note to the next, and of each
RATE, FFT = 44_100, 1 << 19
CENTS = 10.0


def test_notes_are_heard_within_ten_cents() -> None:
    script = f"""
        import {{ blank }} from "{STATIC.as_uri()}/js/spectrogram/picture.js";
        import {{ drawNote }} from "{STATIC.as_uri()}/js/spectrogram/note.js";
        const picture = blank({EVERY * len(NOTES)}, 512);
        {list(NOTES)}.forEach((midi, n) =>
          drawNote(picture, {{ midi, loudness: 0.85 }}, {{ from: n * {EVERY}, to: n * {EVERY} + {LENGTH} }}));
        process.stdout.write(Buffer.from(picture.levels).toString("base64"));
    """
    levels = np.frombuffer(b64decode(node("--input-type=module", "--eval", script)), np.uint8).reshape(1, 512, -1)
    (wave,) = SpectrogramCodec().decode(Canvas(255 - levels, DEFAULT)).numpy()
    for n, midi in enumerate(NOTES):
        begin = (n * EVERY + 10) * RATE // 100  # past its attack
        sound = wave[begin : begin + (LENGTH - 20) * RATE // 100]
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), FFT))
        hz = 440 * 2 ** ((midi - 69) / 12)
        low, high = (round(hz * 2 ** (away / 12) * FFT / RATE) for away in (-1, 1))
        heard = (low + int(spectrum[low:high].argmax())) * RATE / FFT
        assert 1200 * np.log2(heard / hz) == pytest.approx(0, abs=CENTS), midi
        loudest = np.sqrt((sound**2).mean())
        silence = wave[(n * EVERY + LENGTH + 7) * RATE // 100 :][: 6 * RATE // 100]
        assert np.sqrt((silence**2).mean()) < loudest / 10, midi
