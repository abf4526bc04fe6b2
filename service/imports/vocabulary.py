"""The types and fields of bibliographies: CSL-JSON, which everything is kept as, against BibTeX, RIS and Zotero.

CSL 1.0.2, appendices III and IV; BibTeX as `btxdoc` and biblatex name it; the RIS specification of 2011.
"""

CSL_TYPES = frozenset(
    "article article-journal article-magazine article-newspaper bill book broadcast chapter classic collection dataset"
    " document entry entry-dictionary entry-encyclopedia event figure graphic hearing interview legal_case legislation"
    " manuscript map motion_picture musical_score pamphlet paper-conference patent performance periodical"
    " personal_communication post post-weblog regulation report review review-book software song speech standard thesis"
    " treaty webpage".split()
)

CROSSREF_TYPES = {  # as doi.org has them
    "journal-article": "article-journal", "proceedings-article": "paper-conference", "book-chapter": "chapter",
    "posted-content": "article", "dissertation": "thesis", "monograph": "book", "edited-book": "book",
    "reference-book": "book", "reference-entry": "entry",
}  # fmt: skip

# The first name of a type is the one that is written.
BIBTEX_TYPES = {
    "article": "article-journal", "book": "book", "inproceedings": "paper-conference", "incollection": "chapter",
    "phdthesis": "thesis", "techreport": "report", "online": "webpage", "unpublished": "manuscript",
    "software": "software", "dataset": "dataset", "patent": "patent", "misc": "document",
    "conference": "paper-conference", "inbook": "chapter", "mastersthesis": "thesis", "thesis": "thesis",
    "report": "report", "electronic": "webpage", "www": "webpage", "proceedings": "book", "collection": "book",
    "mvbook": "book", "booklet": "pamphlet", "manual": "document", "periodical": "periodical",
}  # fmt: skip
BIBTEX_FIELDS = {
    "title": "title", "volume": "volume", "pages": "page", "address": "publisher-place", "edition": "edition",
    "series": "collection-title", "doi": "DOI", "isbn": "ISBN", "issn": "ISSN", "url": "URL", "abstract": "abstract",
    "language": "language", "note": "note", "chapter": "chapter-number", "shorttitle": "title-short",
    "version": "version", "eventtitle": "event-title",
}  # fmt: skip
BIBTEX_ALSO = {
    "langid": "language", "location": "publisher-place", "journaltitle": "container-title",
    "journal": "container-title",
    "booktitle": "container-title", "publisher": "publisher", "school": "publisher", "institution": "publisher",
    "organization": "publisher", "annote": "note", "type": "genre",
}  # fmt: skip

RIS_TYPES = {
    "JOUR": "article-journal", "BOOK": "book", "CHAP": "chapter", "CPAPER": "paper-conference", "THES": "thesis",
    "RPRT": "report", "ELEC": "webpage", "MGZN": "article-magazine", "NEWS": "article-newspaper", "BLOG": "post-weblog",
    "COMP": "software", "DATA": "dataset", "PAT": "patent", "MAP": "map", "VIDEO": "motion_picture",
    "SOUND": "song", "CASE": "legal_case", "STAT": "legislation", "BILL": "bill", "HEAR": "hearing",
    "UNPB": "manuscript", "ENCYC": "entry-encyclopedia", "DICT": "entry-dictionary", "STAND": "standard",
    "PAMP": "pamphlet", "SLIDE": "speech", "PCOMM": "personal_communication", "INPR": "article", "ART": "graphic",
    "GEN": "document",
    "CONF": "paper-conference", "EJOUR": "article-journal", "JFULL": "periodical", "EBOOK": "book", "EDBOOK": "book",
    "ECHAP": "chapter", "ICOMM": "webpage", "MPCT": "motion_picture", "MANSCPT": "manuscript", "GOVDOC": "report",
}  # fmt: skip
RIS_FIELDS = {
    "VL": "volume", "IS": "issue", "PB": "publisher", "CY": "publisher-place", "ET": "edition",
    "T3": "collection-title",
    "DO": "DOI", "UR": "URL", "AB": "abstract", "LA": "language", "N1": "note", "ST": "title-short",
    "ID": "citation-key",
    "M3": "genre",
}  # fmt: skip

ZOTERO_TYPES = {
    "journalArticle": "article-journal", "book": "book", "bookSection": "chapter",
    "conferencePaper": "paper-conference",
    "thesis": "thesis", "report": "report", "webpage": "webpage", "blogPost": "post-weblog", "forumPost": "post",
    "magazineArticle": "article-magazine", "newspaperArticle": "article-newspaper", "computerProgram": "software",
    "dataset": "dataset", "patent": "patent", "preprint": "article", "manuscript": "manuscript", "map": "map",
    "film": "motion_picture", "videoRecording": "motion_picture", "case": "legal_case", "statute": "legislation",
    "bill": "bill", "hearing": "hearing", "letter": "personal_communication", "presentation": "speech",
    "encyclopediaArticle": "entry-encyclopedia", "dictionaryEntry": "entry-dictionary", "standard": "standard",
    "artwork": "graphic", "interview": "interview", "podcast": "broadcast", "document": "document",
}  # fmt: skip
FETCHED = frozenset({"webpage", "post", "post-weblog"})  # what is a page and nothing else


def written_as(types: dict[str, str]) -> dict[str, str]:
    """Return by which name of another format each CSL type is written."""
    names: dict[str, str] = {}
    for name, csl in types.items():
        names.setdefault(csl, name)
    return names
