import pytest

from riffusion.geometry import DEFAULT, SpectrogramParams, columns_of, hertz_to_mel, mel_to_hertz, padded_width


def test_samples_are_counted_between_the_frames() -> None:
    params = SpectrogramParams()
    assert (params.hop_length, params.win_length, params.n_fft) == (441, 4410, 17640)
    assert params.seconds(512) == 5.11
    assert params.seconds(512, loop=True) == 5.12
    assert [params.columns(samples) for samples in (1, 441, 442, 225_351)] == [2, 2, 3, 512]


def test_moments_are_columns() -> None:
    assert DEFAULT.column(1.28) == 128
    assert SpectrogramParams(step_ms=20).column(1.28) == 64
    assert [columns_of(seconds) for seconds in (0, 1, 1.001)] == [1, 101, 102]


def test_frequencies_are_rows_from_the_top() -> None:
    assert [DEFAULT.row(hertz) for hertz in (DEFAULT.max_hz, DEFAULT.min_hz)] == [0, 512]
    assert DEFAULT.row(440) == pytest.approx(512 * (1 - 549.64 / 3073.86), abs=0.1)  # mels of 440 Hz and of 10 kHz


def test_the_mel_scale_has_its_inverse() -> None:
    assert hertz_to_mel(1000) == pytest.approx(1000, abs=0.1)
    assert mel_to_hertz(hertz_to_mel(440)) == pytest.approx(440)


@pytest.mark.parametrize(("columns", "width"), [(1, 128), (128, 128), (129, 192), (512, 512), (513, 576)])
def test_the_model_paints_multiples_of_64(columns: int, width: int) -> None:
    assert padded_width(columns) == width
