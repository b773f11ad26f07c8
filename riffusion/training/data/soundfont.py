"""Renders compositions with FluidSynth and a General MIDI soundfont, through FluidSynth's C library.

The library is loaded once and keeps the soundfont in memory: a clip takes some 50 ms, where starting the program for
each clip would take over a second. It is needed for composing training data only.
"""

import ctypes
import ctypes.util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from riffusion.errors import ToolMissing
from riffusion.training.data.piece import Part, Piece

SAMPLE_RATE = 44100
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
_DRUM_CHANNEL, _DRUM_BANK = 9, 128
_BLOCK = 64  # samples that FluidSynth computes at a time
_HINT = "install Debian's packages fluidsynth and fluid-soundfont-gm; they are needed for composing training data only."


class Synth:
    """A FluidSynth instance without reverb and chorus, so that pictures show the notes and nothing else.

    Its state isn't fully reset between renderings: only the same sequence of renderings by a new instance gives the
    same samples bit by bit.

    Raises:
        ToolMissing: FluidSynth's library or the soundfont isn't installed.
    """

    def __init__(self, soundfont: Path = SOUNDFONT) -> None:
        name = ctypes.util.find_library("fluidsynth")
        if name is None:
            raise ToolMissing(f"FluidSynth's library isn't installed: {_HINT}")
        if not soundfont.is_file():
            raise ToolMissing(f"The soundfont {soundfont.name} isn't installed: {_HINT}")
        lib = self._lib = ctypes.CDLL(name)
        lib.new_fluid_settings.restype = lib.new_fluid_synth.restype = ctypes.c_void_p
        settings = ctypes.c_void_p(lib.new_fluid_settings())
        for key, number in (("synth.sample-rate", SAMPLE_RATE), ("synth.gain", 0.5)):
            lib.fluid_settings_setnum(settings, key.encode(), ctypes.c_double(number))
        for key in ("synth.reverb.active", "synth.chorus.active"):
            lib.fluid_settings_setint(settings, key.encode(), 0)
        self._synth = ctypes.c_void_p(lib.new_fluid_synth(settings))
        self._font = lib.fluid_synth_sfload(self._synth, str(soundfont).encode(), 1)
        if self._font < 0:
            raise ToolMissing(f"FluidSynth can't read the soundfont {soundfont.name}: {_HINT}")

    def render(self, piece: Piece, seconds: float) -> npt.NDArray[np.float32]:
        """The piece's first `seconds` as mono samples [T] float32 at 44.1 kHz, the loudest sample at ±0.9.

        Each part is rendered alone and scaled to its level: the soundfont's own levels differ by 20 dB.
        """
        mix = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
        for part in piece.parts:
            stem = self._stem(part, piece.bpm, len(mix))
            mix += stem * (part.level / max(float(np.sqrt(np.mean(stem**2))), 1e-6))
        return mix * np.float32(0.9 / max(float(np.abs(mix).max()), 1e-6))

    def _stem(self, part: Part, bpm: float, samples: int) -> npt.NDArray[np.float32]:
        """One part's mono samples [T] at the soundfont's own level."""
        channel, bank = (_DRUM_CHANNEL, _DRUM_BANK) if part.is_drums else (0, 0)
        self._lib.fluid_synth_system_reset(self._synth)
        # Lets the voices of the last rendering fade out.
        self._write(np.zeros((2, 64 * _BLOCK), np.float32), 0, 64 * _BLOCK)
        self._lib.fluid_synth_program_select(self._synth, channel, self._font, bank, part.program)
        # Whole blocks, because the synth keeps the rest of an unfinished one for its next call.
        stereo = np.zeros((2, -(-samples // _BLOCK) * _BLOCK), np.float32)
        at = 0
        for sample, velocity, pitch in _events(part, bpm):
            if sample >= samples:
                break
            self._write(stereo, at, sample)
            at = sample
            if velocity:
                self._lib.fluid_synth_noteon(self._synth, channel, pitch, velocity)
            else:
                self._lib.fluid_synth_noteoff(self._synth, channel, pitch)
        self._write(stereo, at, stereo.shape[1])
        mono: npt.NDArray[np.float32] = stereo.mean(0)[:samples]
        return mono

    def _write(self, stereo: npt.NDArray[np.float32], begin: int, end: int) -> None:
        if end > begin:
            left, right = (channel.ctypes.data_as(ctypes.c_void_p) for channel in stereo)
            self._lib.fluid_synth_write_float(self._synth, end - begin, left, begin, 1, right, begin, 1)


def _events(part: Part, bpm: float) -> list[tuple[int, int, int]]:
    """(sample, velocity, pitch) in playing order; velocity 0 ends a note, and ends come before starts."""
    per_beat = SAMPLE_RATE * 60 / bpm
    events = []
    for note in part.notes:
        events.append((round(note.start * per_beat), note.velocity, note.pitch))
        events.append((round((note.start + note.length) * per_beat), 0, note.pitch))
    return sorted(events)
