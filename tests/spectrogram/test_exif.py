from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from riffusion.errors import UnreadableMedia
from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.exif import from_exif, to_exif, with_exif

# Tag numbers and values of the original's pictures.
ORIGINAL = {
    11000: 44100, 11005: False, 11010: 10, 11020: 100, 11030: 400,
    11040: 512, 11050: 0, 11060: 10000, 11070: 0.25, 11080: 3.5e7,
}  # fmt: skip


def exif(tags: Mapping[int, object]) -> Image.Exif:
    made = Image.Exif()
    for tag, value in tags.items():
        made[tag] = value
    return made


def test_tags_are_those_of_the_original() -> None:
    assert dict(to_exif(SpectrogramParams(max_value=3.5e7))) == ORIGINAL
    assert from_exif(exif(ORIGINAL)) == SpectrogramParams(max_value=3.5e7)


def test_tags_survive_the_bytes() -> None:
    params = SpectrogramParams(stereo=True, frequencies=256, power=0.5, max_value=1234.5)
    again = Image.Exif()
    again.load(to_exif(params).tobytes())
    assert from_exif(again) == params


@pytest.mark.parametrize(
    "value",
    ["44.1 kHz", b"\x00\xff", (1, 2), IFDRational(1, 0), float("nan"), float("inf"), -5, 10**18, None, ""],
    ids=repr,
)
@pytest.mark.parametrize("tag", [11000, 11020, 11080])
def test_what_is_not_ours_is_ignored(tag: int, value: object) -> None:
    found = Image.Exif()
    found._data[tag] = value  # a camera may write anything, Pillow's setter may not
    assert from_exif(found) == SpectrogramParams()


def test_camera_exif_is_ignored() -> None:
    camera = exif({271: "Canon", 272: "EOS R5", 274: 6, 306: "2024:05:01 10:00:00", 33434: IFDRational(1, 60)})
    assert from_exif(camera) == SpectrogramParams()


@pytest.mark.parametrize(
    "tags", [{11060: 30_000}, {11050: 12_000}, {11020: 15}, {11030: 50}], ids=["nyquist", "order", "hop", "padding"]
)
def test_values_that_contradict_each_other_are_ignored(tags: dict[int, object]) -> None:
    assert from_exif(exif(tags)) == SpectrogramParams()


@pytest.mark.parametrize(
    "params",
    [
        SpectrogramParams(max_hz=1),
        SpectrogramParams(max_hz=20),
        SpectrogramParams(min_hz=9980),
        SpectrogramParams(sample_rate=192_000, min_hz=30_000, max_hz=96_000),
    ],
    ids=["all in one bin", "infrasound", "narrow", "ultrasound"],
)
def test_a_geometry_that_can_not_sound_is_refused(params: SpectrogramParams) -> None:
    with pytest.raises(UnreadableMedia, match=f"{params.min_hz} to {params.max_hz} Hz"):
        from_exif(to_exif(params))


VALUES = st.one_of(
    st.floats(), st.integers(-(2**40), 2**40), st.text(max_size=4), st.binary(max_size=4), st.booleans(), st.none(),
    st.tuples(st.integers(), st.integers()), st.floats(0.01, 1e5),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(ORIGINAL)), VALUES, max_size=10))
def test_any_tags_make_a_sound_geometry_or_none(tags: dict[int, object]) -> None:
    found = Image.Exif()
    found._data |= tags
    try:
        params = from_exif(found)
    except UnreadableMedia:
        return
    assert 0 <= params.min_hz < params.max_hz <= params.sample_rate / 2
    assert 1 <= params.hop_length < params.win_length <= params.n_fft
    assert 1e-6 <= params.max_value <= 1e15
    assert from_exif(to_exif(params)) == params


def test_missing_tags_are_the_defaults() -> None:
    assert from_exif(exif({11005: 1})) == SpectrogramParams(stereo=True)


def test_exif_survives_cropping() -> None:
    picture = with_exif(Image.new("L", (8, 4)), to_exif(SpectrogramParams(max_value=99.0)))
    assert from_exif(picture.crop((0, 0, 2, 2)).getexif()).max_value == 99
