"""How well the bundled model obeys: held-out captions, fresh seeds, and a judge that was fixed before the model was.

    python bench/adherence.py [--captions 200] [--model riffusion/models/tiny]

The last line is JSON. `X` is the share of generated clips that do what their caption states, `X_real` the judge's
score on held-out real renderings, `X_chance` what the same clips score against each other's captions.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from riffusion.training.adherence import MEASURES, adherence, chance, confusions
from riffusion.training.captions import Stated, write_caption
from riffusion.training.composed import ComposedSet
from riffusion.training.judge import Judge, scores_on_real
from riffusion.training.sampler import sample

MODEL = Path(__file__).parents[1] / "riffusion" / "models" / "tiny"
FIRST_SEED = 1_000_000


def held_out_captions(count: int) -> list[tuple[str, Stated]]:
    """Captions of pieces that no training clip was composed from."""
    clips = ComposedSet(Path(), "held-out", count)
    return [write_caption(clips.piece(index), clips.caption_rng(index)) for index in range(count)]


def main() -> None:
    """Generates, judges and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=200)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    pipeline = StableDiffusionPipeline.from_pretrained(options.model, torch_dtype=torch.float32)
    told = held_out_captions(options.captions)
    stated = [said for _, said in told]
    began = time.process_time()
    pictures = sample(pipeline, [text for text, _ in told], range(FIRST_SEED, FIRST_SEED + len(told)))
    seconds = (time.process_time() - began) / len(told)
    heard = Judge.load().verdicts(pictures)
    for wanted, counts in sorted(confusions(stated, heard).items()):
        print(f"{wanted:>16}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common(4)))
    scores, real, by_chance = adherence(stated, heard), scores_on_real(), chance(stated, heard)
    result: dict[str, float] = {"n": len(told), "cpu_seconds_a_picture": round(seconds, 2)}
    for name in MEASURES:
        print(f"{name:>16}: {scores[name]:6.1%}   real {real[name]:6.1%}   chance {by_chance[name]:6.1%}")
        result |= {name: scores[name], f"{name}_real": real[name], f"{name}_chance": by_chance[name]}
    print(json.dumps({name: round(number, 4) for name, number in result.items()}))


if __name__ == "__main__":
    main()
