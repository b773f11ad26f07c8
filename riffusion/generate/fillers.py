"""Words of prompts that say nothing about the music: a prompt may hold them without a warning."""

_ENGLISH = """
a about accompanied all also am amazing an and any anything are as at audio awesome be beautiful best bit but by can
clip cool create do else end everything favorite feat featuring feel feeling first for from ft generate genre get girl
give going good great guy has have hd high hq hz i if in inspired instruments into is it its just key kind kinda less
let like little long loop looped lot lots lovely made make makes making man maybe me minute minutes mood more music's
my need new nice nobody nothing of oh old on one only or over part per perfect person piece play played player playing
plays please pls plus pretty put quality really recording sample second seconds short should signature simple so some
someone something sort sound sounding sounds style such super tempo than thanks that the their them then there these
they thing this thx time to too top type typical up us use using version very vibe vibes vs want was way we well what
when where which while who why will with woman would write yes you your
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
faz gli haz il la las lo los me mi molto muito muy na nella no nos o os para per por que quero quiero só solo pero sobre
stile su suona suono também también toca tocada tocando tonalidad tonalidade tonalità um uma un una y
"""
_RUSSIAN = """
в во для звук из как красивая красивый мне на очень под с сделай со стиле сыграй тональности тональность темп только
хочу и
"""
_NOTES = "ais as cis dis do dó es fa fá fis gis la lá mi ré re si sol до ля ми ре си соль фа"

FILLERS = frozenset(f"{_ENGLISH} {_GERMAN} {_FRENCH} {_IBERIAN_AND_ITALIAN} {_RUSSIAN} {_NOTES}".split())
