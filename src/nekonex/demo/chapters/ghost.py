"""A ghost: a file that one console uploads, and that others find, rate and race against."""

import asyncio
import hashlib
from collections.abc import Awaitable
from typing import Any, Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import Online
from nekonex.demo.files import download, upload
from nekonex.demo.records import completion, get, post, rating, search, slot_zero
from nekonex.demo.stage import Stage, Step

__all__ = ["CHAPTER"]

_GHOST_TYPE: Final = 50
_SIZE: Final = 96 * 1024
_STARS: Final = (5, 4)


async def play(stage: Stage) -> None:
    """Post a ghost, and race against it."""
    ghost = _recorded(_SIZE)
    toad, peach = await stage.console("toad"), await stage.console("peach")
    async with toad.online() as owner, peach.online() as rival:
        form: Any = None
        with stage.step("Toad announces a ghost", "he is told where to upload it") as step:
            param = post("Rainbow Road", _SIZE, _GHOST_TYPE, "ghost")
            form = await owner.data_store.prepare_post_object(param)
            step.saw(f"object {form.data_id}, {_SIZE // 1024} KiB to {form.url}")
        if form is None:
            return
        with stage.step("the line breaks half-way", "nothing is kept, and nobody finds it") as step:
            status = await _upload(form, ghost[: _SIZE // 2])
            step.expect(status == 400, f"the answer is {status}")
            found = await rival.data_store.search_object(search(_GHOST_TYPE))
            step.expect(not found.result, "it is found")
            step.saw(f"HTTP {status}")
        with stage.step("he uploads all of it", "it is there for others") as step:
            status = await _upload(form, ghost)
            step.expect(status in {200, 201, 204}, f"the answer is {status}")
            await owner.data_store.complete_post_object(completion(form.data_id, success=True))
            step.saw(f"HTTP {status}")
        with stage.step("Peach searches for ghosts", "she finds Toad's") as step:
            (found,) = (await rival.data_store.search_object(search(_GHOST_TYPE))).result
            step.expect((found.data_id, found.owner_id) == (form.data_id, owner.pid), "another's")
            step.saw(f'"{found.name}", {found.size} bytes, tags {", ".join(found.tags)}')
        with stage.step("both rate it", "no rating is lost") as step:
            await _rate(step, form.data_id, owner, rival)
        with stage.step("Peach downloads it", "it is Toad's, byte by byte") as step:
            await _race(step, rival, form.data_id, ghost)


async def _upload(form: Any, content: bytes) -> int:
    return await asyncio.to_thread(upload, form.url, form.form, content)


async def _rate(step: Step, data_id: int, *raters: Online) -> None:
    given: list[Awaitable[Any]] = [
        rater.data_store.rate_object(slot_zero(data_id), rating(stars), True)
        for rater, stars in zip(raters, _STARS, strict=True)
    ]
    await asyncio.gather(*given)
    info = await raters[0].data_store.get_rating(slot_zero(data_id), 0)
    step.expect((info.total_value, info.count) == (sum(_STARS), len(_STARS)), "one is")
    step.saw(f"{info.total_value} stars by {info.count} players")


async def _race(step: Step, rival: Online, data_id: int, ghost: bytes) -> None:
    info = await rival.data_store.prepare_get_object(get(data_id))
    status, content = await asyncio.to_thread(download, info.url, info.headers)
    step.expect(status == 200, f"the answer is {status}")
    step.expect(content == ghost, f"{len(content)} bytes are not those of the ghost")
    forged, _ = await asyncio.to_thread(download, info.url.replace(str(data_id), "1"))
    step.expect(forged == 403, f"a forged URL is answered with {forged}")
    step.saw(f"SHA-256 {hashlib.sha256(content).hexdigest()[:16]}…, a forged URL: HTTP {forged}")


def _recorded(size: int) -> bytes:
    """Return something that no two parts of are the same."""
    return hashlib.shake_128(b"Rainbow Road").digest(size)


CHAPTER: Final = Chapter(
    "A ghost", "A file goes up and comes down again over HTTP.", play, narrated=False
)
