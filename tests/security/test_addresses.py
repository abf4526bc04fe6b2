from ipaddress import ip_address

import pytest

from service.security.addresses import Allowlist, forbidden, literal


@pytest.mark.parametrize(
    "spelling",
    ["127.0.0.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0X7F.0.0.1"],
)
def test_every_spelling_of_an_address_is_read_as_that_address(spelling: str) -> None:
    assert literal(spelling) == ip_address("127.0.0.1")


@pytest.mark.parametrize(
    "name", ["example.com", "localhost", "face.example", "dead.beef.cafe", "", "1.2.3.4.5", "xn--a"]
)
def test_a_name_is_not_an_address(name: str) -> None:
    assert literal(name) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "is a loopback address"),
        ("127.8.9.10", "is a loopback address"),
        ("0.0.0.0", "is the unspecified address"),
        ("10.1.2.3", "is a private address"),
        ("172.16.0.1", "is a private address"),
        ("192.168.1.1", "is a private address"),
        ("192.0.0.192", "is for protocols, not for hosts (RFC 6890)"),
        ("169.254.169.254", "is a link-local address"),
        ("168.63.129.16", "is a cloud's metadata service"),
        ("100.64.0.1", "is shared by a provider's customers (RFC 6598)"),
        ("100.100.100.200", "is shared by a provider's customers (RFC 6598)"),
        ("192.88.99.1", "is a retired 6to4 relay (RFC 7526)"),
        ("198.18.0.1", "is a private address"),
        ("224.0.0.1", "is a multicast address"),
        ("240.0.0.1", "is a reserved address"),
        ("255.255.255.255", "is a reserved address"),
        ("::", "is the unspecified address"),
        ("::1", "is a loopback address"),
        ("::127.0.0.1", "is a reserved address"),
        ("::ffff:127.0.0.1", "leads to 127.0.0.1, which is a loopback address"),
        ("::ffff:a9fe:a9fe", "leads to 169.254.169.254, which is a link-local address"),
        ("::ffff:0:7f00:1", "is a reserved address"),
        ("64:ff9b::7f00:1", "leads to 127.0.0.1, which is a loopback address"),
        ("64:ff9b::a9fe:a9fe", "leads to 169.254.169.254, which is a link-local address"),
        ("64:ff9b:1::1", "is a local NAT64 prefix (RFC 8215)"),
        ("2002:7f00:1::", "leads to 127.0.0.1, which is a loopback address"),
        ("2002:c0a8:101::1", "leads to 192.168.1.1, which is a private address"),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", "leads to 127.0.0.1, which is a loopback address"),
        ("fe80::1", "is a link-local address"),
        ("fe80::1%eth0", "is a link-local address"),
        ("fec0::1", "is site-local (RFC 3879)"),
        ("fc00::1", "is a private address"),
        ("fd00:ec2::254", "is a private address"),
        ("ff02::1", "is a multicast address"),
        ("2001:db8::1", "is a private address"),
        ("3fff::1", "is for documentation (RFC 9637)"),
        ("5f00::1", "is for segment routing (RFC 9602)"),
        ("100::1", "is a reserved address"),
    ],
)
def test_an_address_that_is_not_public_is_forbidden_by_a_named_rule(address: str, reason: str) -> None:
    assert forbidden(ip_address(address)) == reason


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert forbidden(ip_address(address)) is None


@pytest.mark.parametrize(
    ("entry", "host", "port", "named"),
    [
        ("wiki.home.arpa", "WIKI.home.arpa.", 443, True),
        ("wiki.home.arpa", "other.home.arpa", 443, False),
        ("wiki.home.arpa:8080", "wiki.home.arpa", 8080, True),
        ("wiki.home.arpa:8080", "wiki.home.arpa", 80, False),
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "2130706433", 8080, True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, False),
        ("[::1]:8080", "::1", 8080, True),
    ],
)
def test_an_exception_names_a_host_and_perhaps_a_port(entry: str, host: str, port: int, named: bool) -> None:
    assert Allowlist.parse([entry]).names(host, port) is named


@pytest.mark.parametrize(
    ("entry", "address", "covered"),
    [
        ("10.0.0.0/8", "10.9.8.7", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("192.168.1.7", "192.168.1.7", True),
        ("fd00::/8", "fd12::1", True),
        ("10.0.0.0/8", "::ffff:10.9.8.7", True),
        ("fd00::/8", "10.0.0.1", False),
    ],
)
def test_an_exception_covers_a_network(entry: str, address: str, covered: bool) -> None:
    assert Allowlist.parse([entry]).covers(ip_address(address)) is covered
