"""NintendoClients' consoles at a data store: their structures, made shortly, and their clients."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from random import Random
from typing import Any

from nintendo.nex import common, datastore

from nekonex.settings import Settings
from tests.support.console_files import download, upload
from tests.support.nexlab import lab_settings
from tests.support.nintendo import console
from tests.support.objectlab import PLAYERS, ObjectLab

__all__ = [
    "DAY",
    "DENIED",
    "INVALID",
    "LATE",
    "NOT_ALLOWED",
    "NOT_FOUND",
    "WRONG_PASSWORD",
    "LateChangeMetaParam",
    "LateSearchParam",
    "as_dict",
    "change_param",
    "completed",
    "content",
    "deleted",
    "fetched",
    "files_of",
    "got",
    "make",
    "meta",
    "names",
    "parts",
    "permission",
    "post_file",
    "post_param",
    "rate_param",
    "rating_init",
    "search_param",
    "settings_of",
    "slot_target",
    "store_client",
    "store_clients",
    "target",
    "update_param",
]

SUCCESS = 0x00690001
INVALID = "DataStore::InvalidArgument"
NOT_FOUND = "DataStore::NotFound"
DENIED = "DataStore::PermissionDenied"
NOT_ALLOWED = "DataStore::OperationNotAllowed"
WRONG_PASSWORD = "DataStore::InvalidPassword"

DAY = 86_400


def settings_of(version: str) -> Settings:
    """Return settings of a game; consoles of NEX 4 have wide principal ids."""
    return lab_settings(version, nex__pid_size=8 if version >= "4" else 4)


LATE = settings_of("4.0.0")


def make(name: str, /, **fields: Any) -> Any:
    """Return one of their structures, whose name is without the first word, with fields set."""
    return _filled(getattr(datastore, "DataStore" + name)(), fields)


def _filled(structure: Any, fields: dict[str, Any]) -> Any:
    for field, value in fields.items():
        assert hasattr(structure, field), field
        setattr(structure, field, value)
    return structure


def as_dict(structure: Any) -> Any:
    """Return the values of a structure of theirs, to compare."""
    match structure:
        case common.Structure():
            return {name: as_dict(value) for name, value in vars(structure).items()}
        case list():
            return [as_dict(each) for each in structure]
        case common.DateTime():
            return structure.value()
        case _:
            return structure


def permission(level: int, *recipients: int) -> Any:
    """Return who may: 0 everybody, 1 friends, 2 these, 3 nobody else, 4 these if friends."""
    return make("Permission", permission=level, recipients=list(recipients))


def rating_init(slot: int = 0, **fields: Any) -> Any:
    """Return how a slot is rated: without bounds and locks, again and again."""
    free = {"flag": 0, "internal_flag": 0, "lock_type": 0, "initial_value": 0}
    unused = {"range_min": 0, "range_max": 0, "period_hour": 0, "period_duration": 0}
    param = make("RatingInitParam", **{**free, **unused, **fields})
    return make("RatingInitParamWithSlot", slot=slot, param=param)


def post_param(size: int = 0, **fields: Any) -> Any:
    """Return an object to post: public, to be completed."""
    named = {"name": "a ghost", "data_type": 7, "meta_binary": b"meta", "flag": 0x40}
    rest = {"period": 30, "permission": permission(0), "extra_data": []}
    return make("PreparePostParam", **{"size": size, **named, **rest, **fields})


def change_param(data_id: int, flags: int, *, password: int = 0, **fields: Any) -> Any:
    """Return a change, as NEX 4 has it; ``compare`` are fields of what is compared."""
    nothing = {"name": "", "period": 0, "meta_binary": b"", "tags": []}
    numbers = {"referred_count": 0, "data_type": 0, "status": 0}
    compare = {"comparison_flag": 0, **nothing, **numbers, **fields.pop("compare", {})}
    kind = fields.pop("kind", datastore.DataStoreChangeMetaParam)
    return _filled(
        kind(),
        {
            "data_id": data_id,
            "modifies_flag": flags,
            "update_password": password,
            "compare_param": make("ChangeMetaCompareParam", **compare),
            **nothing,
            **numbers,
            **fields,
        },
    )


def search_param(offset: int = 0, size: int = 20, **fields: Any) -> Any:
    """Return a search, as NEX 4 has it; dates as texts of `common.DateTime.make`'s arguments."""
    kind = fields.pop("kind", datastore.DataStoreSearchParam)
    return _filled(kind(), {"result_range": common.ResultRange(offset, size), **fields})


def target(data_id: int, slot: int = 0) -> Any:
    """Return which rating of which object."""
    return make("RatingTarget", data_id=data_id, slot=slot)


