"""What a number of clips a second needs: workers, processors, Redis, storage and traffic, each figure with its source.

A figure is measured, with its date and machine, or an assumption that says so; docs/performance.md has the former.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from riffusion.errors import SetupError
from riffusion.settings import Settings

KEPT_FREE = 0.8  # of a worker or a processor is used: the rest is for the hour's peaks
STEPS = 20
HOURS = 730  # of a month
_KILO = 1000
_EPYC = "measured, 2 cores of an AMD EPYC"


@dataclass(frozen=True)
class Figure:
    """A number that the plan rests on."""

    value: float
    source: str


@dataclass(frozen=True)
class Line:
    """One row of the plan."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Hardware:
    """What one worker is."""

    clips_per_s: Figure
    cores: Figure
    """Processors of a worker."""
    unit: str
    """What is counted: a worker with one GPU, or with some processors."""


# Bytes and times of a standard clip: 5.11 s, mono, 20 guided steps, as an MP3 with its picture.
MP3_BYTES = Figure(84_200, "measured, three clips of the bundled model, 2026-11-29")
PNG_BYTES = Figure(108_000, "measured, three clips of the bundled model, 2026-11-29 (94 to 120 kB)")
SOUND_S = Figure(0.266, f"{_EPYC}, 2026-11-29: phases 185 ms, loudness and MP3 76, checks 5")
CPU_S = Figure(3.625, f"{_EPYC}, 2026-11-29: the bundled model, 20 guided steps in float32 on one thread")
RECORD_BYTES = Figure(1690, "measured, a record with its result, prompts of 60 characters, 2026-11-28")
WAITING_BYTES = Figure(1040, "measured, a waiting job's record, 2026-11-28")
SUBMITS_PER_S = Figure(1892, f"{_EPYC} with Redis and client on them, 2026-11-22")
POLLS_PER_S = Figure(3347, f"{_EPYC} with Redis and client on them, 2026-11-22")
START_S = Figure(
    120, "assumption: a node is there and has the image, the cache has what is compiled; not measured on a GPU"
)

_GPUS = {
    "h200": Figure(
        66 / STEPS,
        "assumption: Stable Diffusion 1.5 makes 66 steps/s at batch 1 on an H100 with torch.compile (stable-fast's "
        f"published table), so {STEPS} steps take 0.3 s; this engine was not measured on an H200, nor its batches",
    )
}
_CPU_CORES = 2


def hardware(gpu: str | None, clips_per_s: float | None) -> Hardware:
    """The worker of a plan.

    Args:
        gpu: the name of its GPU; none: it computes on two processors.
        clips_per_s: of one such worker, as the operator measured.

    Raises:
        SetupError: nothing is known of the GPU, and no figure is given.
    """
    own = Figure(clips_per_s, "yours (--clips-per-second)") if clips_per_s else None
    if gpu is None:
        known = Figure(_CPU_CORES / CPU_S.value, f"{_CPU_CORES} cores ÷ {CPU_S.value} s a clip; {CPU_S.source}")
        return Hardware(own or known, Figure(_CPU_CORES, "assumption"), f"{_CPU_CORES} processors")
    rate = own or _GPUS.get(gpu.lower())
    if rate is None:
        raise SetupError(f"Nothing is known of the GPU {gpu!r}: measure it, and give --clips-per-second.")
    cores = math.ceil(rate.value * SOUND_S.value / KEPT_FREE)
    return Hardware(rate, Figure(cores, f"clips/s × {SOUND_S.value} s of sound a clip; {SOUND_S.source}"), f"1 {gpu}")


def plan(per_s: float, worker: Hardware, settings: Settings, gpu_hour_price: float | None = None) -> list[Line]:
    """The rows of a plan, in the order of the way of a request.

    Args:
        per_s: clips a second, in the busiest hour.
        gpu_hour_price: of one worker; none: there is no row with money.
    """
    workers = math.ceil(per_s / (worker.clips_per_s.value * KEPT_FREE))
    return [
        *_api(per_s),
        *_redis(per_s, settings),
        *_workers(per_s, worker, workers),
        *_storage(per_s, settings),
        *_money(per_s, workers, gpu_hour_price),
    ]


