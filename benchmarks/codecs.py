"""Encode and decode structures with nekonex and with NintendoClients, side by side.

    python -m benchmarks.codecs [--json] [--seconds N]

Both libraries work on the same values, and their bytes are compared first. Rounds of the
two alternate, and the best round of each counts, so that whatever else the machine does
disturbs both alike. NEX 3.5.4 with structure headers, 4-byte PIDs.
"""

# ruff: noqa: A005

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from nintendo.nex import common, matchmaking, ranking, settings, streams

from nekonex.nex import structures
from nekonex.values import DateTime
from nekonex.wire import Structure, WireContext

ROWS = 100


@dataclass(frozen=True, slots=True)
class Measurement:
    """One operation: microseconds with each library, and their ratio."""

    structure: str
    operation: str
    size: int
    nekonex_us: float
    nintendoclients_us: float

    @property
    def ratio(self) -> float:
        return self.nintendoclients_us / self.nekonex_us


def session() -> structures.MatchmakeSession:
    """Build a session as a console creates it."""
    return structures.MatchmakeSession(
        id=4711,
        owner=1_700_000_001,
        host=1_700_000_001,
        min_participants=2,
        max_participants=12,
        participation_policy=95,
        flags=0x200,
        description="a room",
        game_mode=3,
        attribs=[1, 20, 300, 4000, 50000, 600000],
        matchmake_system=1,
        application_data=bytes(range(64)),
        num_participants=5,
        session_key=bytes(32),
    )


def ranking_result() -> structures.RankingResult:
    """Build one page of a ranking."""
    rows = [
        structures.RankingRankData(
            pid=1_700_000_000 + index,
            unique_id=index << 40,
            rank=index + 1,
            category=7,
            score=100_000 - index,
            groups=[index % 256, 3],
            param=index,
            common_data=bytes(20),
        )
        for index in range(ROWS)
    ]
    return structures.RankingResult(rows, 5000, DateTime.make(2024, 5, 6))


def nintendo_twin(value: Any) -> Any:
    """Copy a structure into the NintendoClients class of the same name."""
    if isinstance(value, DateTime):
        return common.DateTime(value.value)
    if isinstance(value, list):
        return [nintendo_twin(item) for item in value]
    if not isinstance(value, Structure):
        return value
    name = type(value).__name__
    twin = getattr(matchmaking, name, None) or getattr(ranking, name)
    made = twin()
    for field in value.wire_names:
        setattr(made, field, nintendo_twin(getattr(value, field)))
    return made


def best(function: Callable[[], Any], number: int) -> float:
    """Return the seconds that one call takes, averaged over `number` of them."""
    start = time.perf_counter()
    for _ in range(number):
        function()
    return (time.perf_counter() - start) / number


def compare(
    ours: Callable[[], Any], theirs: Callable[[], Any], seconds: float
) -> tuple[float, float]:
    """Return the best times of both in microseconds, in alternating rounds."""
    number = max(1, int(0.02 / best(theirs, 3)))
    results: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not results[0]:
        results[0].append(best(ours, number))
        results[1].append(best(theirs, number))
    return min(results[0]) * 1e6, min(results[1]) * 1e6


def measure(value: Any, seconds: float) -> list[Measurement]:
    """Measure one structure in both directions."""
    codec = WireContext("3.5.4").codec(type(value))
    options = settings.default()
    options["nex.version"] = 30504
    options["nex.struct_header"] = 1
    twin = nintendo_twin(value)
    data = codec.encode(value)

    def encode_theirs() -> bytes:
        stream = streams.StreamOut(options)
        stream.add(twin)
        result: bytes = stream.get()
        return result

    def decode_theirs() -> Any:
        return streams.StreamIn(data, options).extract(type(twin))

    if encode_theirs() != data or codec.decode(data) != value:
        raise AssertionError(f"the libraries disagree about {type(value).__name__}")
    name = type(value).__name__
    measured = [
        ("encode", compare(lambda: codec.encode(value), encode_theirs, seconds)),
        ("decode", compare(lambda: codec.decode(data), decode_theirs, seconds)),
    ]
    return [Measurement(name, operation, len(data), *times) for operation, times in measured]


def main(arguments: list[str] | None = None) -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.codecs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each operation")
    options = parser.parse_args(arguments)
    found = [
        measurement
        for value in (session(), ranking_result())
        for measurement in measure(value, options.seconds)
    ]
    peer = f"NintendoClients {version('nintendoclients')}"
    if options.json:
        rows = [{**asdict(row), "ratio": round(row.ratio, 2)} for row in found]
        print(json.dumps({"benchmark": "codecs", "peer": peer, "results": rows}))
        return
    print(f"{'structure':<18}{'operation':<11}{'bytes':>6}{'nekonex':>12}{peer:>24}{'ratio':>9}")
    for row in found:
        print(
            f"{row.structure:<18}{row.operation:<11}{row.size:>6}"
            f"{row.nekonex_us:>9.2f} us{row.nintendoclients_us:>21.2f} us{row.ratio:>8.1f}x"
        )


if __name__ == "__main__":
    main()
