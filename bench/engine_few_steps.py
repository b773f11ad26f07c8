"""Rows of few steps among rows of 20: what it costs either to share a batch, and what it saves.

For each kind of few-step row, in each round: some clients of 20 steps alone, as many of few steps alone, and both at
once. Rows of a LoRA have calls of their own, since LoRA sets take turns: they share a batch with each other only.
"""

import statistics
from collections.abc import Sequence
from typing import Any

from engine_clients import PROMPTS, Serve, Served, at_once

from riffusion.requests import AnyRequest, ModelCard, complete, parse

CLIENTS = 4  # of each kind
GUIDANCE = 7.0
MOST_STEPS = 8  # of a quality that counts as one of few steps


def kinds(card: ModelCard) -> dict[str, dict[str, Any]]:
    """By name, what few-step clients ask for: 4 steps of the usual sampler, and the model's own few-step qualities."""
    few: dict[str, dict[str, Any]] = {"4_steps": {"steps": 4, "scheduler": "dpm++2m", "guidance": GUIDANCE}}
    for name, preset in card.qualities.items():
        if preset.steps <= MOST_STEPS:
            few[name] = {"quality": name}
    return few


def requests_of(fields: dict[str, Any], card: ModelCard) -> list[AnyRequest]:
    """One request a client."""
    common = {"mode": "text-to-audio", **fields}
    return [complete(parse({**common, "prompt": PROMPTS[n], "seed": n}), card) for n in range(CLIENTS)]


def measure(serve_one: Serve, card: ModelCard, rounds: int) -> dict[str, float]:
    """Prints a table and returns the JSON's keys: ratios, medians over the rounds."""
    long = requests_of({"steps": 20, "scheduler": "dpm++2m", "guidance": GUIDANCE}, card)
    print(f"\n{CLIENTS} clients of 20 steps and {CLIENTS} of few, together over alone")
    print("few          latency  that of 20 steps  all, over one after the other  few over 20 steps, together")
    keys: dict[str, float] = {}
    for name, fields in kinds(card).items():
        few = requests_of(fields, card)
        measured = [_round(serve_one, long, few, backwards=bool(n % 2)) for n in range(rounds)]
        ratios = {key: statistics.median(each[key] for each in measured) for key in measured[0]}
        few_latency, long_latency, together, share = ratios.values()
        print(f"{name:11}  {few_latency:7.2f}  {long_latency:16.2f}  {together:28.2f}  {share:28.2f}", flush=True)
        keys |= {f"{key}_{name}": ratio for key, ratio in ratios.items()}
    return keys


def _round(
    serve_one: Serve, long: Sequence[AnyRequest], few: Sequence[AnyRequest], *, backwards: bool
) -> dict[str, float]:
    """The ratios of one round."""
    batches = {"long": list(long), "few": list(few), "both": [*long, *few]}
    order = reversed(batches) if backwards else batches
    served = {name: at_once(serve_one, batches[name]) for name in order}
    return ratios_of(served["long"], served["few"], served["both"])


def ratios_of(long: Served, few: Served, both: Served) -> dict[str, float]:
    """Of what was served alone and together; together, the clients of 20 steps come first."""
    count = len(long.latencies)
    long_among, few_among = statistics.fmean(both.latencies[:count]), statistics.fmean(both.latencies[count:])
    return {
        "few_latency_ratio": few_among / statistics.fmean(few.latencies),
        "long_latency_ratio": long_among / statistics.fmean(long.latencies),
        "together_ratio": both.total / (long.total + few.total),
        "few_over_long": few_among / long_among,
    }
