"""Exports: what an account may see of the library, in the formats of other programs.

Owns no tables. Emits resources.exported, where resources or a collection were named. Reads resources, a page at a time,
so that a large library costs no more memory than a small one; trees of folders are gathered, links only.

    record.py       one resource, and as a bibliographic record
    formats/        BibTeX, RIS, bookmarks and OPML, Markdown, programs that keep links
    spreadsheet.py  CSV that a spreadsheet shows and never runs
"""
