"""How well generated clips match their captions, by a judge that was trained before the generator."""

from collections import Counter
from collections.abc import Callable, Sequence

from riffusion.training.data.captions import Stated
from riffusion.training.data.music import FAMILY, Kind
from riffusion.training.evaluation.judge import Verdict

_TEMPO_TOLERANCE = 0.05  # relative

# A measure is None where the caption doesn't state what it compares.
_Measure = Callable[[Stated, Verdict], bool | None]


def _kind(stated: Stated, verdict: Verdict) -> bool:
    return stated.kind == verdict.kind


def _drums_tonal(stated: Stated, verdict: Verdict) -> bool:
    return (stated.kind == "drums") == (verdict.kind == "drums")


def _lead(stated: Stated, verdict: Verdict) -> bool | None:
    return verdict.lead == stated.lead if stated.lead else None


def _likeliest_lead(stated: Stated, verdict: Verdict) -> bool | None:
    return verdict.likeliest_lead == stated.lead if stated.lead else None


def _within(kind: Kind, measure: _Measure) -> _Measure:
    return lambda stated, verdict: measure(stated, verdict) if stated.kind == kind else None


def _timbre(stated: Stated, verdict: Verdict) -> bool | None:
    return not verdict.rejected if stated.lead else None


def _family(stated: Stated, verdict: Verdict) -> bool | None:
    return verdict.family == stated.family if stated.lead else None


def same_tempo(bpm: float, wanted: float) -> bool:
    """Whether two tempi are within 5 % of each other."""
    return abs(bpm / wanted - 1) <= _TEMPO_TOLERANCE


def same_tempo_or_octave(bpm: float, wanted: float) -> bool:
    """Whether a tempo, its half or its double is the same."""
    return any(same_tempo(bpm * factor, wanted) for factor in (0.5, 1, 2))


def _tempo(stated: Stated, verdict: Verdict) -> bool | None:
    return same_tempo(verdict.bpm, stated.bpm) if stated.bpm else None


def _tempo_octave(stated: Stated, verdict: Verdict) -> bool | None:
    return same_tempo_or_octave(verdict.bpm, stated.bpm) if stated.bpm else None


MEASURES: dict[str, _Measure] = {
    "kind": _kind,
    "drums_tonal": _drums_tonal,
    "lead": _lead,
    "lead_solo": _within("solo", _lead),
    "lead_chords": _within("chords", _lead),
    "lead_full": _within("full", _lead),
    "likeliest_lead": _likeliest_lead,
    "likeliest_lead_solo": _within("solo", _likeliest_lead),
    "likeliest_lead_chords": _within("chords", _likeliest_lead),
    "likeliest_lead_full": _within("full", _likeliest_lead),
    "timbre": _timbre,
    "family": _family,
    "tempo": _tempo,
    "tempo_octave": _tempo_octave,
}


def adherence(stated: Sequence[Stated], verdicts: Sequence[Verdict]) -> dict[str, float]:
    """For each measure, the share of clips that match their captions, 0 to 1; NaN where no caption states it."""
    scores = {}
    for name, measure in MEASURES.items():
        pairs = zip(stated, verdicts, strict=True)
        matches = [match for one, verdict in pairs if (match := measure(one, verdict)) is not None]
        scores[name] = sum(matches) / len(matches) if matches else float("nan")
    return scores


def chance(stated: Sequence[Stated], verdicts: Sequence[Verdict]) -> dict[str, float]:
    """The scores of every clip against every caption but its own: what a generator that ignores captions would get."""
    pairs = [(one, verdict) for n, one in enumerate(stated) for m, verdict in enumerate(verdicts) if n != m]
    return adherence([one for one, _ in pairs], [verdict for _, verdict in pairs])


def confusions(stated: Sequence[Stated], verdicts: Sequence[Verdict]) -> dict[str, Counter[str]]:
    """For each stated kind and lead, how often the judge found which kind or lead."""
    table: dict[str, Counter[str]] = {}
    for one, verdict in zip(stated, verdicts, strict=True):
        table.setdefault(one.kind, Counter())[verdict.kind] += 1
        if one.lead in FAMILY:
            table.setdefault(str(one.lead), Counter())[str(verdict.lead)] += 1
    return table
