"""Which stations are believed to be a console's own."""

from __future__ import annotations

import pytest

from nekonex.nex.nat_traversal.probing import ProbedStation, RecentProbes, probed_station
from nekonex.nex.secure import Stations
from nekonex.values import StationURL

OBSERVED = ("203.0.113.7", 61234)
LOCAL = "prudp:/address=192.168.0.10;port=50000;sid=15;natm=0;natf=0;type=2"
STAMPS = ";PID=1337;RVCID=42"


def probed(asked: str, *urls: str, observed: tuple[str, int] = OBSERVED) -> ProbedStation:
    stations = Stations([StationURL.parse(url) for url in urls or (LOCAL,)], observed, 1337, 42)
    return probed_station(StationURL.parse(asked), stations, observed)


def at(host: str, port: int = 50000) -> str:
    return f"prudp:/address={host};port={port}"


def public(host: str, port: int = 40000) -> str:
    return f"{at(host, port)};natm=1;natf=1;type=3"


@pytest.mark.parametrize(
    "asked",
    [
        at("203.0.113.7", 61234),
        at("203.0.113.7", 1),
        at("::ffff:203.0.113.7", 1),
        at("192.168.0.10"),
        at("192.168.0.10", 50001),
        "udp:/port=61234;address=203.0.113.7;Foo=bar",
    ],
)
def test_the_callers_own_are_passed_on(asked: str) -> None:
    assert probed(asked) == (StationURL.parse(asked + STAMPS), False)


@pytest.mark.parametrize(
    "asked",
    [
        at("198.51.100.1"),  # somebody else on the internet
        at("192.168.0.11"),  # somebody else in a local network
        at("10.0.0.1"),
        at("127.0.0.1"),
        at("0.0.0.0"),
        at("255.255.255.255"),
        at("224.0.0.1"),
        at("::1"),
        at("victim.example"),
        at("203.0.113.07"),
        at("203.0.113.7", 0),
        "prudp:/address=203.0.113.7",
        "prudp:/address=;port=1",
        "prudp:/port=1",
        "prudp:/",
        "",
    ],
)
def test_any_other_is_replaced_by_the_public_one(asked: str) -> None:
    station = probed(asked)
    assert station.replaced
    assert station.url.address == OBSERVED
    assert (station.url["PID"], station.url["RVCID"]) == (1337, 42)


def test_the_rest_of_the_url_is_kept() -> None:
    station = probed("udp:/address=198.51.100.1;port=5;Foo=bar;PID=1;RVCID=2;type=3")
    assert str(station.url) == (
        "udp:/address=203.0.113.7;port=61234;Foo=bar;PID=1337;RVCID=42;type=3"
    )


def test_registering_a_third_party_does_not_help() -> None:
    for urls in ((LOCAL, public("198.51.100.1")), (at("198.51.100.1"),)):
        station = probed(at("198.51.100.1", 40000), *urls)
        assert station.replaced
        assert station.url.address == OBSERVED
        assert probed(public("198.51.100.1"), *urls).url.address == OBSERVED


@pytest.mark.parametrize("local", ["127.0.0.1", "198.51.100.1", "224.0.0.1", "localhost"])
def test_only_what_is_in_a_local_network_is_local(local: str) -> None:
    assert probed(at(local), at(local)).replaced


@pytest.mark.parametrize(
    "local", ["10.1.2.3", "172.31.0.1", "192.168.255.1", "169.254.3.4", "100.64.0.1", "fd00::1"]
)
def test_local_networks(local: str) -> None:
    assert not probed(at(local), at(local)).replaced


def test_a_mapped_port_of_the_public_url() -> None:
    station = probed(at("198.51.100.1"), LOCAL, public("203.0.113.7", 40000))
    assert station.replaced
    assert station.url.address == ("203.0.113.7", 40000)


@pytest.mark.parametrize("observed", [("192.168.0.10", 50000), ("127.0.0.1", 5), ("::1", 5)])
def test_a_console_next_to_the_server_knows_its_public_address_better(
    observed: tuple[str, int],
) -> None:
    urls = (at("192.168.0.10"), public("198.51.100.1"))
    assert not probed(at("198.51.100.1", 7), *urls, observed=observed).replaced
    station = probed(at("198.51.100.2", 7), *urls, observed=observed)
    assert station.replaced
    assert station.url.address == ("198.51.100.1", 40000)


def test_a_url_that_grows_too_long() -> None:
    with pytest.raises(ValueError, match="1024"):
        probed(at("203.0.113.7") + ";Foo=" + "x" * 975)


def test_what_was_asked_is_left_alone() -> None:
    asked = StationURL.parse(at("198.51.100.1"))
    stations = Stations([StationURL.parse(LOCAL)], OBSERVED, 1337, 42)
    before = [str(url) for url in stations.urls]
    probed_station(asked, stations, OBSERVED)
    assert str(asked) == at("198.51.100.1")
    assert [str(url) for url in stations.urls] == before


class TestRecentProbes:
    def test_both_ways_for_a_time(self) -> None:
        recent = RecentProbes(10, 5)
        recent.remember(2, 1, 100)
        assert recent.has(1, 2, 109)
        assert recent.has(2, 1, 109)
        assert not recent.has(2, 1, 110)
        assert not recent.has(1, 3, 100)

    def test_the_time_starts_anew(self) -> None:
        recent = RecentProbes(10, 5)
        recent.remember(1, 2, 100)
        recent.remember(2, 1, 105)
        assert recent.has(1, 2, 114)
        assert len(recent) == 1

    def test_the_oldest_is_forgotten(self) -> None:
        recent = RecentProbes(10, 2)
        for one, other in ((1, 2), (3, 4), (2, 1), (5, 6)):
            recent.remember(one, other, 100)
        assert len(recent) == 2
        assert recent.has(1, 2, 100)
        assert not recent.has(3, 4, 100)
