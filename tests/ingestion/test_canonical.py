import pytest

from service.ingestion.canonical import canonical_url


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("http://example.com.:80/", "http://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("http://[::1]:80/a", "http://[::1]/a"),
        ("https://example.com/a/../b/./c", "https://example.com/b/c"),
        ("https://example.com/../../a", "https://example.com/a"),
        ("https://example.com/a/", "https://example.com/a"),
        ("https://example.com//a", "https://example.com//a"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/?id=2&a=1&id=1", "https://example.com/?a=1&id=2&id=1"),
        ("https://example.com/?b&a=", "https://example.com/?a=&b"),
        ("https://example.com/a?utm_source=x&id=7&fbclid=y&GCLID=z&mc_eid=1", "https://example.com/a?id=7"),
        ("https://example.com/a?utm_source=x", "https://example.com/a"),
        ("https://example.com/?ref=home&source=x", "https://example.com/?ref=home&source=x"),
        ("https://example.com/%7euser/%e9t%C3%a9", "https://example.com/~user/%E9t%C3%A9"),
        ("https://example.com/a%2fb", "https://example.com/a%2Fb"),
        ("https://example.com/été dans", "https://example.com/%C3%A9t%C3%A9%20dans"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://BÜCHER.example/a", "https://xn--bcher-kva.example/a"),
        ("  https://example.com/a  ", "https://example.com/a"),
    ],
)
def test_one_page_has_one_address(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    "url", ["", "mailto:a@example.com", "file:///a", "http://", "http://[::1", "http://a:x/", "a/b"]
)
def test_what_is_no_web_address_stays_as_it_is(url: str) -> None:
    assert canonical_url(url) == url


def test_different_pages_stay_different() -> None:
    pages = ["http://example.com/a", "https://example.com/a", "https://www.example.com/a", "https://example.com/A"]
    assert len({canonical_url(page) for page in pages}) == 4
