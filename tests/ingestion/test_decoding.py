import pytest

from service.ingestion.decoding import charset_of, clean, decode, one_line


@pytest.mark.parametrize(
    ("body", "declared", "text"),
    [
        (b"caf\xc3\xa9", None, "café"),
        (b"caf\xc3\xa9", "iso-8859-1", "café"),
        (b"caf\xe9", "iso-8859-1", "café"),
        (b"it\x92s", "iso-8859-1", "it’s"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "windows-1252", "café"),
        ("café".encode("utf-16"), None, "café"),
        ("plain words".encode("utf-16-be"), None, "plain words"),
        ("日本語の文章です".encode("shift_jis"), "shift_jis", "日本語の文章です"),
        ("日本語の文章です".encode("iso-2022-jp"), "iso-2022-jp", "日本語の文章です"),
        (b'<meta charset="windows-1251">' + "наука".encode("windows-1251"), None, '<meta charset="windows-1251">наука'),
        (b"<?xml version='1.0' encoding='iso-8859-2'?>\xb1", None, "<?xml version='1.0' encoding='iso-8859-2'?>ą"),
        (b"caf\xe9", "no-such-charset", "café"),
    ],
)
def test_the_encoding_is_found(body: bytes, declared: str | None, text: str) -> None:
    assert decode(body, declared) == text


def test_undeclared_text_is_guessed() -> None:
    text = "Зимой солнце встаёт поздно, и дети идут в школу в темноте. " * 10
    assert decode(text.encode("windows-1251")) == text


def test_broken_utf8_keeps_its_readable_part() -> None:
    body = "Größe und Maß, schön gemacht. ".encode() * 50
    decoded = decode(body[:200] + b"\xff\xc3" + body[200:])
    assert decoded.count("Größe") >= 49
    assert "\ufffd" in decoded


def test_no_bytes_at_all_break_decoding() -> None:
    assert all(
        isinstance(decode(bytes([first, second, 0x41])), str) for first in range(256) for second in range(0, 256, 5)
    )


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b\x07c", "abc"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("cafe\u0301", "café"),
        ("\ufeffmark\u200b", "mark"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_clean_text_is_what_a_database_holds(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert clean(text).encode("utf-8")


def test_a_title_is_one_line() -> None:
    assert one_line("  A\n title \x00 of  words ", 9) == "A title o"
    assert one_line(None) == ""


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/html; charset=UTF-8", "utf-8"),
        ('text/html;charset="x-sjis"', "x-sjis"),
        ("text/html", None),
        (None, None),
    ],
)
def test_the_charset_of_a_content_type(content_type: str | None, charset: str | None) -> None:
    assert charset_of(content_type) == charset
