"""Names as people and documents write them: parts, forms, who may be the same, and what names nobody."""

import pytest

from service.authors.names import Name, compatible, folded, is_orcid, parse

PEOPLE = [
    # written, display, sort name, key
    ("Ada Lovelace", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Lovelace, Ada", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("  Lovelace ,  Ada ", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("LOVELACE, ADA", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("ADA LOVELACE", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("ada lovelace", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("LOVELACE Ada", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada LOVELACE", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("A. Lovelace", "A. Lovelace", "Lovelace, A.", "lovelace a"),
    ("Lovelace, A.", "A. Lovelace", "Lovelace, A.", "lovelace a"),
    ("Lovelace A", "A. Lovelace", "Lovelace, A.", "lovelace a"),
    ("Smith JA", "J. A. Smith", "Smith, J. A.", "smith j"),
    ("Smith, JA", "J. A. Smith", "Smith, J. A.", "smith j"),
    ("Smith, J.A.", "J. A. Smith", "Smith, J. A.", "smith j"),
    ("J. A. Smith", "J. A. Smith", "Smith, J. A.", "smith j"),
    ("J.A. Smith", "J. A. Smith", "Smith, J. A.", "smith j"),
    ("SMITH, J.A.", "J. A. Smith", "Smith, J. A.", "smith j"),
    ("Smith, John A.", "John A. Smith", "Smith, John A.", "smith j"),
    ("J.R.R. Tolkien", "J. R. R. Tolkien", "Tolkien, J. R. R.", "tolkien j"),
    ("Jane WU", "Jane Wu", "Wu, Jane", "wu j"),
    ("JANE WU", "Jane Wu", "Wu, Jane", "wu j"),
    ("Ludwig van Beethoven", "Ludwig van Beethoven", "Beethoven, Ludwig van", "beethoven l"),
    ("van Beethoven, Ludwig", "Ludwig van Beethoven", "Beethoven, Ludwig van", "beethoven l"),
    ("Beethoven, Ludwig van", "Ludwig van Beethoven", "Beethoven, Ludwig van", "beethoven l"),
    ("LUDWIG VAN BEETHOVEN", "Ludwig van Beethoven", "Beethoven, Ludwig van", "beethoven l"),
    ("Juan de la Cruz", "Juan de la Cruz", "Cruz, Juan de la", "cruz j"),
    ("De la Cruz, Juan", "Juan de la Cruz", "Cruz, Juan de la", "cruz j"),
    ("John von Neumann", "John von Neumann", "Neumann, John von", "neumann j"),
    ("Walther von der Vogelweide", "Walther von der Vogelweide", "Vogelweide, Walther von der", "vogelweide w"),
    ("Osama bin Zaid", "Osama bin Zaid", "Zaid, Osama bin", "zaid o"),
    ("Leonardo da Vinci", "Leonardo da Vinci", "Vinci, Leonardo da", "vinci l"),
    ("van der Berg JA", "J. A. van der Berg", "Berg, J. A. van der", "berg j"),
    ("Al Gore", "Al Gore", "Gore, Al", "gore a"),
    ("Van Morrison", "Van Morrison", "Morrison, Van", "morrison v"),
    ("Ben Affleck", "Ben Affleck", "Affleck, Ben", "affleck b"),
    ("José Ortega y Gasset", "José Ortega y Gasset", "Ortega y Gasset, José", "ortega y gasset j"),
    ("Muhammad al-Khwarizmi", "Muhammad al-Khwarizmi", "al-Khwarizmi, Muhammad", "khwarizmi m"),
    ("Martin Luther King Jr.", "Martin Luther King Jr.", "King, Jr., Martin Luther", "king m"),
    ("Martin Luther King, Jr.", "Martin Luther King Jr.", "King, Jr., Martin Luther", "king m"),
    ("King, Martin Luther, Jr.", "Martin Luther King Jr.", "King, Jr., Martin Luther", "king m"),
    ("King, Jr., Martin Luther", "Martin Luther King Jr.", "King, Jr., Martin Luther", "king m"),
    ("John Smith III", "John Smith III", "Smith, III, John", "smith j"),
    ("Dr. Jane Goodall", "Jane Goodall", "Goodall, Jane", "goodall j"),
    ("Prof. Dr. Jane Goodall, PhD", "Jane Goodall", "Goodall, Jane", "goodall j"),
    ("Jane Goodall, M.D., Ph.D.", "Jane Goodall", "Goodall, Jane", "goodall j"),
    ("Jane Goodall PhD", "Jane Goodall", "Goodall, Jane", "goodall j"),
    ("Smith, MA", "M. A. Smith", "Smith, M. A.", "smith m"),
    ("Gabriel García Márquez", "Gabriel García Márquez", "Márquez, Gabriel García", "marquez g"),
    ("Paul Erdős", "Paul Erdős", "Erdős, Paul", "erdos p"),
    ("Søren Kierkegaard", "Søren Kierkegaard", "Kierkegaard, Søren", "kierkegaard s"),
    ("Łukasz Kaiser", "Łukasz Kaiser", "Kaiser, Łukasz", "kaiser l"),
    ("Jean-Paul Sartre", "Jean-Paul Sartre", "Sartre, Jean-Paul", "sartre j"),
    ("MARY-JANE O'BRIEN", "Mary-Jane O'Brien", "O'Brien, Mary-Jane", "obrien m"),
    ("Mary-Jane O’Brien", "Mary-Jane O’Brien", "O’Brien, Mary-Jane", "obrien m"),
    ("JOHN MCCARTHY", "John McCarthy", "McCarthy, John", "mccarthy j"),
    ("Plato", "Plato", "Plato", "plato"),
    ("Sostratus of Cnidus", "Sostratus of Cnidus", "Sostratus of Cnidus", "sostratus of cnidus"),
    ("By Ada Lovelace", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada Lovelace et al.", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Smith J, et al", "J. Smith", "Smith, J.", "smith j"),
    ("Ada Lovelace <ada@example.org>", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada Lovelace (ada@example.org)", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada Lovelace1,2*", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada Lovelace†", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada Lovelace 🚀", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada\u200b Love\u00adlace", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Ada Lovelace, University of London", "Ada Lovelace", "Lovelace, Ada", "lovelace a"),
    ("Лев Толстой", "Лев Толстой", "Толстой, Лев", "толстои л"),
    ("Толстой, Лев Николаевич", "Лев Николаевич Толстой", "Толстой, Лев Николаевич", "толстои л"),
    ("Νίκος Καζαντζάκης", "Νίκος Καζαντζάκης", "Καζαντζάκης, Νίκος", "καζαντζακησ ν"),
    ("王小明", "王小明", "王小明", "王小明"),
    ("山田 太郎", "山田 太郎", "山田, 太郎", "山田太郎"),
    ("山田, 太郎", "山田 太郎", "山田, 太郎", "山田太郎"),
    ("김철수", "김철수", "김철수", "김철수"),
    ("Ada Лавлейс", "Ada Лавлейс", "Лавлейс, Ada", "лавлеис a"),
]


@pytest.mark.parametrize(("written", "display", "sort_name", "key"), PEOPLE)
def test_people(written: str, display: str, sort_name: str, key: str) -> None:
    name = parse(written)
    assert name is not None
    assert (name.display, name.sort_name, name.key, name.kind) == (display, sort_name, key, "person")


@pytest.mark.parametrize(
    "written",
    [
        "NASA", "WHO", "CERN", "IEEE", "World Health Organization", "The New York Times", "University of Oxford",
        "Max Planck Institute for Physics", "ATLAS Collaboration", "OpenAI Research", "Google Inc.", "Smith & Sons",
        "Doctors for America", "Médecins Sans Frontières", "Internet Engineering Task Force Working Group", "3M",
        "Bundesministerium der Finanzen GmbH", "National Academy of Sciences",
    ],
)  # fmt: skip
def test_organisations_stay_whole(written: str) -> None:
    name = parse(written)
    assert name is not None
    assert (name.display, name.kind) == (written, "organisation")


@pytest.mark.parametrize(
    "written",
    [
        "", "   ", "\x00", "et al.", "et al", "and others", "ada@example.org", "<ada@example.org>", "mailto:a@b.org",
        "https://example.org/ada", "www.example.org", "@ada", "🚀🚀", "123", "---", "...", "Unknown", "admin",
        "Anonymous", "N/A", "x" * 10_240, "word " * 2000, "\u200b", ",", ", ,", "()", "<>",
    ],
)  # fmt: skip
def test_what_names_nobody(written: str) -> None:
    assert parse(written) is None


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("J. Smith", "John Smith", True),
        ("Smith JA", "John Smith", True),
        ("Smith, John Adam", "J. A. Smith", True),
        ("J. A. Smith", "J. B. Smith", False),
        ("John Smith", "Jane Smith", False),
        ("John Smith", "John Smyth", False),
        ("John Smith Jr.", "John Smith Sr.", False),
        ("John Smith Jr.", "John Smith", True),
        ("Vincent van Gogh", "Gogh, Vincent", True),
        ("Erdős, Paul", "P. Erdos", True),
        ("Plato", "Plato", True),
        ("Plato", "P. Plato", False),
        ("NASA", "Nasa Smith", False),
        ("The World Health Organization", "World Health Organization", True),
        ("王小明", "王 小明", True),
        ("王小明", "王小红", False),
    ],
)
def test_who_may_be_the_same(one: str, other: str, may: bool) -> None:
    first, second = parse(one), parse(other)
    assert first is not None
    assert second is not None
    assert compatible(first, second) is compatible(second, first) is may


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "LOVELACE, Ada"),
        ("Paul Erdős", "Erdos, Paul"),
        ("Ludwig van Beethoven", "Beethoven, Ludwig van"),
        ("J. A. Smith", "Smith JA"),
        ("山田 太郎", "山田太郎"),
        ("World Health Organization", "The World Health Organization"),
    ],
)
def test_one_heading_for_each_way_to_write_a_name(one: str, other: str) -> None:
    first, second = parse(one), parse(other)
    assert first is not None
    assert second is not None
    assert first.heading == second.heading


