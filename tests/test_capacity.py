"""The plan's arithmetic, and that what it calls measured is in docs/performance.md."""

import re
from pathlib import Path

import pytest

from riffusion import capacity
from riffusion.capacity import Figure, hardware, plan
from riffusion.errors import SetupError
from riffusion.settings import Settings

PERFORMANCE = (Path(__file__).parents[1] / "docs" / "performance.md").read_text()


def rows(
    per_s: float = 23, *, price: float | None = None, clips_per_s: float | None = 3.0, **settings: int
) -> dict[str, str]:
    worker = hardware("h200", clips_per_s)
    return {line.name: line.value for line in plan(per_s, worker, Settings(**settings), price)}  # type: ignore[arg-type]


def test_what_is_called_measured_is_in_the_documentation() -> None:
    written = {
        capacity.CPU_S: f"{capacity.CPU_S.value * 1000:.0f}",
        capacity.RECORD_BYTES: f"{capacity.RECORD_BYTES.value / 1000:.2f}",
        capacity.WAITING_BYTES: f"{capacity.WAITING_BYTES.value / 1000:.2f}",
        capacity.SUBMITS_PER_S: f"{capacity.SUBMITS_PER_S.value:.0f}",
        capacity.POLLS_PER_S: f"{capacity.POLLS_PER_S.value:.0f}",
        capacity.MP3_BYTES: f"{capacity.MP3_BYTES.value / 1000:.0f} kB",
        capacity.PNG_BYTES: f"{capacity.PNG_BYTES.value / 1000:.0f} kB",
    }
    for figure, text in written.items():
        assert re.search(rf"\b{re.escape(text)}\b", PERFORMANCE), figure
        assert re.search(r"measured.*2026-1\d-\d\d", figure.source)
    sound_ms = [int(text) for text in re.findall(r"(?:ms|phases|MP3|checks) (\d+)", capacity.SOUND_S.source)]
    assert sum(sound_ms) == capacity.SOUND_S.value * 1000
    assert all(re.search(rf"\| {ms} \|", PERFORMANCE) for ms in sound_ms)


def test_every_row_says_where_it_is_from() -> None:
    lines = plan(23, hardware("h200", None), Settings(), 3.0)
    assert all(line.source for line in lines)
    (speed,) = (line for line in lines if line.name == "a worker, clips/s")
    assert speed.source.startswith("assumption")
    assert "not measured on an H200" in speed.source


def test_workers_follow_their_speed() -> None:
    assert rows(clips_per_s=3.0)["workers of 1 h200"] == "10"  # 23 ÷ (3 × 0.8)
    assert rows(clips_per_s=6.0)["workers of 1 h200"] == "5"
    assert rows(clips_per_s=6.0)["processors of each"] == "2"
    assert rows(clips_per_s=30.0)["processors of each"] == "10"  # sound is made on the CPU
    assert hardware(None, None).clips_per_s.value == pytest.approx(2 / 3.625)
    assert hardware(None, 1.5).clips_per_s == Figure(1.5, "yours (--clips-per-second)")


def test_redis_and_storage_follow_the_retention() -> None:
    day, week = rows(result_ttl_s=86_400), rows(result_ttl_s=7 * 86_400)
    assert day["records kept"] == "1,987,200"
    assert day["Redis, maxmemory"] == "3566mb (3.74 GB)"
    assert week["Redis, maxmemory"] == "25gb (26.1 GB)"
    assert day["files kept"].startswith("382 GB (RIFFUSION_MAX_STORED_BYTES is 107 GB)")
    assert rows(max_stored_bytes=0)["files kept"].endswith("is unlimited)")


def test_there_is_always_a_process_of_the_api() -> None:
    assert rows(per_s=0.1)["API, processors"] == "0.0, at least 1 process"
    assert rows(per_s=1000)["API, processors"].endswith("at least 6 processes")


def test_money_is_the_operators() -> None:
    assert not [name for name in rows() if name.startswith("workers, ")]
    assert rows(price=2.0)["workers, an hour"] == "20.00"
    assert rows(price=2.0)["workers, 1000 clips"] == "0.2415"


def test_a_gpu_that_nobody_has_measured_is_no_guess() -> None:
    with pytest.raises(SetupError, match="--clips-per-second"):
        hardware("a10g", None)
    assert hardware("a10g", 1.0).unit == "1 a10g"
