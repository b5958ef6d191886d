"""What consoles say about how they can be reached, and who is told."""

from typing import Any, Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import local_url
from nekonex.demo.stage import Stage

__all__ = ["CHAPTER"]


async def play(stage: Stage) -> None:
    """Update and replace addresses, and ask for those of others."""
    daisy, rosalina = await stage.console("daisy"), await stage.console("rosalina")
    async with daisy.online() as here, rosalina.online() as there:
        player = stage.kart.players.get(here.connection_id)
        stations: Any = getattr(player, "stations", None)
        with stage.step(
            "Daisy's console moves to port 61000", "the server knows the new one"
        ) as step:
            await here.secure.update_urls([local_url(here.client, 61000)])
            step.expect(stations, "she is not registered")
            ports = [url["port"] for url in stations.local]
            step.expect(ports == [61000], f"it knows {ports}")
            step.saw(str(stations.local[0]))
        with stage.step("and on to 62000", "that one URL is replaced") as step:
            await here.secure.replace_url(
                local_url(here.client, 61000), local_url(here.client, 62000)
            )
            ports = [url["port"] for url in stations.local]
            step.expect(ports == [62000], f"it knows {ports}")
            step.saw(str(stations.local[0]))
        pid = await stage.pid_of(daisy)
        with (
            stage.step("Rosalina asks where Daisy lives", "addresses are private") as step,
            step.refusal("Core::AccessDenied"),
        ):
            await there.secure.request_urls(here.connection_id, pid)


CHAPTER: Final = Chapter(
    "Addresses", "Consoles play with each other directly; the server keeps their addresses.", play
)