def test_only_a_given_name_in_full_says_who_it_is() -> None:
    full = {written: name.is_full for written in ("Ada Lovelace", "A. Lovelace", "Plato", "NASA", "王小明")
            if (name := parse(written))}  # fmt: skip
    assert full == {"Ada Lovelace": True, "A. Lovelace": False, "Plato": False, "NASA": True, "王小明": True}


@pytest.mark.parametrize("written", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_published_orcids_are_valid(written: str) -> None:
    """https://support.orcid.org/hc/en-us/articles/360006897674"""
    assert is_orcid(written)
    assert not is_orcid(written[:-1] + ("1" if written[-1] != "1" else "2"))


@pytest.mark.parametrize(
    "written",
    ["Josiah Carberry (0000-0002-1825-0097)", "Carberry, Josiah https://orcid.org/0000-0002-1825-0097"],
)
def test_an_identifier_beside_the_name(written: str) -> None:
    assert parse(written) == Name("Carberry", ("Josiah",), orcid="0000-0002-1825-0097")


def test_an_identifier_with_a_wrong_digit_is_none() -> None:
    assert parse("Josiah Carberry 0000-0002-1825-0098") == Name("Carberry", ("Josiah",))


def test_folding_is_the_same_twice() -> None:
    for written, *_ in PEOPLE:
        assert folded(folded(written)) == folded(written)
