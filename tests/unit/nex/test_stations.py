"""The station URLs of a console."""

from __future__ import annotations

import pytest

from nekonex.nex.secure import Stations, is_public_url
from nekonex.values import StationURL

OBSERVED = ("203.0.113.7", 61234)

LOCAL = "prudp:/address=192.168.0.10;port=50000;sid=15;natm=0;natf=0;type=2;Foo=bar"
PUBLIC = "prudp:/address=198.51.100.4;port=40000;natm=1;natf=2;type=3"


def stations(*urls: str) -> Stations:
    return Stations([StationURL.parse(url) for url in urls], OBSERVED, 1337, 42)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        (PUBLIC, True),
        ("prudp:/address=1.2.3.4;port=1;natm=1;natf=0;type=2", True),
        ("prudp:/address=1.2.3.4;port=1;natm=0;natf=1;type=3", True),
        ("prudp:/address=1.2.3.4;port=1;natm=0;natf=0;type=3", False),
        ("prudp:/address=1.2.3.4;port=1;type=2", False),
        ("prudp:/address=1.2.3.4;port=1;natm=1;natf=1;type=1", False),
        ("prudp:/address=1.2.3.4;port=1", False),
        ("", False),
    ],
)
def test_what_is_public(text: str, public: bool) -> None:
    assert is_public_url(StationURL.parse(text)) is public


def test_the_public_url_is_the_local_one_with_the_observed_address() -> None:
    found = stations(LOCAL)
    assert [str(url) for url in found.urls] == [
        LOCAL + ";PID=1337;RVCID=42",
        (
            "prudp:/address=203.0.113.7;port=61234;sid=15;natm=0;natf=0;type=3;Foo=bar"
            ";PID=1337;RVCID=42"
        ),
    ]


def test_the_two_are_different_objects() -> None:
    found = stations(LOCAL)
    found.public["natm"] = 2
    assert found.local[0]["natm"] == 0


def test_a_public_url_of_the_console_is_kept() -> None:
    found = stations(PUBLIC, LOCAL)
    assert found.public.address == ("198.51.100.4", 40000)
    assert [url.address[0] for url in found.local] == ["192.168.0.10"]


def test_pid_and_connection_id_of_the_console_are_not_believed() -> None:
    found = stations(LOCAL + ";PID=1;RVCID=1", PUBLIC + ";PID=2;RVCID=2")
    assert [(url["PID"], url["RVCID"]) for url in found.urls] == [(1337, 42), (1337, 42)]


def test_what_was_given_is_left_alone() -> None:
    url = StationURL.parse(LOCAL)
    Stations([url], OBSERVED, 1337, 42)
    assert str(url) == LOCAL


@pytest.mark.parametrize("urls", [(), (PUBLIC,), (PUBLIC, PUBLIC)])
def test_without_a_local_one_there_is_nothing(urls: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="local"):
        stations(*urls)


def test_a_url_that_grows_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="1024"):
        stations("prudp:/address=1.2.3.4;port=1;Foo=" + "x" * 980)


class TestUpdate:
    def test_it_keeps_the_public_one(self) -> None:
        found = stations(LOCAL)
        before = str(found.public)
        found.update(
            [
                StationURL.parse("prudp:/address=10.0.0.1;port=1;PID=9"),
                StationURL.parse(PUBLIC),
                StationURL.parse("prudp:/address=10.0.0.2;port=2"),
            ]
        )
        assert [url.address for url in found.local] == [("10.0.0.1", 1), ("10.0.0.2", 2)]
        assert [(url["PID"], url["RVCID"]) for url in found.local] == [(1337, 42), (1337, 42)]
        assert str(found.public) == before

    def test_without_a_local_one_it_changes_nothing(self) -> None:
        found = stations(LOCAL)
        before = [str(url) for url in found.urls]
        with pytest.raises(ValueError, match="local"):
            found.update([StationURL.parse(PUBLIC)])
        assert [str(url) for url in found.urls] == before


class TestReplace:
    NEW = "udp:/address=10.0.0.9;port=9;natm=1;PID=5;Extra=1"

    def test_the_url_of_that_address_and_port(self) -> None:
        found = stations(LOCAL)
        old = StationURL.parse("prudp:/port=50000;address=192.168.0.10")
        assert found.replace(old, StationURL.parse(self.NEW))
        assert str(found.local[0]) == (
            "udp:/address=10.0.0.9;port=9;natm=1;PID=1337;Extra=1;RVCID=42"
        )
        assert found.public.address == OBSERVED

    def test_the_public_one_too(self) -> None:
        found = stations(LOCAL)
        old = StationURL("prudp", address=OBSERVED[0], port=OBSERVED[1])
        assert found.replace(old, StationURL.parse(self.NEW))
        assert found.public.address == ("10.0.0.9", 9)
        assert found.local[0].address == ("192.168.0.10", 50000)

    @pytest.mark.parametrize("address", [("192.168.0.10", 50001), ("192.168.0.11", 50000)])
    def test_no_match_changes_nothing(self, address: tuple[str, int]) -> None:
        found = stations(LOCAL)
        before = [str(url) for url in found.urls]
        old = StationURL("prudp", address=address[0], port=address[1])
        assert not found.replace(old, StationURL.parse(self.NEW))
        assert [str(url) for url in found.urls] == before


class TestReportNat:
    def test_it_is_in_the_public_url_only(self) -> None:
        found = stations(LOCAL)
        local = str(found.local[0])
        found.report_nat(1, 2)
        assert str(found.local[0]) == local
        assert str(found.public) == (
            "prudp:/address=203.0.113.7;port=61234;sid=15;natm=1;natf=2;type=3;Foo=bar"
            ";PID=1337;RVCID=42"
        )

    def test_a_public_url_of_the_console(self) -> None:
        found = stations(LOCAL, PUBLIC)
        found.report_nat(0, 0)
        assert (found.public["natm"], found.public["natf"]) == (0, 0)
        assert found.public.address == ("198.51.100.4", 40000)

    def test_pid_and_connection_id_are_stamped_again(self) -> None:
        found = stations(LOCAL)
        found.public["PID"] = 1
        found.public["RVCID"] = 2
        found.report_nat(1, 1)
        assert (found.public["PID"], found.public["RVCID"]) == (1337, 42)

    def test_without_room_it_changes_nothing(self) -> None:
        found = stations(LOCAL, "prudp:/address=1.2.3.4;port=1;type=3;natm=1")
        found.public["Foo"] = "x" * (1024 - len(str(found.public)) - len(";Foo="))
        before = str(found.public)
        with pytest.raises(ValueError, match="1024"):
            found.report_nat(2, 1)
        assert str(found.public) == before


def test_stamping_leaves_the_original_alone() -> None:
    url = StationURL.parse("prudp:/address=10.0.0.9;port=9;PID=5")
    assert str(stations(LOCAL).stamped(url)) == "prudp:/address=10.0.0.9;port=9;PID=1337;RVCID=42"
    assert str(url) == "prudp:/address=10.0.0.9;port=9;PID=5"
