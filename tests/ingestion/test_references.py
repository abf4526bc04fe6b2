import pytest

from service.ingestion.references import split_references

NUMBERED = """The text cites [1] and [2].
5. References
[1] Vaswani, A., Shazeer, N. Attention is all you need. NeurIPS, 2017.
[2] Devlin, J. et al. BERT: Pre-training of deep bidirectional
transformers. NAACL, 2019.
[3] LeCun, Y., Bengio, Y., Hinton, G. Deep learning. Nature 521, 436-444 (2015).
Appendix A
More text."""


def test_a_numbered_list_is_split_and_taken_out_of_the_text() -> None:
    rest, entries = split_references(NUMBERED)
    assert entries == [
        "Vaswani, A., Shazeer, N. Attention is all you need. NeurIPS, 2017.",
        "Devlin, J. et al. BERT: Pre-training of deep bidirectional transformers. NAACL, 2019.",
        "LeCun, Y., Bengio, Y., Hinton, G. Deep learning. Nature 521, 436-444 (2015).",
    ]
    assert rest == "The text cites [1] and [2].\nAppendix A\nMore text."


@pytest.mark.parametrize(
    "section",
    [
        "1. Knuth, D. The Art of Computer Programming. 1968.\n2. Dijkstra, E. Go to considered harmful. 1968.",
        "[Knu68] Knuth, D. The Art of Computer Programming. 1968. [Dij68] Dijkstra, E. Go to considered harmful. 1968.",
        "[1] Knuth, D. The Art of Computer Programming. 1968. [2] Dijkstra, E. Go to considered harmful. 1968.",
        "Knuth, D. The Art of Computer Programming. 1968. Dijkstra, E. Go to considered harmful. 1968.",
        "Knuth, D. The Art of Computer Programming. 1968.\nDijkstra, E. Go to considered harmful. 1968.",
    ],
)
@pytest.mark.parametrize(
    "heading", ["References", "REFERENCES", "7 Bibliography", "Works Cited:", "Literatur", "IV. References"]
)
def test_the_usual_forms_of_a_list_are_split(heading: str, section: str) -> None:
    assert split_references(f"Text.\n{heading}\n{section}") == (
        "Text.",
        ["Knuth, D. The Art of Computer Programming. 1968.", "Dijkstra, E. Go to considered harmful. 1968."],
    )


def test_surnames_and_years_part_entries_that_stand_on_one_line() -> None:
    section = (
        "Adams, J. B. (2001). On harbours. Journal of Ports, 4, 1-9. Brown-Lee, K. and Green, P. (1999a). "
        "Lamps of the sea. Oxford. O’Hara, S. (2010). Stones, mirrors and fire. Cambridge."
    )
    _, entries = split_references(f"Text.\nReferences\n{section}")
    assert [entry.split(",")[0] for entry in entries] == ["Adams", "Brown-Lee", "O’Hara"]


@pytest.mark.parametrize(
    "text",
    [
        "No list at all.",
        "References\nThis chapter explains what references in a language are.\nThey point to objects in memory.",
        "The word references inside a sentence that ends the text: References",
    ],
)
def test_what_is_no_list_stays_in_the_text(text: str) -> None:
    assert split_references(text) == (text, [])


def test_the_last_list_counts() -> None:
    text = "References\nare explained here.\nMore text.\nReferences\n[1] Knuth, D. A book on programming. 1968."
    assert split_references(text)[1] == ["Knuth, D. A book on programming. 1968."]
