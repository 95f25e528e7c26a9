"""Addresses on the network, as far as their text tells."""

from __future__ import annotations

import ipaddress
from typing import Union


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address, without brackets) is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address: Union[ipaddress.IPv4Address, ipaddress.IPv6Address] = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback
