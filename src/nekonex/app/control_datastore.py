"""What an operator does with stored objects, in a running server or without one."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from nekonex.app.control import CommandRefusedError
from nekonex.domain.datastore import DataStore, DataStoreError, Refusal, Status
from nekonex.domain.datastore.services.verification import Disagreement, Report
from nekonex.values import ServiceUnavailable

__all__ = ["MAX_DISAGREEMENTS", "OBJECT_COMMANDS", "ObjectCommand"]

MAX_DISAGREEMENTS: Final = 10_000
"""Disagreements of one game that an answer names; the others it counts."""

ObjectCommand = Callable[[Mapping[str, DataStore], Mapping[str, Any]], Awaitable[Any]]
"""Does something with the data stores of games, by their names, and returns the answer."""


async def _verify(stores: Mapping[str, DataStore], arguments: Mapping[str, Any]) -> Any:
    """Compare what is known of objects with their files; ``mend`` says what to do about it."""
    mend = arguments.get("mend", False)
    if not isinstance(mend, bool):
        raise CommandRefusedError('the "mend" of verify_objects is true or false')
    try:
        return [
            {"game": game, **_report_as_dict(await store.verification.verify(mend=mend))}
            for game, store in stores.items()
        ]
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"the objects cannot be verified: {error}") from error


async def _review(stores: Mapping[str, DataStore], arguments: Mapping[str, Any]) -> Any:
    """Set what a review found of an object."""
    found = {status.name.lower(): status for status in Status}
    status = found.get(str(arguments.get("status")))
    if status is None:
        raise CommandRefusedError(f'review_object needs a "status": {", ".join(found)}')

    async def review(store: DataStore, data_id: int) -> None:
        await store.upkeep.moderate(data_id, status)

    return await _do(stores, arguments, review)


async def _remove(stores: Mapping[str, DataStore], arguments: Mapping[str, Any]) -> Any:
    """Remove an object with its file."""

    async def remove(store: DataStore, data_id: int) -> None:
        await store.upkeep.remove(data_id)

    return await _do(stores, arguments, remove)


OBJECT_COMMANDS: Final[Mapping[str, ObjectCommand]] = MappingProxyType(
    {"verify_objects": _verify, "review_object": _review, "remove_object": _remove}
)
"""The commands by their names on the control socket."""


async def _do(
    stores: Mapping[str, DataStore],
    arguments: Mapping[str, Any],
    do: Callable[[DataStore, int], Awaitable[None]],
) -> dict[str, Any]:
    """Do something with the object that the arguments name."""
    data_id = arguments.get("data_id")
    if not isinstance(data_id, int) or isinstance(data_id, bool) or not 0 < data_id < 1 << 64:
        raise CommandRefusedError('an object is named by its "data_id", a number of 64 bits')
    if len(stores) != 1:
        raise CommandRefusedError(f"say which game; games here: {', '.join(stores) or 'none'}")
    ((game, store),) = stores.items()
    try:
        await do(store, data_id)
    except DataStoreError as error:
        if error.refusal is Refusal.NOT_FOUND:
            raise CommandRefusedError(f"there is no object {data_id} in {game}") from error
        raise CommandRefusedError(f"object {data_id} of {game}: {error}") from error
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"the stores of {game} are out of order: {error}") from error
    return {"game": game, "data_id": data_id}


def _report_as_dict(report: Report) -> dict[str, Any]:
    found = report.disagreements
    return {
        "objects": report.objects,
        "files": report.files,
        "sound": report.sound,
        "found": len(found),
        "mended": sum(each.mended for each in found),
        "disagreements": [_as_dict(each) for each in found[:MAX_DISAGREEMENTS]],
    }


def _as_dict(found: Disagreement) -> dict[str, Any]:
    return {
        "kind": found.kind.name.lower().replace("_", "-"),
        "data_id": found.data_id or None,
        "key": found.key,
        "detail": found.detail,
        "mended": found.mended,
    }
