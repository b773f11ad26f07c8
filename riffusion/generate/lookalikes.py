"""Ordinary words of seven languages that are a mistake away from a known one and yet none: a "star" is no "sitar".

Collected from the most frequent words of each language, and checked by hand.
"""

_WORDS = """
accorde according acordado actores adiante alegra alegro alleged alleges alt amino ammonia analogy anima animo arch
archie armenia backing bacteria baird baise baisse balkon ballot balls bande bando banking barack barring base basee
bases basis bat bates bats battere battered bauch beach bearing bel belas bellas belles belli bet betes bets billet
bills bingo bless bleus boats boiler bom bong bords boss bosse brain braking bran braun brd brian brock bruno bullet
bulls bunda busse cambia campagna campagne campanha campanhas campania campinas camping cant cell cella celle celles
cells cento chair chairs chamado chambre cherry chiant chier chile chili chilli chloe chores chr cielo citar citare
clima clips clothes coaches coats collo comin complessa complessi concept concern conge congo conocer consente
contendo contener content contenti contents contenuto contesta contesto contexte contexto contiene contient conto
convento convert copying cords corn coroa couches counter crank cricket cuanto cuello culte cup darum dealt delit
despacho disc doce doces dolci dulce eclectic electron engines expulsion faire faust feast fidele fiere fiore fir
flamengo float flor flora flota flour foire fugiu gamin gangs gas gases gentil gentile grande grandi grange grim
grimm grind grouped grove grund guidare hairstyle harmonic hause heard heater hitter horen horno hose inde india
indican indio industria intende intends interne interns lad led leute lid lin linea linee linen linie longe longue
lte lutte maggior maggiori maire manor marcas marcha marchas marche mario mayer measles mediation medication meiner
mejor melodic mener mentale metas miner minuit minuti moderator moderne musk nan noiva nose noses nov novia nuova
operai operar opere organise organism pac pano paper parity peace perro piace piani piccola piccole piccoli pieno
pier piero pierre pip popping presta preston priest progressing raiders ran raped raping reaper recordar recorde
recorded reggie regne regno reign related relating resta riots ripping roast rockies rol rolle rumbo sacro sails
saint sainte salas sales sante sauve save schlagen schlange science scream screams seals seccion seins sente seoul
sewing shining shooting sicuro siente signing silenced sinking sins sinta sinto soc soins solaire solar sombra
sombras sonny sovrano spinta spinto springs stack stairs stammen star stare stares staring starr stars steal steele
stell stelle stick still stock storing strains strasse streaming streichen streng strom strong strung sturm suction
sul suolo swinging tabela table tang tem tener tengo tenir therein trainer traiter traites trampa tranche treiben
trick trieste trompe truck tub tun turin turisti valls varieta variety veces venia vezes vice vie vila villa viol
vit viveu voici voila voulons waiter walters webster whole wives голос диск кот кто роль
back blue five four laid pace saw three tower
animee ballard bassa celos chore choro cielos clavinet concerto espanol espanola espanoles fanatic finder gata hesiter
hoard horne incense jingle laine large laute leine maori merch molla orage pino plaie polk purest salz
schaffen scharfen sonar stair telhado trumped vilao viole vola wahle whaling whistler стар странные
"""

LOOKALIKES = frozenset(_WORDS.split())
