"""Addresses of those who ask: compared in one form, since IPv4 comes in the clothes of IPv6 where a socket listens on both."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from tradeloop.core.errors import BadInput

Address = IPv4Address | IPv6Address
NETWORKS_MAX: Final = 32
_SHOWN_MAX: Final = 60
_ONE_LINE: Final = 64
"""Bits of IPv6 that one customer gets whole (RFC 6177): who has one address there has all of them."""


def address_of(text: str) -> Address | None:
    """The address that is written there; None where it is none."""
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def is_loopback(text: str) -> bool:
    """Whether whoever asks is on this machine."""
    found = address_of(text)
    return found is not None and found.is_loopback


def neighbourhood(text: str) -> str:
    """Those who are held responsible together: one address of IPv4, 64 bits of IPv6. Empty where it is none, or this machine:
    there everybody has the same, also behind a proxy, and one would shut out all.
    """
    found = address_of(text)
    if found is None or found.is_loopback:
        return ""
    return str(found) if isinstance(found, IPv4Address) else str(ip_network((found, _ONE_LINE), strict=False))


def networks(written: Iterable[str]) -> tuple[str, ...]:
    """Networks as CIDR, each in its one form. Raises BadInput."""
    found: dict[str, None] = {}
    for text in written:
        try:
            found[str(_network(text))] = None
        except ValueError:
            raise BadInput(
                f"the network was {text[:_SHOWN_MAX]!r}; expected an address or a network such as 192.0.2.0/24 or 2001:db8::/32"
            ) from None
    if len(found) > NETWORKS_MAX:
        raise BadInput(f"{len(found)} networks were given; expected at most {NETWORKS_MAX}")
    return tuple(found)


def is_within(text: str, allowed: Iterable[str]) -> bool:
    """Whether an address lies in one of these networks."""
    found = address_of(text)
    return found is not None and any(found in ip_network(each) for each in allowed)


def _network(text: str) -> IPv4Network | IPv6Network:
    found = ip_network(text.strip())
    if isinstance(found, IPv6Network) and (mapped := found.network_address.ipv4_mapped) is not None and found.prefixlen >= 96:
        return ip_network((mapped, found.prefixlen - 96))
    return found
