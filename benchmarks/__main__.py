"""Every figure of ``docs/performance.md``, side by side in one run. Nothing is asserted."""

import argparse
import asyncio

from benchmarks import (
    codecs,
    consoles,
    datastore,
    echo,
    logins,
    matchmaking,
    memory,
    nekoconnect,
    ranking,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and consoles")
    parser.add_argument("--nexgo", help="path of the nex-go echo server, to measure it too")
    options = parser.parse_args()
    quick: bool = options.quick
    codecs.main([])
    print()
    asyncio.run(echo.compare(rounds=1 if quick else 3, nexgo=options.nexgo))
    print()
    asyncio.run(memory.compare(consoles=300 if quick else 2000, nexgo=options.nexgo))
    print()
    asyncio.run(logins.compare(logins=200 if quick else 2000))
    print()
    matchmaking.compare(rounds=200 if quick else 2000, pairs=2_000 if quick else 50_000)
    print()
    sizes = ranking.QUICK_SIZES if quick else ranking.SIZES
    asyncio.run(ranking.compare(sizes=sizes, rounds=200 if quick else 2000))
    print()
    sizes = datastore.QUICK_SIZES if quick else datastore.SIZES
    datastore.compare(sizes=sizes, rounds=200 if quick else 1000)
    print()
    asyncio.run(
        nekoconnect.everything(
            rounds=1 if quick else 5,
            frames=500 if quick else 4000,
            exchanges=500 if quick else 5000,
            idle_clients=300 if quick else 5000,
        )
    )
    print()
    asyncio.run(consoles.run(consoles=300 if quick else 2000, seconds=5 if quick else 60))


if __name__ == "__main__":
    main()
