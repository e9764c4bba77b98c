"""Tell this machine's own addresses from others."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether an address is this machine's own, reachable only from here."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
