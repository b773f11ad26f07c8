"""How well generated clips obey their captions, in the words of a judge that was fixed before the generator."""

from collections import Counter
from collections.abc import Callable, Sequence

from riffusion.training.data.captions import Stated
from riffusion.training.data.music import FAMILY
from riffusion.training.evaluation.judge import Verdict

_TEMPO_TOLERANCE = 0.05

# A measure is None where the caption says nothing that it could be measured by.
_Measure = Callable[[Stated, Verdict], bool | None]


def _kind(stated: Stated, heard: Verdict) -> bool:
    return stated.kind == heard.kind


def _drums_tonal(stated: Stated, heard: Verdict) -> bool:
    return (stated.kind == "drums") == (heard.kind == "drums")


def _lead(stated: Stated, heard: Verdict) -> bool | None:
    return heard.lead == stated.lead if stated.lead else None


def _family(stated: Stated, heard: Verdict) -> bool | None:
    return heard.family == stated.family if stated.lead else None


def _near(bpm: float, wanted: float) -> bool:
    return abs(bpm / wanted - 1) <= _TEMPO_TOLERANCE


def _tempo(stated: Stated, heard: Verdict) -> bool | None:
    return _near(heard.bpm, stated.bpm) if stated.bpm else None


def _tempo_octave(stated: Stated, heard: Verdict) -> bool | None:
    if not stated.bpm:
        return None
    return any(_near(heard.bpm * factor, stated.bpm) for factor in (0.5, 1, 2))


MEASURES: dict[str, _Measure] = {
    "kind": _kind,
    "drums_tonal": _drums_tonal,
    "lead": _lead,
    "family": _family,
    "tempo": _tempo,
    "tempo_octave": _tempo_octave,
}


def adherence(stated: Sequence[Stated], heard: Sequence[Verdict]) -> dict[str, float]:
    """The share of clips that do what their captions state, for each measure."""
    scores = {}
    for name, measure in MEASURES.items():
        told = [right for said, each in zip(stated, heard, strict=True) if (right := measure(said, each)) is not None]
        scores[name] = sum(told) / len(told) if told else float("nan")
    return scores


def chance(stated: Sequence[Stated], heard: Sequence[Verdict]) -> dict[str, float]:
    """What clips made for other captions score: every verdict against every caption but its own."""
    pairs = [(said, each) for n, said in enumerate(stated) for m, each in enumerate(heard) if n != m]
    return adherence([said for said, _ in pairs], [each for _, each in pairs])


def confusions(stated: Sequence[Stated], heard: Sequence[Verdict]) -> dict[str, Counter[str]]:
    """For each wanted kind and lead, what was heard instead, for people who read the tables."""
    table: dict[str, Counter[str]] = {}
    for said, each in zip(stated, heard, strict=True):
        table.setdefault(said.kind, Counter())[each.kind] += 1
        if said.lead in FAMILY:
            table.setdefault(str(said.lead), Counter())[str(each.lead)] += 1
    return table
