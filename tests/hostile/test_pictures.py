"""Malicious and damaged pictures are refused at a bounded cost; unusual valid ones are accepted."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from riffusion.errors import UnreadableMedia
from riffusion.geometry import ROWS, SpectrogramParams
from riffusion.limited_process import Limits
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.exif import from_exif, to_exif
from riffusion.spectrogram.picture_file import MAX_PIXELS, open_picture
from riffusion.spectrogram.probe import LIMITS, probe_picture
from tests.api.conftest import Client
from tests.hostile import pictures
from tests.hostile.conftest import ProbeFiles

OWN_MIB = 96  # of memory that probing may cost the process that asks
MUTANTS = 1500


def test_bombs_are_refused_at_a_bounded_cost(probe_files: ProbeFiles) -> None:
    probes = probe_files("picture", pictures.bombs())
    assert {name for name, probe in probes.items() if probe.code != "unreadable_media"} == set()
    assert max(probe.cpu_s for probe in probes.values()) <= LIMITS.cpu_s
    assert max(probe.child_kib for probe in probes.values()) <= LIMITS.memory_bytes >> 10
    assert max(probe.own_kib for probe in probes.values()) <= OWN_MIB << 10


def test_unusual_valid_pictures_are_accepted(probe_files: ProbeFiles) -> None:
    probes = probe_files("picture", pictures.valid_ones())
    assert {name: probe.code for name, probe in probes.items() if probe.code != "accepted"} == {}


@pytest.mark.parametrize("name", ["png bomb", "webp bomb", "half a GIF", "png with a bomb of text"])
def test_over_http_a_bomb_is_refused_and_leaves_no_file(refuses: Callable[[bytes, str], None], name: str) -> None:
    refuses(pictures.bombs()[name], "x.png")


@pytest.mark.parametrize("name", ["png and zip", "gif and script", "jpeg and html", "wrong exif", "16-bit grey"])
def test_over_http_a_polyglot_is_what_its_signature_says(client: Client, name: str) -> None:
    data = pictures.valid_ones()[name]
    response = client.post("/uploads", data={"file": (io.BytesIO(data), "x.html", "text/html")})
    assert (response.status_code, response.json["kind"]) == (201, "image")
    assert response.json["content_type"] in {"image/png", "image/gif", "image/jpeg"}


def test_accepted_pictures_are_opened_by_the_worker() -> None:
    for name, data in pictures.valid_ones().items():
        canvas = Canvas.open(data)
        assert canvas.pixels.shape[1] == ROWS, name


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damage_of_any_kind_is_unreadable_media() -> None:
    outcomes = {"opened": 0, "refused": 0}
    for data in pictures.mutants(MUTANTS):
        try:
            from_exif(open_picture(data).getexif())
            outcomes["opened"] += 1
        except UnreadableMedia:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > MUTANTS // 20, outcomes


def test_a_line_of_pixels_is_not_scaled_up() -> None:
    widest = MAX_PIXELS // ROWS // ROWS
    assert Canvas.open(pictures.saved(Image.new("L", (widest, 1)), "PNG")).width == widest * ROWS
    with pytest.raises(UnreadableMedia, match="columns"):
        Canvas.open(pictures.saved(Image.new("L", (widest + 1, 1)), "PNG"))


def test_a_decoder_past_its_limits_ends_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from riffusion.spectrogram import probe

    (tmp_path / "x").write_bytes(pictures.saved(Image.new("RGB", (5000, 5000)), "PNG"))
    monkeypatch.setattr(probe, "LIMITS", Limits(20, 60.0, 90 << 20, 1 << 16))
    with pytest.raises(UnreadableMedia):
        probe_picture(tmp_path / "x")
    monkeypatch.setattr(probe, "LIMITS", Limits(20, 0.01, 768 << 20, 1 << 16))
    with pytest.raises(UnreadableMedia, match="too long"):
        probe_picture(tmp_path / "x")


@pytest.mark.parametrize(
    "wild",
    [SpectrogramParams(step_ms=1, window_ms=1000, padded_ms=2000), SpectrogramParams(window_ms=20, padded_ms=2000)],
    ids=["overlap", "padding"],
)
def test_exif_that_asks_for_hours_of_work_is_not_ours(wild: SpectrogramParams) -> None:
    assert from_exif(to_exif(wild)) == SpectrogramParams()


def test_exif_that_asks_for_the_reference_is_followed_for_short_pictures_only() -> None:
    odd = Canvas(np.full((1, 512, 10_000), 100, np.uint8), SpectrogramParams(window_ms=101))
    with pytest.raises(UnreadableMedia, match="whole samples"):
        SpectrogramCodec().decode(odd)
