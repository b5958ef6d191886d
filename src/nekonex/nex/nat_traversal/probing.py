"""Which station others are asked to probe, and who was asked lately.

A probe is a packet that one console has another one send somewhere. So that nobody can have
packets sent to a third party, a station is believed only if its address is the caller's own.
What proves that is where its packets come from; what a console registered with proves nothing.
These rules are a choice: other servers pass on every station as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

from nekonex.nex.secure import Stations
from nekonex.prudp.gate import is_loopback
from nekonex.values import StationURL

__all__ = ["ProbedStation", "RecentProbes", "probed_station"]

_LOCAL_NETWORKS: Final = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Addresses that mean something else in every network (RFC 1918, 3927, 4193, 4291, 6598)."""


class ProbedStation(NamedTuple):
    """The station that others are asked to probe."""

    url: StationURL
    replaced: bool
    """Whether the address that was asked for is not believed, and another one stands there."""


def probed_station(
    asked: StationURL, stations: Stations, observed: tuple[str, int]
) -> ProbedStation:
    """Return a console's station as others may be asked to probe it, stamped as its own.

    ``observed`` is where the console's packets come from. These addresses are believed:

    - the observed host, with any port: routers give each destination another one;
    - a host of its registered local URLs, if it is in a local network, where it is nobody's on
      the internet: two consoles behind the same router find each other so;
    - where the server sees the console itself in a local network and so cannot know its public
      address, the host of its registered public URL.

    Any other one is replaced by that of its public URL, or, if that is not believed either, by
    the observed one: that is the best that a console can be given then, and better than none.
    Raises ValueError if the URL gets too long by the stamps.
    """
    url = stations.stamped(asked)
    if _is_believed(url, stations, observed):
        return ProbedStation(url, replaced=False)
    public = stations.public
    believed = _is_believed(public, stations, observed)
    url["address"], url["port"] = public.address if believed else observed
    return ProbedStation(url, replaced=True)


def _is_believed(url: StationURL, stations: Stations, observed: tuple[str, int]) -> bool:
    host, port = url.address
    if not port:
        return False
    if _same_host(host, observed[0]):
        return True
    if _is_local(host):
        return any(_same_host(host, local.address[0]) for local in stations.local)
    if _is_local(observed[0]) or is_loopback(observed[0]):
        return _same_host(host, stations.public.address[0])
    return False


def _same_host(one: str, other: str) -> bool:
    parsed = _parse(one)
    return parsed is not None and parsed == _parse(other)


def _is_local(host: str) -> bool:
    address = _parse(host)
    return address is not None and any(address in network for network in _LOCAL_NETWORKS)


def _parse(host: str) -> IPv4Address | IPv6Address | None:
    """Return a numeric address, as IPv4 if it is that inside IPv6; None for any other text."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class RecentProbes:
    """Which consoles were asked to probe each other not long ago, by connection ids."""

    def __init__(self, seconds: float, limit: int) -> None:
        """Remember up to ``limit`` pairs for some seconds; the oldest is forgotten first."""
        self._seconds = seconds
        self._limit = limit
        self._until: OrderedDict[tuple[int, int], float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many pairs are remembered."""
        return len(self._until)

    def remember(self, one: int, other: int, now: float) -> None:
        """Take note of a probe; the time starts anew."""
        pair = (min(one, other), max(one, other))
        self._until.pop(pair, None)
        self._until[pair] = now + self._seconds
        if len(self._until) > self._limit:
            self._until.popitem(last=False)

    def has(self, one: int, other: int, now: float) -> bool:
        """Tell whether one of the two was asked to probe the other not long ago."""
        until = self._until.get((min(one, other), max(one, other)))
        return until is not None and now < until