def _api(per_s: float) -> Iterator[Line]:
    polls = 5  # a clip's wait and work, at a poll a second
    cores = per_s * (2 / SUBMITS_PER_S.value + polls * 2 / POLLS_PER_S.value) / KEPT_FREE
    source = f"{SUBMITS_PER_S.value:g} submits or {POLLS_PER_S.value:g} polls/s; {SUBMITS_PER_S.source}"
    least = math.ceil(cores)
    value = f"{cores:.1f}, at least {least} process{'es' if least > 1 else ''}"
    yield Line("API, processors", value, f"{source}; assumption: {polls} polls a job")


def _redis(per_s: float, settings: Settings) -> Iterator[Line]:
    queued = math.ceil(2 * per_s * START_S.value / 1000) * 1000
    yield Line(
        "queue, jobs",
        f"{queued:,} (RIFFUSION_MAX_QUEUED is {settings.max_queued:,})",
        f"twice what arrives in {START_S.value:g} s, while a worker starts; {START_S.source}",
    )
    records = per_s * settings.result_ttl_s
    used = (records * RECORD_BYTES.value + queued * WAITING_BYTES.value) / 0.9
    yield Line("records kept", f"{records:,.0f}", f"for {settings.result_ttl_s:,} s (RIFFUSION_RESULT_TTL_S), all day")
    yield Line(
        "Redis, maxmemory", _maxmemory(used), f"{RECORD_BYTES.value:g} bytes; {RECORD_BYTES.source}; a tenth reserved"
    )
    yield Line("Redis, machine", _bytes(2 * used), "assumption: a rewrite of its file may copy all of it")


def _workers(per_s: float, worker: Hardware, workers: int) -> Iterator[Line]:
    yield Line("a worker, clips/s", f"{worker.clips_per_s.value:.2f}", worker.clips_per_s.source)
    share = f"{per_s:g}/s, each used to {KEPT_FREE:.0%} (assumption)"
    yield Line(f"workers of {worker.unit}", f"{workers}", share)
    yield Line("processors of each", f"{worker.cores.value:.0f}", worker.cores.source)


def _storage(per_s: float, settings: Settings) -> Iterator[Line]:
    clip = MP3_BYTES.value + PNG_BYTES.value
    stored = per_s * settings.result_ttl_s * clip
    limit = settings.max_stored_bytes
    yield Line(
        "files kept",
        f"{_bytes(stored)} (RIFFUSION_MAX_STORED_BYTES is {_bytes(limit) if limit else 'unlimited'})",
        f"MP3 {MP3_BYTES.value / 1000:.0f} kB and PNG {PNG_BYTES.value / 1000:.0f} kB; {MP3_BYTES.source}",
    )
    yield Line(
        "storage, requests/s", f"{3 * per_s:,.0f}", "two files written and a call that deletes, a clip; reads aside"
    )
    yield Line(
        "traffic to clients",
        f"{_bytes(per_s * clip)}/s, {_bytes(per_s * clip * HOURS * 3600)} a month",
        "assumption: each file is opened once, all month",
    )


def _money(per_s: float, workers: int, gpu_hour_price: float | None) -> Iterator[Line]:
    if gpu_hour_price is not None:
        hour = workers * gpu_hour_price
        yield Line("workers, an hour", f"{hour:,.2f}", "your price (--gpu-hour-price)")
        yield Line("workers, a month", f"{hour * HOURS:,.2f}", f"{HOURS} h, none stopped")
        yield Line("workers, 1000 clips", f"{hour / (per_s * 3.6):,.4f}", "at that rate")


def _maxmemory(count: float) -> str:
    """As Redis reads it, a whole number of mb (2^20) or gb (2^30), at least `count` bytes and at most a tenth more."""
    unit, size = ("gb", 2**30) if count >= 10 * 2**30 else ("mb", 2**20)
    return f"{math.ceil(count / size)}{unit} ({_bytes(count)})"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < _KILO:
            return f"{count:.3g} {unit}"
        count /= _KILO
    return f"{count:,.1f} TB"
