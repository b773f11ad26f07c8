"""Clients of one engine: what they ask for, and how long they wait."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riffusion.requests import AnyRequest

PROMPTS = ("funk bassline with a jazzy saxophone solo", "church bells", "slow piano chords", "drum solo, fast")

Serve = Callable[[AnyRequest], object]


@dataclass(frozen=True)
class Served:
    """How long one way of serving took in a round, in seconds."""

    total: float
    latencies: list[float]
    """In the order of the requests."""


def one_by_one(serve_one: Serve, requests: Sequence[AnyRequest]) -> Served:
    """Clients in a queue."""
    began, latencies = time.perf_counter(), []
    for request in requests:
        serve_one(request)
        latencies.append(time.perf_counter() - began)
    return Served(latencies[-1], latencies)


def at_once(serve_one: Serve, requests: Sequence[AnyRequest]) -> Served:
    """Clients in threads."""
    latencies = [0.0] * len(requests)

    def client(index: int) -> None:
        serve_one(requests[index])
        latencies[index] = time.perf_counter() - began

    threads = [threading.Thread(target=client, args=(index,)) for index in range(len(requests))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Served(max(latencies), latencies)
