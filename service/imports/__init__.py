"""Imports: the files in which other programs give out what somebody collected there.

Owns `imports`, `import_entries`, `import_sources`, `import_highlights`, `bibliographies`. Emits import.requested,
.progressed, .completed, .failed, .stalled. Listens to ingestion.completed: a highlight is placed once its text is
there. Calls actions of resources, ingestion, collections, annotations.

    entry.py         what any format says of one thing, cleaned
    detection.py     which format a file has, by its content
    formats/         one module per format: bytes to entries and problems
    reading.py       the work of the child process that reads a file
    extraction.py    hands a file to that process
    vocabulary.py    the types and fields of bibliographies: CSL, BibTeX, RIS
    references.py    a bibliographic record as a text, and as fields of a resource
    actions.py       ask for an import, tell how far it is, try again, cancel, end it
    adding.py        entries into the library, a chunk at a time
    known.py         which entries are in the library already
    folders.py       folders as collections
    lookup.py        what doi.org and arXiv say of a paper, where they may be asked
    highlights.py    marked passages, placed once the text is there
"""
