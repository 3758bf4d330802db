"""Which addresses the hub may connect to, and what is wrong with a URL that a platform gives."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.net.egress import EgressGuard, url_problem

PUBLIC_ONLY = EgressGuard()

NOT_PUBLIC = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "::/96",  # IPv4-compatible, long deprecated
    "64:ff9b:1::/48",  # translation inside a network
    "100::/64",  # discard
    "2001::/32",  # Teredo
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",  # 6to4
    "3fff::/20",
    "4000::/3",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "::ffff:10.0.0.0/104",
    "::ffff:127.0.0.0/104",
    "64:ff9b::10.0.0.0/104",
    "64:ff9b::169.254.0.0/112",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "2003::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]


def addresses_in(network: IPv4Network | IPv6Network) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    return st.ip_addresses(network=network)


@given(st.sampled_from(NOT_PUBLIC).map(ip_network).flatmap(addresses_in))
def test_no_address_of_a_special_range_is_permitted(address: IPv4Address | IPv6Address) -> None:
    assert not PUBLIC_ONLY.permits(address)
    assert not PUBLIC_ONLY.permits(str(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert PUBLIC_ONLY.permits(address)


@given(st.ip_addresses())
def test_what_is_permitted_is_global_unicast_to_the_standard_library_too(address: IPv4Address | IPv6Address) -> None:
    inside = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    judged = inside or address
    if PUBLIC_ONLY.permits(address) and judged not in ip_network("64:ff9b::/96"):
        assert not judged.is_private  # loopback, link-local and unspecified are private, too
        assert not judged.is_multicast
        assert not judged.is_reserved


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_ipv4_address_into_ipv6_is_judged_alike(address: IPv4Address) -> None:
    mapped = IPv6Address(0xFFFF_0000_0000 | int(address))
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))
    in_6to4 = IPv6Address((0x2002 << 112) | (int(address) << 80) | 1)

    assert PUBLIC_ONLY.permits(mapped) == PUBLIC_ONLY.permits(address)
    assert PUBLIC_ONLY.permits(translated) == PUBLIC_ONLY.permits(address)
    assert not PUBLIC_ONLY.permits(in_6to4)


networks = st.one_of(
    st.builds(lambda a, n: IPv4Network((a, n), strict=False), st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(lambda a, n: IPv6Network((a, n), strict=False), st.ip_addresses(v=6), st.integers(0, 128)),
)


@given(networks.flatmap(lambda network: st.tuples(st.just(network), addresses_in(network))))
def test_everything_in_an_allowed_network_is_permitted(
    case: tuple[IPv4Network | IPv6Network, IPv4Address | IPv6Address],
) -> None:
    network, address = case
    assert EgressGuard([network]).permits(address)


@given(networks, st.ip_addresses())
def test_an_allowed_network_opens_nothing_but_itself(
    network: IPv4Network | IPv6Network, address: IPv4Address | IPv6Address
) -> None:
    guard = EgressGuard([network])
    inside = {address}
    if isinstance(address, IPv6Address):
        inside.add(IPv4Address(int(address) & 0xFFFF_FFFF))  # mapped or translated
    if not any(each.version == network.version and each in network for each in inside):
        assert guard.permits(address) == PUBLIC_ONLY.permits(address)


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%1", "::1%lo", "2001:db8::1%25eth0"])
def test_a_scope_does_not_hide_an_address(address: str) -> None:
    assert not PUBLIC_ONLY.permits(address)
    assert EgressGuard([ip_network("::/0")]).permits(address)


@given(st.text(alphabet=st.characters(exclude_characters=":")))
def test_text_that_is_no_address_is_not_permitted(text: str) -> None:
    try:
        expected = PUBLIC_ONLY.permits(IPv4Address(text.partition("%")[0]))
    except ValueError:
        expected = False
    assert PUBLIC_ONLY.permits(text) is expected


@pytest.mark.parametrize(
    ("host", "permitted"),
    [
        ("platform.example.com", True),
        ("platform.example.com.", True),
        ("intranet", True),  # names are judged by what they resolve to
        ("0xcafe.example", True),
        ("localhost", False),
        ("LOCALHOST.", False),
        ("cpo.localhost", False),
        ("127.0.0.1", False),
        ("127.1", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("0x7f.0.0.1", False),
        ("0177.0.0.1", False),
        ("10.0.0.256", False),
        ("[::1]", False),
        ("::ffff:7f00:1", False),
        ("fe80::1%25eth0", False),
        ("8.8.8.8", True),
        ("[2606:4700::1111]", True),
    ],
)
def test_hosts_are_judged_before_they_are_resolved(host: str, permitted: bool) -> None:
    assert PUBLIC_ONLY.permits_host(host) is permitted


def test_the_own_machine_by_name_follows_its_address() -> None:
    assert EgressGuard([ip_network("127.0.0.0/8")]).permits_host("localhost")


@pytest.mark.parametrize(
    "url",
    [
        "https://platform.example.com/ocpi/versions",
        "https://platform.example.com:8443/ocpi/versions?a=%2F",
        "HTTPS://8.8.8.8/",
        "https://[2606:4700::1111]:443/",
    ],
)
def test_urls_that_may_be_used(url: str) -> None:
    assert url_problem(url, False, PUBLIC_ONLY) is None


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://platform.example.com/", "it has to use https"),
        ("ftp://platform.example.com/", "it has to be an absolute URL that starts with https://"),
        ("/ocpi/versions", "it has to be an absolute URL that starts with https://"),
        ("https:///versions", "it has to be an absolute URL that starts with https://"),
        ("", "it has to be an absolute URL that starts with https://"),
        ("https://user:secret@platform.example.com/", "it must not contain a user name or password"),
        ("https://@platform.example.com/", "it must not contain a user name or password"),
        ("https://platform.example.com:0/", "it has port 0, on which nobody can listen"),
        ("https://platform.example.com:99999/", "it cannot be read as a URL"),
        ("https://[::1/", "it cannot be read as a URL"),
        ("https://plätform.example.com/", "it contains characters that have to be percent-encoded"),
        ("https://platform.example.com/a b", "it contains characters that have to be percent-encoded"),
        ("https://platform.example.com/\r\nX: y", "it contains characters that have to be percent-encoded"),
        ("https://127.0.0.1/", "its address is not public and not in an allowed network"),
        ("https://[::ffff:10.0.0.1]/", "its address is not public and not in an allowed network"),
        ("https://2130706433/", "its address is not public and not in an allowed network"),
        ("https://localhost/", "its address is not public and not in an allowed network"),
    ],
)
def test_urls_that_may_not_be_used_and_why(url: str, wrong: str) -> None:
    assert url_problem(url, False, PUBLIC_ONLY) == wrong


def test_http_and_private_addresses_where_they_are_allowed() -> None:
    guard = EgressGuard([ip_network("10.0.0.0/8")])

    assert url_problem("http://10.1.2.3:8080/ocpi", True, guard) is None
    assert url_problem("http://192.168.1.1/ocpi", True, guard) is not None
    assert url_problem("http://192.168.1.1/ocpi", True) is None  # without a guard the connection decides


@given(st.text(), st.booleans())
def test_every_text_gets_an_answer(text: str, allow_http: bool) -> None:
    problem = url_problem(f"https://{text}", allow_http, PUBLIC_ONLY)
    assert problem is None or problem.startswith("it")