def slot_target(owner: int, slot: int) -> Any:
    """Return an object by its persistence slot."""
    return make("PersistenceTarget", owner_id=owner, persistence_id=slot)


def rate_param(value: int, password: int = 0) -> Any:
    """Return a rating."""
    return make("RateObjectParam", rating_value=value, access_password=password)


def update_param(data_id: int, size: int, password: int = 0) -> Any:
    """Return new content of an object."""
    fields = {"update_password": password, "extra_data": []}
    return make("PrepareUpdateParam", data_id=data_id, size=size, **fields)


class LateSearchParam(common.Structure):  # type: ignore[misc]
    """A search of revision 3, as NEX 3.5 has it: what they have for all versions alike."""

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(vars(datastore.DataStoreSearchParam()))

    def max_version(self, settings: Any) -> int:
        return 3

    def check_required(self, settings: Any, version: int) -> None:
        pass

    def save(self, stream: Any, version: int) -> None:
        stream.u8(self.search_target)
        stream.list(self.owner_ids, stream.pid)
        stream.u8(self.owner_type)
        stream.list(self.destination_ids, stream.pid)
        stream.u16(self.data_type)
        for date in ("created_after", "created_before", "updated_after", "updated_before"):
            stream.datetime(getattr(self, date))
        stream.u32(self.refer_data_id)
        stream.list(self.tags, stream.string)
        stream.u8(self.result_order_column)
        stream.u8(self.result_order)
        stream.add(self.result_range)
        stream.u8(self.result_option)
        stream.u32(self.minimal_rating_frequency)
        stream.bool(self.use_cache)
        stream.bool(self.total_count_enabled)
        stream.list(self.data_types, stream.u16)


class LateChangeMetaParam(common.Structure):  # type: ignore[misc]
    """A change of revision 1, whose target they write but do not announce."""

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(vars(datastore.DataStoreChangeMetaParam()))

    def max_version(self, settings: Any) -> int:
        return 1

    def check_required(self, settings: Any, version: int) -> None:
        pass

    def save(self, stream: Any, version: int) -> None:
        datastore.DataStoreChangeMetaParam.save(self, stream, version)


def completed(data_id: int, *, success: bool = True) -> Any:
    """Return how the upload of an object ended."""
    return make("CompletePostParam", data_id=data_id, success=success)


def deleted(data_id: int, password: int = 0) -> Any:
    """Return an object to delete."""
    return make("DeleteParam", data_id=data_id, update_password=password)


def got(data_id: int = 0, **fields: Any) -> Any:
    """Return an object to download."""
    return make("PrepareGetParam", data_id=data_id, **fields)


def meta(data_id: int = 0, options: int = 0xF, **fields: Any) -> Any:
    """Return an object to know all about."""
    return make("GetMetaParam", data_id=data_id, result_option=options, **fields)


def names(results: Any) -> list[str]:
    """Return what results of a list are called; nothing for a success."""
    return ["" if each.code() == SUCCESS else each.name() for each in results]


def parts(reply: Any) -> tuple[list[Any], list[Any]]:
    """Return both values of a reply."""
    infos, results = vars(reply).values()
    return infos, results


@contextlib.asynccontextmanager
async def store_client(lab: ObjectLab, pid: int) -> AsyncIterator[Any]:
    """Log in as a console and return its client of the data store."""
    try:
        async with console(lab.game, str(pid), PLAYERS[pid]) as session:
            yield datastore.DataStoreClient(session)
    except BaseExceptionGroup as group:
        # Their task groups wrap what a test raises, once for each layer.
        raise _inmost(group) from None


def _inmost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


@contextlib.asynccontextmanager
async def store_clients(lab: ObjectLab, pids: Iterable[int]) -> AsyncIterator[list[Any]]:
    """Log in as several consoles."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(store_client(lab, pid)) for pid in pids]


async def post_file(client: Any, content: bytes, **fields: Any) -> int:
    """Post an object with a file, all the way, and return its number."""
    info = await client.prepare_post_object(post_param(len(content), **fields))
    assert await upload(info, content) in {200, 204}
    done = make("CompletePostParam", data_id=info.data_id, success=True)
    await client.complete_post_object(done)
    data_id: int = info.data_id
    return data_id


def content(size: int, seed: int = 0) -> bytes:
    """Return the content of a file."""
    return Random(seed).randbytes(size)


async def fetched(client: Any, data_id: int = 0, **fields: Any) -> bytes:
    """Download an object."""
    info = await client.prepare_get_object(got(data_id, **fields))
    status, body = await download(info)
    assert (status, len(body)) == (200, info.size)
    return body


async def files_of(lab: ObjectLab) -> list[int]:
    """Return how large the files are that there are."""
    return [each.size async for each in lab.files.keys("")]
