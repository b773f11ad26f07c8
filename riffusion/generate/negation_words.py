"""Words, in small letters without accents, by which prompts of seven languages name what shall not play."""

from riffusion.generate.tokens import Phrase


def _phrases(text: str) -> frozenset[Phrase]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATIONS = _phrases(
    "no, non, not, without, w/o, w/out, minus, zero, lacking, remove, omit, hate, except, excluding, exclude, avoid, "
    "never, neither, nor, dont, don t, doesn t, isn t, shouldn t, won t, no more, turn off, leave out, anything but, "
    "everything but, instead of, rather than, free of, free from, ohne, kein, keine, keinen, keiner, nicht, weder, "
    "sans, pas, aucun, aucune, jamais, ni, sin, ningun, ninguna, ninguno, nada de, nunca, senza, niente, nessun, "
    "nessuna, nessuno, ne, sem, nem, nao, nenhum, nenhuma, без, не, ни, нет, никаких, 🚫, ❌, ⛔"
)
"""Phrases after which a prompt names what shall not play."""

WITHOUTS = _phrases(
    "without, w/o, ohne, sans, sin, senza, sem, без, leave out, remove, omit, exclude, avoid, anything but"
)
"""Negations after which another one is undone: "not without drums"."""

NO_NEGATIONS = _phrases(
    "don t forget, dont forget, not forget, non stop, never ending, never stop, no copyright, no limit, no limits, no "
    "problem, no worries, no stress, no rush, no doubt, no idea, no matter, no one but, no one else, no way, no "
    "reverb, no echo, no delay, no effects, no fx, oh no, if not, or not, why not, without doubt, without a doubt, "
    "without warning, without end, without fail, without you, without me, without him, without her, not all, not a "
    "lot, nothing except, no instruments but, no instruments except, ohne ende, ohne pause, warum nicht, sans cesse, "
    "sans arret, pas que, pas a pas, pourquoi pas, sin parar, sin descanso, senza fine, non solo, sem parar, sem "
    "pausa, nao so, no estilo, no ritmo, почему не, без остановки"
)
"""Phrases with a negation that leave out nothing that plays."""

ONLYS = _words("only just merely nur seulement solamente soltanto apenas somente только просто")
"""Words before which a negation leaves out nothing: "not only drums"."""

NOTS = _phrases("not, isn t, nicht")
"""Negations of the word that follows, be it an adjective: "not loud drums" has drums, "no loud drums" hasn't."""

AUXILIARIES = _words("can could do does must should will")
"""Words that make a "not" leave out the thing: "do not use loud drums"."""

DEGREES = _words(
    "too so very that as zu allzu sehr trop tres aussi tan muy demasiado troppo cosi molto tao muito слишком очень так"
)
"""Words after which a negation is of an adjective only: "not too loud drums"."""

TRANSPARENT = DEGREES | _words(
    "add adding will mochte benutze verwende veux entendre mettre utilise utiliser quiero quieras uses usar usa usare "
    "pongas poner sea ser seja voglio vogliamo mettere metti используи использовать надо нужно"
)
"""Words that a negation holds on through: "no quiero guitarra"."""

ORS = _words("or oder noch ou o или")
"""Words after which a negation goes on."""

NORS = ORS | _words("nor ni ne nem ни")
"""Words before the last thing that shall not play: an "and" after it begins something else."""

ANDS = _words("and und et y e и")
"""Words after which a negation goes on where more of the kind comes: "no drums and bass"."""

DRUM_KIT = _phrases(
    "kick, kick drum, bass drum, snare, snare drum, hi hat, hihat, cymbal, tom, clap, handclap, clapping, 808"
)
"""What the model's drums consist of: they play it, whatever shall not be."""

OFTEN_ABSENT = _words("bass beat beats drum drums lyrics percussion singing vocal vocals")
"""What a sign between words may leave out as well: "no drums/bass"."""

DISLIKED = _words(
    "annoying boring cheesy clean crazy distorted generic harsh loud noisy screaming ugly weird "
    "laute lauten lauter nervige nervigen"
)
"""Words that only describe what shall not play: "no loud guitar"."""

BUTS = _words("but aber sondern mais pero ma mas но")
"""Words before or after what shall not play: "rock but not metal", "not metal but rock"."""
