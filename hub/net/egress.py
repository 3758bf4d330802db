"""Where the hub may connect to: public unicast addresses, and the private networks an operator allows.

Pure decisions about addresses and URL texts. The connector asks for every address it is about to connect to, so what a
name resolves to now, or resolves to the next time, makes no difference.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from hub.ocpi.urls import printable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Own tables (from the IANA special-purpose registries), so that the answer is the same on every release of Python.
# Multicast is no place to connect to; relayed and translated ranges that nobody needs are left out as well.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared between a carrier and its customers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, with the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Everything outside it is loopback, unique local, link-local, multicast, mapped, translated or reserved.
_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address behind whichever relay is near
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: on networks without IPv4 every IPv4 host looks like this
_LOOPBACK = IPv4Address("127.0.0.1")


class EgressGuard:
    """Decides by address alone. `allowed` are the networks that are fine although they are not public."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        networks = tuple(allowed)
        self._allowed_4 = tuple(network for network in networks if isinstance(network, IPv4Network))
        self._allowed_6 = tuple(network for network in networks if isinstance(network, IPv6Network))

    def permits(self, address: str | Address) -> bool:
        """Whether a socket may be connected to this address; text that is no address is not permitted."""
        parsed = _parsed(address) if isinstance(address, str) else address
        if isinstance(parsed, IPv4Address):
            return self._permits_4(parsed)
        return parsed is not None and self._permits_6(parsed)

    def permits_host(self, host: str) -> bool:
        """What can be said of a URL's host before it is resolved: False for a literal address (in any notation that
        resolvers understand) or a name of this machine that may not be connected to. Other names pass.
        """
        bare = host.strip("[]").rstrip(".").lower()
        if bare == "localhost" or bare.endswith(".localhost"):
            return self._permits_4(_LOOPBACK)
        # Names end in letters. 127.1, 2130706433 and 0x7f000001 are addresses to a resolver, whatever their spelling.
        last = bare.rpartition(".")[2]
        if ":" in bare or last.isdigit() or last.startswith("0x"):
            return self.permits(bare)
        return True

    def _permits_4(self, address: IPv4Address) -> bool:
        if any(address in network for network in self._allowed_4):
            return True
        return not any(address in network for network in _NOT_PUBLIC_4)

    def _permits_6(self, address: IPv6Address) -> bool:
        if any(address in network for network in self._allowed_6):
            return True
        if address in _MAPPED or address in _TRANSLATED:
            return self._permits_4(IPv4Address(int(address) & 0xFFFFFFFF))
        return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def url_problem(url: str, allow_http: bool, guard: EgressGuard | None = None) -> str | None:
    """What is wrong with a URL that a platform gave, as a clause to end a sentence with; None if it may be used.

    Static: names are not resolved; one that leads to a private address is stopped when it is connected to. Literal
    addresses are judged only with a `guard`.
    """
    if not printable(url):
        return "it contains characters that have to be percent-encoded"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it cannot be read as a URL"
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return "it has to be an absolute URL that starts with https://"
    if parts.scheme == "http" and not allow_http:
        return "it has to use https"
    if "@" in parts.netloc:
        return "it must not contain a user name or password"
    if port == 0:
        return "it has port 0, on which nobody can listen"
    if guard is not None and not guard.permits_host(parts.hostname):
        return "its address is not public and not in an allowed network"
    return None


def _parsed(text: str) -> Address | None:
    """The address without its scope: the zone says which link, never how far an address reaches."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
