import numpy as np

from riffusion.spectrogram.grid import Floats, hann
from riffusion.spectrogram.pghi import start_phases

HOP, WIN, FRAMES = 32, 320, 60
NO_BANDS = np.zeros(WIN // 2 + 1, dtype=np.float32)


def stft(wave: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """[frames, WIN // 2 + 1], phases from the frames' centres."""
    frames = np.lib.stride_tricks.sliding_window_view(wave, WIN)[::HOP][:FRAMES] * hann(WIN)
    return np.fft.rfft(np.roll(frames, -WIN // 2, axis=1))


def glide() -> Floats:
    time = np.arange(HOP * FRAMES + WIN)
    return np.sin(2 * np.pi * (0.05 * time + 1e-5 * time**2)).astype(np.float32)


def level(wave: Floats) -> Floats:
    return np.log(np.abs(stft(wave)) + 1e-9).astype(np.float32)


def inconsistency(phases: Floats, wave: Floats) -> float:
    """How far the STFT of the wave made from these phases is from the one asked for."""
    magnitude = np.exp(level(wave))
    frames = np.roll(np.fft.irfft(magnitude * np.exp(1j * phases)), WIN // 2, axis=1) * hann(WIN)
    made, total = (np.zeros(HOP * FRAMES + WIN) for _ in range(2))
    for index, frame in enumerate(frames):
        made[index * HOP : index * HOP + WIN] += frame
        total[index * HOP : index * HOP + WIN] += hann(WIN) ** 2
    again = np.abs(stft((made / np.maximum(total, 1e-3)).astype(np.float32)))
    inner = slice(10, -10)
    return float(np.linalg.norm(again[inner] - magnitude[inner]) / np.linalg.norm(magnitude[inner]))


def test_a_gliding_tone_and_a_click_are_found() -> None:
    click = np.zeros(HOP * FRAMES + WIN, dtype=np.float32)
    click[1000] = 1
    for wave in (glide(), click):
        phases = start_phases(level(wave), NO_BANDS, HOP, WIN)
        random = np.random.default_rng(0).uniform(0, 2 * np.pi, phases.shape).astype(np.float32)
        assert inconsistency(phases, wave) < 0.1
        assert inconsistency(random, wave) > 0.4


def test_known_phases_are_continued() -> None:
    wave = glide()
    spectrum = stft(wave)
    phases = start_phases(level(wave), NO_BANDS, HOP, WIN, np.angle(spectrum[0]).astype(np.float32))
    loud = np.abs(spectrum) > 0.5 * np.abs(spectrum).max()
    error = np.abs(np.angle(spectrum * np.exp(-1j * phases)))[:10]
    assert error[loud[:10]].mean() < 0.3


def test_a_loop_is_closed() -> None:
    time = np.arange(HOP * FRAMES + WIN)
    wave = np.sin(2 * np.pi * 96 / (HOP * FRAMES) * time).astype(np.float32)
    phases = start_phases(level(wave), NO_BANDS, HOP, WIN, loop=True)
    loudest = level(wave)[0].argmax()
    advance = np.angle(np.exp(1j * (phases[0, loudest] - phases[-1, loudest] - 2 * np.pi * 96 / FRAMES)))
    assert abs(advance) < 0.1


def test_silence_has_phase_zero() -> None:
    quiet = np.full((5, WIN // 2 + 1), -60, dtype=np.float32)
    quiet[2, 40] = 0
    assert np.count_nonzero(start_phases(quiet, NO_BANDS, HOP, WIN)) == 0
