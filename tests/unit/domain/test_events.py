from __future__ import annotations

from dataclasses import dataclass

import pytest

from nekonex.events import Event, EventBus, PlayerLoggedIn, PlayerLoggedOut

IN = PlayerLoggedIn("game", 5, 1, ("127.0.0.1", 9))
OUT = PlayerLoggedOut("game", 5, 1, ("127.0.0.1", 9))


def test_subscribers_get_what_they_asked_for_in_order() -> None:
    bus = EventBus()
    seen: list[object] = []
    bus.subscribe(PlayerLoggedIn, lambda event: seen.append(("a", event.pid)))
    bus.subscribe(PlayerLoggedIn, lambda event: seen.append(("b", event.connection_id)))
    bus.subscribe(PlayerLoggedOut, seen.append)
    bus.publish(IN)
    assert seen == [("a", 5), ("b", 1)]


def test_a_base_type_stands_for_all_and_comes_last() -> None:
    bus = EventBus()
    seen: list[object] = []
    bus.subscribe(Event, seen.append)
    bus.subscribe(PlayerLoggedIn, lambda _: seen.append("exact"))
    bus.publish(IN)
    bus.publish(OUT)
    assert seen == ["exact", IN, OUT]


def test_a_failing_subscriber_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus()
    seen: list[Event] = []

    def fail(_: Event) -> None:
        raise RuntimeError("subscriber's own fault")

    bus.subscribe(Event, fail)
    bus.subscribe(Event, seen.append)
    bus.publish(IN)
    assert seen == [IN]
    assert "subscriber's own fault" in caplog.text


def test_a_subscription_ends_once_and_alone() -> None:
    bus = EventBus()
    seen: list[Event] = []
    first = bus.subscribe(Event, seen.append)
    bus.subscribe(Event, seen.append)
    bus.publish(IN)
    first()
    first()
    bus.publish(IN)
    assert len(seen) == 3


def test_subscribing_and_ending_while_events_are_published() -> None:
    bus = EventBus()
    seen: list[str] = []

    def once(_: Event) -> None:
        seen.append("once")
        end()
        bus.subscribe(Event, lambda _: seen.append("later"))

    end = bus.subscribe(Event, once)
    bus.publish(IN)
    assert seen == ["once"]
    bus.publish(IN)
    assert seen == ["once", "later"]


def test_events_of_ones_own() -> None:
    @dataclass(frozen=True, slots=True)
    class Opened(Event):
        room: int

    bus = EventBus()
    rooms: list[int] = []
    bus.subscribe(Opened, lambda event: rooms.append(event.room))
    bus.publish(Opened(7))
    bus.publish(IN)
    assert rooms == [7]


def test_a_coroutine_function_cannot_subscribe() -> None:
    async def never_awaited(_: Event) -> None: ...

    with pytest.raises(TypeError, match="plain function"):
        EventBus().subscribe(Event, never_awaited)
