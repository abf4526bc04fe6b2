"""The words that English builds its sentences with, and those that say too little to be asked for."""

import re

DETERMINERS = frozenset(
    "a an the each every any some no all both another either neither many much most few several".split()
)
POSSESSIVES = frozenset("my your his her its our their whose".split())
DEMONSTRATIVES = frozenset("this these those such".split())
PREPOSITIONS = frozenset(
    "of in on at by for with from into onto over under about after before between through during without within"
    " against"
    " among across behind beyond near since until upon via per towards toward despite except inside outside"
    " throughout"
    " along around above below beneath beside like unlike as than off out up down amid".split()
)
PRONOUNS = frozenset(
    "i me we us you he him she her it they them himself herself itself themselves yourself one ones others someone"
    " anyone everyone everything something anything nothing nobody mine yours ours theirs".split()
)
CONJUNCTIONS = frozenset(
    "and or but nor so yet if because although though while whereas unless whether once that".split()
)
WH_WORDS = frozenset("who whom which what when where why how".split())
BE = frozenset("is are was were be been being am".split())
AUXILIARIES = BE | frozenset("has have had does do did".split())
MODALS = frozenset("can could may might must shall should will would cannot".split())
ADVERBS = frozenset(
    "not also only just even still already often usually always never sometimes typically generally normally very too"
    " quite rather almost nearly much more most less least well then there here now ever again instead however"
    " therefore thus perhaps soon later further together apart away back far else indeed maybe".split()
)
NUMBER_WORDS: tuple[str, ...] = tuple("two three four five six seven eight nine ten eleven twelve".split())

# What refers to something before it, where a sentence starts with it.
_OPENING = (
    "it its this these that those they their them he his him she her we our i my you your such here there one"
    " ones other"
    " others another both either neither some many most several few all none each"
    " and but or so yet nor also however then thus therefore hence moreover furthermore otherwise instead still"
    " besides"
    " similarly likewise finally first firstly second secondly third thirdly next lastly alternatively consequently"
    " additionally meanwhile nevertheless nonetheless indeed again later earlier afterwards accordingly conversely"
    " fortunately unfortunately of course please note notice remember recall see again too rather even like unlike"
    " once now today yesterday tomorrow recently currently nowadays what which who whose when where why how while"
    " whereas because since although though if unless until after before as yes no not well only just perhaps maybe"
    " sometimes often usually basically essentially incidentally obviously clearly actually apparently luckily"
    " specifically conversely regardless".split()
)
OPENING = frozenset(_OPENING)
OPENING_PHRASES = re.compile(
    r"(?:for (?:example|instance|this|that|these|more|details|further|now|all)|in (?:addition|contrast|particular"
    r"|other words|fact|general,"
    r"|short|this|that|these|those|such|both|either|order|turn|practice,|summary|conclusion|the (?:same|following"
    r"|above"
    r"|latter|former|previous|next|example|meantime))|on the (?:other|one|contrary)|as (?:a result|such|well"
    r"|mentioned"
    r"|noted|shown|described|of|you|we|before|above|with)|at (?:this|that|the (?:same|moment|time))|to (?:do|make"
    r"|this|that)"
    r" (?:this|so|that|these)|by (?:the way|this|that|doing|contrast|comparison)|because of (?:this|that)"
    r"|due to (?:this|that)"
    r"|after (?:this|that)|with (?:this|that|these)|from (?:this|that|here|now)|under (?:this|these)|that is"
    r"|the (?:same|"
    r"following|above|former|latter|other|previous|preceding|next|first|second|third|last|rest|reason|result"
    r"|question|"
    r"answer|point|idea|problem|example|trick|only|main|reader)\b)",
    re.I,
)

# Where the text speaks of itself, of what stands elsewhere in it, or of the moment it was written.
ELSEWHERE = re.compile(
    r"\b(?:above|below|following|aforementioned|hereafter|herein|previously|previous|preceding|earlier|former|latter"
    r"|respectively|likewise|so far|as follows|see|refer to (?:the|section)|shown"
    r"|e\.g\.|i\.e\.|etc\."
    r"|(?:this|these|those|such|our|my|next|last) \w+|(?:section|chapter|table|figure|fig\.|appendix|listing"
    r"|equation|footnote|page|example|note) [\dA-Z(]|another|the (?:example|other|same|rest|two|author|article"
    r"|paper|book|document|tutorial"
    r"|others|time|problem|question|text|page|table|figure|chapter|section|code|program|result|output))\b"
    r"|\b(?:i|we|me|us|my|our|ours|let’s|let's|here|there|now|today|yesterday|tomorrow|tonight|ago|currently"
    r"|recently|nowadays|"
    r"this)\b|[’'](?:m|ve|ll|d|re)\b",
    re.I,
)

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
DATE_STAMP = re.compile(
    rf"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}\b"
    rf"|\b(?:{MONTHS}|(?:{_SHORT})\.?)\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\d)|\b\d{{1,2}}(?:st|nd|rd"
    rf"|th)?\s+(?:of\s+)?(?:{MONTHS}|(?:{_SHORT})\b)"
    r"|\b\d{1,2}:\d\d\b|\b(?:published|posted|updated|last modified|retrieved|accessed) (?:on|at)\b"
    r"|\b[ap]\.?m\.?(?=\s|$)",
)

# Nouns that stand for anything: asking for one of them asks for nothing.
VAGUE = frozenset(
    "thing way time case example number use part kind sort type lot bit place point reason result fact idea matter"
    " problem question answer issue situation purpose goal advantage disadvantage difference effect aspect detail"
    " section chapter table figure page book document tutorial article paper author reader text note list item"
    " word line"
    " name form order set group range amount level rest other same one today year month week day hour minute second"
    " end start beginning side top bottom middle first last people person man woman user someone anything everything"
    " something nothing information data content value version option choice possibility ability need want lack"
    " change step method approach manner mean means term sense meaning work job task action thought view opinion"
    " piece"
    " couple pair half majority variety series collection bunch member instance occurrence source target feature"
    " support property attribute state condition process role function system support good bad more less most home"
    " life world moment chance attention course line name names area field subject topic help care mind practice"
    " solution approach technique trick enhancement drawback benefit requirement consequence choice workaround"
    " default addition fun sake hand behalf contrast conjunction particular general short advance turn effect"
    " it he she they them who what which this that these those there here".split()
)
