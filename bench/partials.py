"""Whether the partials of a solo agree on its pitch: generated clips beside renderings of the same pieces.

    python bench/partials.py [--clips 12] [--steps 20] [--model riffusion/models/tiny]

In each frame, the pitch of the partials up to the third is compared with that of those above
(`riffusion/training/evaluation/partials.py`); an ear hears one note where they agree. Pieces are held-out solos with
their captions; renderings need FluidSynth. The last line is JSON: the mean distance in semitones, and the generated
clips' over the renderings', the nearer to 1 the better.
"""

import argparse
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from adherence import FIRST_SEED, MODEL, generate
from outside.clips import clips_of

from riffusion.training.data.clip_pictures import Pictures, picture_of
from riffusion.training.data.composed_set import CLIP_SECONDS
from riffusion.training.data.soundfont import Synth
from riffusion.training.evaluation.judge_features import loudness_of
from riffusion.training.evaluation.partials import pitch_disagreement
from riffusion.training.evaluation.sampler import STEPS


def disagreement(pictures: Iterable[Pictures]) -> float:
    """Mean over pictures [512, 512] in which a pitch is heard, in semitones."""
    return float(np.nanmean([pitch_disagreement(loudness_of(picture)) for picture in pictures]))


def main() -> None:
    """Generates, renders, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    solos = list(islice((clip for clip in clips_of("held-out") if clip.piece.kind == "solo"), options.clips))
    seeds = list(range(FIRST_SEED, FIRST_SEED + len(solos)))
    made, _ = generate(options.model, [clip.caption for clip in solos], seeds, options.steps)
    synth = Synth()
    generated = disagreement(made)
    rendered = disagreement(picture_of(synth.render(clip.piece, CLIP_SECONDS)) for clip in solos)
    print(f"{len(solos)} solos, {options.steps} steps: generated {generated:.3f} semitones, rendered {rendered:.3f}")
    figures = {"generated": generated, "rendered": rendered, "ratio": generated / rendered}
    print(json.dumps({"n": len(solos), **{name: round(number, 3) for name, number in figures.items()}}))


if __name__ == "__main__":
    main()
