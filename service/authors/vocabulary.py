"""Words by which names are read, in small letters."""

PARTICLES = frozenset(
    "abu af al av ben bin bint da dal dalla das de dei del della den der di do dos du el ibn la le lo los san te ten"
    " ter van vom von y zu zum zur".split()
)
JOINS = frozenset({"y", "i"})  # Ortega y Gasset, Puig i Cadafalch
SUFFIXES = {"jr": "Jr.", "junior": "Jr.", "sr": "Sr.", "senior": "Sr.", "ii": "II", "iii": "III", "iv": "IV"}
DEGREES = frozenset(
    "ba bsc cpa dds dphil dsc esq facs frs jd llm ma mba md mph mphil ms msc np obe pe pharmd phd rn scd".split()
)
TITLES = frozenset("dr prof professor mr mrs ms miss mx sir dame rev fr dipl-ing ing mag".split())
NOBODY = frozenset(
    "admin administrator anon anonymous author authors editor editors guest na nil none null others root staff team"
    " unknown user various webmaster".split()
)
SHORT_FAMILIES = frozenset(  # of two letters, which are no initials
    "ai an bo bu cu do du fu ge gu ha he ho hu hy in ip ji jo ju ke ko le li lo lu ly ma mo mu na ng ni oh ok on pu qi "
    "qu ro si so su ta to tu um vo vu wu xi xu ye yi yu".split()
)
ORGANISATIONS = frozenset(
    "academy administration agency alliance archive archives assembly association authority authors bank board bureau "
    "center centre church club co coalition collaboration college commission committee company conference consortium "
    "cooperative corp corporation council court department division editors enterprises european faculty federation "
    "forum foundation fund gmbh government group hospital inc initiative institut institute institution international "
    "journal laboratories laboratory labs league library limited llc llp ltd magazine media ministry museum national "
    "nations network news office organisation organization partners party plc press project publishing research "
    "school schools sciences service services society software staff studio studios systems team times trust "
    "université universität university universidad union united workshop world".split()
)
COMPANIES = frozenset("inc llc llp ltd limited corp co plc gmbh".split())
