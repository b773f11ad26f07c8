"""Words of prompts that say nothing about the music: a prompt may hold them without a warning."""

_ENGLISH = """
a an and any are as at be bit by can clip create do for from generate get give going has have i if in into is it its just
kind let like little lots lot made make making me mix my need nice of on one only or over per perfect piece play played
playing plays please plus put quality recording really sample simple so some something sound sounding sounds style that
the their them then there these they thing this to type use using very want was way we well what which while with would
you your audio amazing awesome beautiful best cool favorite good great high hq lovely pretty top version vibe vibes feel
feeling sort kinda sounding inspired typical nobody people person man woman guy girl accompanied featuring feat ft vs
new old short long loop looped seconds minute minutes second tempo bpm beats mood key time signature
""".split()

_GERMAN = """
bitte das dem den der des die ein eine einem einen einer eines für im ist mache mir mit oder sehr spiel spielt und
wie zu zum von vom auf aus etwas ganz nur stil takt schöne schönes schöner
""".split()

_FRENCH = """
au aux avec ce cette de des du en et fais fait joue joué je la le les mais moi ou par pas pour qui sur un une très
style du dans beau belle juste
""".split()

_SPANISH_PORTUGUESE_ITALIAN = """
al algo com como con da das de del della delle dei di do dos e el em en es eu faz gli haz il la las lo los me mi muito
muy na nella no nos o os para per por que quero quiero con su sobre suono suona toca tocando tocada un una uma um
estilo stile y molto bella bello bonita bonito solo
""".split()

_RUSSIAN = "в во и на с со из для под мне как очень сыграй сделай стиле звук красивая красивый хочу".split()

_NOTES = "do re ré mi fa fá sol la lá si dó fis cis gis dis ais as es до ре ми фа соль ля си".split()

FILLERS = frozenset([*_ENGLISH, *_GERMAN, *_FRENCH, *_SPANISH_PORTUGUESE_ITALIAN, *_RUSSIAN, *_NOTES])
NEGATIONS = frozenset(
    "no not without minus ohne kein keine keinen sans pas sin senza niente sem sem без нет nicht except excluding".split()
)
