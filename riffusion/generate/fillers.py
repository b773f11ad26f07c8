"""Words of prompts that say nothing about the music: a prompt may hold them without a warning."""

_ENGLISH = """
a about accompanied all amazing an and any anything are as at audio awesome be beautiful best bit but by can clip
cool create do else everything favorite feat featuring feel feeling for from ft generate get girl give going good
great guy has have hd high hq i if in inspired into is it its just key kind kinda let like little long loop looped
lot lots lovely made make makes making man me minute minutes mood music's my need new nice nobody nothing of old on
one only or over part per perfect person piece play played player playing plays please pls plus pretty put quality
really recording sample second seconds short signature simple so some someone something sort sound sounding sounds
style such super tempo than thanks that the their them then there these they thing this thx time to too top type
typical us use using version very vibe vibes vs want was way we well what when where which while who will with woman
would you your
"""
_GERMAN = """
aber auch auf aus bisschen bitte das dem den der des die ein eine einem einen einer eines etwas für ganz im ist
mache mein mir mit nur oder schöne schöner schönes sehr spiel spiele spielt stil takt
tonart und vom von wie zu zum zur
"""
_FRENCH = """
au aux avec beau belle ce cette comme dans de des du en et est fais fait je joue joué juste la le les mais moi ou par
pour qui style sur tonalité très un une
"""
_IBERIAN_AND_ITALIAN = """
al algo apenas bella bello bonita bonito com como con da das de dei del della delle di do dos e el em en es estilo eu
faz gli haz il la las lo los me mi molto muito muy na nella no nos o os para per por que quero quiero só solo sobre
stile su suona suono toca tocada tocando tonalidad tonalidade tonalità um uma un una y
"""
_RUSSIAN = """
в во для звук из как красивая красивый мне на очень под с сделай со стиле сыграй тональности тональность темп только
хочу и
"""
_NOTES = "ais as cis dis do dó es fa fá fis gis la lá mi ré re si sol до ля ми ре си соль фа"

FILLERS = frozenset(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_IBERIAN_AND_ITALIAN} {_RUSSIAN} {_NOTES}".split())

_NEGATIONS = (
    "no non not without w/o w/out minus zero lacking remove omit hate except excluding exclude avoid never neither "
    "nor dont ohne kein keine keinen keiner nicht weder sans pas jamais ni sin nunca senza niente ne sem nem без не ни "
    "🚫 ❌ ⛔"
)
_LONG_NEGATIONS = (
    "no more",
    "turn off",
    "leave out",
    "don t",
    "doesn t",
    "isn t",
    "anything but",
    "everything but",
    "instead of",
    "rather than",
    "free of",
)
NEGATIONS = frozenset(tuple(phrase.split()) for phrase in (*_NEGATIONS.split(), *_LONG_NEGATIONS))
"""Phrases, in small letters without accents, after which a prompt names what shall not play."""

ORS = frozenset(("or", "oder", "noch", "ou", "o", "или"))
"""Words after which a negation goes on."""

NORS = ORS | {"nor", "ni", "ne", "nem", "ни"}
"""Words before the last thing that shall not play: an "and" after it begins something else."""

ANDS = frozenset(("and", "und", "et", "y", "e", "и"))
"""Words after which a negation goes on where more of the kind comes: "no drums and bass"."""
