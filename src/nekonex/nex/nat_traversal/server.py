"""The NAT traversal server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from nekonex.domain import GUEST_PID
from nekonex.domain.matchmaking.relations.unreachable import UnreachablePairs
from nekonex.nex.nat_traversal.definition import NATTraversal, RelaySignatureKey
from nekonex.nex.nat_traversal.probing import RecentProbes, probed_station
from nekonex.nex.nat_traversal.stats import IgnoredReport, NATLimits, NATStats, SkippedProbe
from nekonex.nex.secure import ConnectedPlayer, SecureConnectionServer
from nekonex.prudp.gate import RateLimiter
from nekonex.rmc import RMCConnectionClosed, Session
from nekonex.settings import Settings, SettingsSource
from nekonex.values import DateTime, RMCError, ServiceUnavailable, StationURL
from nekonex.wire import SInt32, UInt32

__all__ = ["NATTraversalServer", "Neighbours"]

_logger = logging.getLogger(__name__)

_MAX_PROPERTY: Final = 2
"""Mapping and filtering are 0 (unknown), 1 (independent) or 2 (dependent on the endpoint)."""


class Neighbours(Protocol):
    """What knows who plays with whom; the matchmaking service does."""

    async def share_gathering(self, pid: int, other: int) -> bool:
        """Tell whether two players take part in the same gathering."""


class NATTraversalServer(NATTraversal):
    """Has consoles probe each other, and uses what they report about it.

    ``secure`` knows who is connected and where. With ``neighbours`` a console can have only
    those probe it who share a gathering with it, and is believed only about those; without, all
    who are connected. Failures are put into ``unreachable``, and successes take them out again.

    A result may come in when the two have parted already: a console that reached nobody leaves
    the gathering. So a report is believed, too, if not long before it one of the two was asked
    to probe the other, which takes a shared gathering.

    ``clock`` is the time of the day in seconds since 1970, ``monotonic`` any clock that only
    goes forward.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        secure: SecureConnectionServer,
        neighbours: Neighbours | None = None,
        unreachable: UnreachablePairs | None = None,
        limits: NATLimits | None = None,
        stats: NATStats | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        Settings.from_mapping(settings).transport()
        self.secure = secure
        self.stats = NATStats() if stats is None else stats
        self._neighbours = neighbours
        self._unreachable = unreachable
        self._limits = limits or NATLimits()
        self._clock = clock
        self._monotonic = monotonic
        self._rate = RateLimiter(
            self._limits.probe_requests_per_second, self._limits.tracked_callers
        )
        self._recent = RecentProbes(self._limits.believe_seconds, self._limits.tracked_probes)

    # -- probes ------------------------------------------------------------------

    async def request_probe_initiation(
        self, client: Session, target_urls: list[StationURL]
    ) -> None:
        """Ask other consoles to probe the caller's public URL.

        No server of the field has this method: this is what its name says.
        """
        await self._request_probes(client, target_urls, None)

    async def request_probe_initiation_ext(
        self, client: Session, target_urls: list[StationURL], station_to_probe: StationURL
    ) -> None:
        """Ask other consoles to probe a station of the caller.

        Raises RMCError("Core::InvalidArgument") for too many targets, and for a station that is
        too long. Targets that cannot be asked, or must not, are skipped without a word.
        """
        await self._request_probes(client, target_urls, station_to_probe)

    async def _request_probes(
        self, client: Session, targets: list[StationURL], asked: StationURL | None
    ) -> None:
        if len(targets) > self._limits.max_targets:
            raise RMCError("Core::InvalidArgument")
        caller = self.secure.player_of(client)
        if caller is None:
            self.stats.skip(SkippedProbe.UNREGISTERED, len(targets))
            return
        if not self._rate.allow(str(client.id), self._monotonic()):
            self.stats.skip(SkippedProbe.RATE, len(targets))
            return
        station = self._station(caller, asked)
        # A console's local and public URL may both be there: it is asked once.
        connections = dict.fromkeys(url["RVCID"] for url in targets)
        self.stats.skip(SkippedProbe.REPEATED, len(targets) - len(connections))
        for connection in connections:
            skipped = await self._probe(caller, connection, station)
            if skipped is None:
                self.stats.probes += 1
            else:
                self.stats.skip(skipped)

    def _station(self, caller: ConnectedPlayer, asked: StationURL | None) -> StationURL:
        """Return the caller's station to probe; see `probed_station` for what is believed."""
        stations = caller.stations
        try:
            station = probed_station(
                stations.public if asked is None else asked, stations, caller.address
            )
        except ValueError:
            raise RMCError("Core::InvalidArgument") from None
        if station.replaced:
            self.stats.replaced_stations += 1
            _logger.debug(
                "connection %d: %s is to be probed instead of %s",
                caller.connection_id,
                station.url,
                asked,
            )
        return station.url

    async def _probe(
        self, caller: ConnectedPlayer, connection: int, station: StationURL
    ) -> SkippedProbe | None:
        """Ask the console on a connection to probe a station; return why that was not done."""
        target = self.secure.player(connection)
        if target is None:
            return SkippedProbe.UNKNOWN
        if target is caller:
            return SkippedProbe.OWN
        if self._neighbours is not None:
            # A principal id that several guests have says nothing about one of them.
            if caller.pid == target.pid or not await self._neighbours.share_gathering(
                caller.pid, target.pid
            ):
                return SkippedProbe.STRANGER
            self._recent.remember(caller.connection_id, connection, self._monotonic())
        codec = NATTraversal.codecs(target.session.context)[2]
        body = codec.encode_arguments((station,))
        try:
            # Queued, not awaited: a target that is slow or dead delays nobody.
            target.session.post(NATTraversal.PROTOCOL_ID, codec.method_id, body)
        except RMCConnectionClosed:
            return SkippedProbe.GONE
        return None

    # -- reports -----------------------------------------------------------------

    async def report_nat_properties(
        self, client: Session, natm: UInt32, natf: UInt32, rtt: UInt32
    ) -> None:
        """Put what a console's router does into its public URL, which is what others go by.

        Success also for values that mean nothing and for who is not registered; they change
        nothing.
        """
        player = self.secure.player_of(client)
        if player is None or natm > _MAX_PROPERTY or natf > _MAX_PROPERTY:
            self.stats.bad_properties += 1
            return
        try:
            player.stations.report_nat(natm, natf)
        except ValueError:
            self.stats.bad_properties += 1
            return
        self.stats.properties += 1
        _logger.debug(
            "connection %d: NAT mapping %d, filtering %d, %d ms", client.id, natm, natf, rtt
        )
        await self.secure.on_change(player)

    async def report_nat_traversal_result(
        self, client: Session, cid: UInt32, result: bool, rtt: int = 0
    ) -> None:
        """Take note of whether a console reached another one."""
        await self._take_result(client, cid, None, rtt, reached=result)

    async def report_nat_traversal_result_detail(
        self, client: Session, cid: UInt32, result: bool, detail: SInt32, rtt: int = 0
    ) -> None:
        """Take note of whether a console reached another one, and why not."""
        await self._take_result(client, cid, detail, rtt, reached=result)

    async def _take_result(
        self, client: Session, cid: int, detail: int | None, rtt: int, *, reached: bool
    ) -> None:
        """Use a result, if it is believed. ``cid`` is the connection id of the other console.

        No source says whose connection id it is; reports about the own one change nothing.
        """
        caller = self.secure.player_of(client)
        if caller is None:
            self.stats.ignored[IgnoredReport.UNREGISTERED] += 1
            return
        other = self.secure.player(cid)
        if other is None:
            self.stats.ignored[IgnoredReport.UNKNOWN] += 1
            return
        distrust = await self._distrust(caller, other)
        if distrust is not None:
            self.stats.ignored[distrust] += 1
            return
        _logger.debug(
            "connection %d: PID %d %s PID %d, detail %s, %d ms",
            client.id,
            caller.pid,
            "reached" if reached else "could not reach",
            other.pid,
            detail,
            rtt,
        )
        if reached:
            self.stats.successes += 1
        else:
            self.stats.failures += 1
        if detail is not None:
            self.stats.count_detail(detail, self._limits.max_detail_codes)
        if self._unreachable is None:
            return
        if reached:
            self._unreachable.succeeded(caller.pid, other.pid)
        else:
            self._unreachable.failed(caller.pid, other.pid)

    async def _distrust(
        self, caller: ConnectedPlayer, other: ConnectedPlayer
    ) -> IgnoredReport | None:
        """Return why a console is not believed about another one."""
        if caller.pid == other.pid or GUEST_PID in {caller.pid, other.pid}:
            return IgnoredReport.SAME_PLAYER
        if self._neighbours is None or self._recent.has(
            caller.connection_id, other.connection_id, self._monotonic()
        ):
            return None
        try:
            if await self._neighbours.share_gathering(caller.pid, other.pid):
                return None
        except ServiceUnavailable:
            # Nothing that the console could do about it: it is told that all is well.
            return IgnoredReport.UNAVAILABLE
        return IgnoredReport.STRANGER

    # -- relay -------------------------------------------------------------------

    async def get_relay_signature_key(
        self,
        client: Session,
    ) -> RelaySignatureKey:
        """Say that there is no relay, as nex-protocols-common-go does."""
        return RelaySignatureKey(
            mode=0,
            time=DateTime.from_timestamp(self._clock()),
            address="",
            port=0,
            address_type=0,
            game_server_id=0,
        )
