"""Which pieces are judged: held-out ones, as many of each kind and lead instrument."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from riffusion.training.data.captions import Stated, write_caption
from riffusion.training.data.composed_set import ComposedSet, Split
from riffusion.training.data.music import INSTRUMENTS, Kind
from riffusion.training.data.piece import Piece

# Ninths of the clips. Leads are compared within solos and chords, and within full arrangements: most clips are these.
NINTHS: dict[Kind, int] = {"drums": 1, "bass": 1, "solo": 3, "chords": 2, "full": 2}
_MOST_SEARCHED = 100_000  # the set's size, which its pieces don't depend on


@dataclass(frozen=True)
class Clip:
    """A composed piece, a caption of it, and what the caption states."""

    piece: Piece
    caption: str
    stated: Stated


def balanced(split: Split, total: int) -> list[Clip]:
    """`total` clips, `NINTHS` of each kind; within a kind, instruments differ by at most one clip.

    The caption states the lead wherever there is one.
    """
    wanted = _quotas(total)
    chosen = []
    for clip in clips_of(split):
        lead = clip.piece.lead and clip.piece.lead.name
        if clip.stated.lead == lead and wanted[clip.piece.kind, lead] > 0:
            wanted[clip.piece.kind, lead] -= 1
            chosen.append(clip)
            if len(chosen) == total:
                break
    return chosen


def tempo_without_key(split: Split, kinds: Sequence[Kind], each: int) -> list[Clip]:
    """The first `each` clips of each kind whose caption states tempo and lead but not the key; leads differ."""
    chosen: list[Clip] = []
    for clip in clips_of(split):
        stated, lead = clip.stated, clip.piece.lead
        if stated.kind not in kinds or not lead or stated.lead != lead.name or not stated.bpm or stated.key:
            continue
        full = sum(other.stated.kind == stated.kind for other in chosen) == each
        if not full and lead not in [other.piece.lead for other in chosen]:
            chosen.append(clip)
        if len(chosen) == each * len(kinds):
            break
    return chosen


def clips_of(split: Split) -> Iterator[Clip]:
    """All clips of a split, one after another; there is no last one."""
    pieces = ComposedSet(Path(), split, _MOST_SEARCHED)
    for index in count():
        piece = pieces.piece(index)
        yield Clip(piece, *write_caption(piece, pieces.caption_rng(index)))


def _quotas(total: int) -> Counter[tuple[Kind, str | None]]:
    """Clips of each kind and lead; what the ninths leave over goes to solos."""
    kinds = {kind: total * ninths // 9 for kind, ninths in NINTHS.items()}
    kinds["solo"] += total - sum(kinds.values())
    quotas: Counter[tuple[Kind, str | None]] = Counter()
    for kind, clips in kinds.items():
        leads = _leads(kind)
        quotas.update((kind, leads[n % len(leads)]) for n in range(clips))
    return quotas


def _leads(kind: Kind) -> list[str | None]:
    """The instruments that lead in pieces of this kind."""
    if kind in ("drums", "bass"):
        return [None]
    return [instrument.name for instrument in INSTRUMENTS if instrument.chordal or kind != "chords"]
