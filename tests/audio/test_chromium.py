"""What Chromium makes of our files: browsers decode by themselves, and loops click if they add samples."""

import base64
import shutil

import pytest
import torch
from playwright.sync_api import sync_playwright
from torch import Tensor

from riffusion.audio.encode import encode_audio
from riffusion.requests import AudioFormat

CHROMIUM = shutil.which("chromium")
DECODE = """async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const sound = await new OfflineAudioContext(1, 1, 44100).decodeAudioData(bytes.buffer);
    return { length: sound.length, start: Array.from(sound.getChannelData(0).slice(0, 8192)) };
}"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; `apt-get install chromium`")
def test_gapless_in_chromium(music: Tensor) -> None:
    formats: tuple[AudioFormat, ...] = ("mp3", "wav", "flac", "ogg")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        for audio_format in formats:
            data = encode_audio(music, 44_100, audio_format)
            heard = page.evaluate(DECODE, base64.b64encode(data).decode())
            start = torch.tensor(heard["start"])
            spectra = [torch.fft.rfft(wave, n=16_384) for wave in (start, music[0, :8192])]
            lag = int(torch.fft.irfft(spectra[0] * spectra[1].conj(), n=16_384).argmax())
            assert (audio_format, heard["length"], lag) == (audio_format, music.shape[1], 0)
        browser.close()
