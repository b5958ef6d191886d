"""The station URLs of one console: which are local, which is public, and who stamps them.

The rules are those of nex-protocols-common-go and the nintendo-wiki, except that the local and
the public URL are never the same object: then the local address would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from nekonex.values import StationURL

__all__ = ["Stations", "is_public_url"]

_PUBLIC_BEHIND_NAT = 3


def is_public_url(url: StationURL) -> bool:
    """Tell whether a console means an address on the internet.

    It is public only if it says so and knows what its router does; a URL without NAT properties
    is local, whatever its type.
    """
    return url.is_public and bool(url["natm"] or url["natf"])


class Stations:
    """The station URLs of a registered console, each stamped with PID and connection id.

    What a console says about these two is never believed.
    """

    __slots__ = ("_connection_id", "_pid", "local", "public")

    def __init__(
        self, urls: Sequence[StationURL], observed: tuple[str, int], pid: int, connection_id: int
    ) -> None:
        """Sort out what a console registered with.

        ``observed`` is where its datagrams come from. Raises ValueError if none of the URLs is
        local, or one would get too long.
        """
        self._pid = pid
        self._connection_id = connection_id
        local = next((url for url in urls if not is_public_url(url)), None)
        if local is None:
            raise ValueError("none of the station URLs is local")
        public = next((url for url in urls if is_public_url(url)), None)
        self.local = [self.stamped(local)]
        """The console's addresses on its own network."""
        self.public = self.stamped(_observed(local, observed) if public is None else public)
        """The console's address on the internet."""

    @property
    def urls(self) -> list[StationURL]:
        """All URLs, the local ones first."""
        return [*self.local, self.public]

    def update(self, urls: Sequence[StationURL]) -> None:
        """Replace the local URLs; the public one stays.

        Raises ValueError, and changes nothing, if none of the new ones is local.
        """
        local = [self.stamped(url) for url in urls if not is_public_url(url)]
        if not local:
            raise ValueError("none of the station URLs is local")
        self.local = local

    def replace(self, url: StationURL, new: StationURL) -> bool:
        """Put ``new`` in place of the URL with the address and port of ``url``.

        False, and nothing changes, if there is none. Raises ValueError for one that is too long.
        """
        wanted = url.address
        for index, known in enumerate(self.local):
            if known.address == wanted:
                self.local[index] = self.stamped(new)
                return True
        if self.public.address == wanted:
            self.public = self.stamped(new)
            return True
        return False

    def report_nat(self, natm: int, natf: int) -> None:
        """Write into the public URL what the console's router does: each 0 to 2.

        Peers go by that URL. Raises ValueError, and changes nothing, if it gets too long.
        """
        public = self.stamped(self.public)
        public["natm"] = natm
        public["natf"] = natf
        self.public = public

    def stamped(self, url: StationURL) -> StationURL:
        """Return a copy of a URL as one of this console's.

        Raises ValueError for one that gets too long.
        """
        copy = url.copy()
        copy["PID"] = self._pid
        copy["RVCID"] = self._connection_id
        return copy


def _observed(local: StationURL, address: tuple[str, int]) -> StationURL:
    public = local.copy()
    public["address"], public["port"] = address
    public["natf"] = 0
    public["natm"] = 0
    public["type"] = _PUBLIC_BEHIND_NAT
    return public
