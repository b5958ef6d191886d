"""The data store's server in memory: every version, and what else the rules do not know of."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nekonex.domain.datastore.files import Download, UploadForm
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.ports import Notification
from nekonex.games.mario_kart_8 import MarioKart8DataStoreServer
from nekonex.nex import SecureConnection
from nekonex.nex import structures as s
from nekonex.nex.datastore import DataStoreServer
from nekonex.rmc import Session
from nekonex.settings import parse_version
from nekonex.storage.objects import MemoryFileStore
from nekonex.values import RMCError, StationURL
from tests.support.nexlab import lab_settings
from tests.support.objectlab import ObjectConsole, ObjectLab, piped_store
from tests.support.pipe import PipeServer
from tests.support.roomlab import refused

PUBLIC = s.DataStorePermission(0)
NEEDS_COMPLETION = 0x40
SUCCESS = 0x00690001

VERSIONS = ["1.1.3", "2.4.3", "3.0.0", "3.4.0", "3.5.4", "3.10.1", "4.0.1"]


def post(size: int = 5, **fields: Any) -> s.DataStorePreparePostParam:
    """Return a public object to post."""
    usual: dict[str, Any] = {"permission": PUBLIC, "flag": NEEDS_COMPLETION, "meta_binary": b"m"}
    return s.DataStorePreparePostParam(size, "a ghost", 7, **{**usual, **fields})


def rating_init(slot: int = 0, **fields: Any) -> s.DataStoreRatingInitParamWithSlot:
    return s.DataStoreRatingInitParamWithSlot(slot, s.DataStoreRatingInitParam(**fields))


def upload(lab: ObjectLab, info: Any, content: bytes) -> None:
    """Upload to the form of a reply."""
    form = UploadForm(info.url, tuple((each.key, each.value) for each in info.form))
    lab.files.upload(form, content)


def fetch(lab: ObjectLab, info: Any) -> bytes:
    """Download from the URL of a reply."""
    content: bytes = lab.files.fetch(Download(info.url))
    return content


async def post_file(lab: ObjectLab, console: ObjectConsole, content: bytes, **fields: Any) -> int:
    """Post an object with a file, all the way."""
    info = await console.store.prepare_post_object(post(len(content), **fields))
    upload(lab, info, content)
    await console.store.complete_post_object(s.DataStoreCompletePostParam(info.data_id, True))
    data_id: int = info.data_id
    return data_id


@contextlib.asynccontextmanager
async def two_consoles(
    version: str = "3.5.4", **options: Any
) -> AsyncIterator[tuple[ObjectLab, ObjectConsole, ObjectConsole]]:
    async with (
        piped_store(lab_settings(version), **options) as lab,
        lab.consoles(2) as [a, b],
    ):
        yield lab, a, b


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_life_of_an_object_in_every_version(version: str) -> None:
    async with two_consoles(version) as (lab, a, b):
        data_id = await post_file(lab, a, b"first", rating_init_param=[rating_init(3)])
        param = s.DataStorePrepareUpdateParam(data_id, 6)
        info = await a.store.prepare_update_object(param)
        assert info.version == 2
        upload(lab, info, b"second")
        where = await b.store.prepare_get_object(s.DataStorePrepareGetParam(data_id))
        assert fetch(lab, where) == b"first"
        assert where.data_id == (data_id if parse_version(version) >= (3, 5, 0) else 0)
        done = s.DataStoreCompleteUpdateParam(data_id, 2, True)
        await a.store.complete_update_object(done)
        assert fetch(lab, where) == b"second"
        change = s.DataStoreChangeMetaParam(data_id, 1, name="newer")
        await a.store.change_meta(change)
        target = s.DataStoreRatingTarget(data_id, 3)
        rating = await b.store.rate_object(target, s.DataStoreRateObjectParam(4), True)
        assert rating == s.DataStoreRatingInfo(4, 1, 0)
        found = await b.store.search_object(s.DataStoreSearchParam(result_option=2))
        [each] = found.result
        assert (found.total_count, found.total_count_type) == (1, 0)
        assert (each.data_id, each.name, each.size) == (data_id, "newer", 6)
        assert each.ratings == [s.DataStoreRatingInfoWithSlot(3, rating)]
        first = s.DataStorePrepareGetParamV1(data_id)
        assert fetch(lab, await b.store.prepare_get_object_v1(first)) == b"second"
        await a.store.delete_object(s.DataStoreDeleteParam(data_id))
        get = b.store.get_meta(s.DataStoreGetMetaParam(data_id))
        assert await refused(get) == "DataStore::NotFound"


async def test_what_was_done_of_a_list_is_answered_with_its_own_success() -> None:
    async with two_consoles() as (lab, a, b):
        data_id = await post_file(lab, a, b"ghost")
        reply = await b.store.get_metas([data_id, 5], s.DataStoreGetMetaParam())
        assert [each.code for each in reply.results] == [SUCCESS, 0x80690004]
        assert reply.info[1] == s.DataStoreMetaInfo()
        deletes = [s.DataStoreDeleteParam(data_id), s.DataStoreDeleteParam(data_id)]
        results = await a.store.delete_objects(deletes, False)
        assert [each.code for each in results] == [SUCCESS, 0x80690004]


async def test_each_is_given_as_much_as_it_asked_for() -> None:
    async with two_consoles() as (lab, a, b):
        fields = {"tags": ["t"], "rating_init_param": [rating_init(2)]}
        data_id = await post_file(lab, a, b"ghost", **fields)
        whole = {"tags": ["t"], "meta_binary": b"m"}
        for options, expected in ((0, {"tags": [], "meta_binary": b""}), (15, whole)):
            param = s.DataStoreGetMetaParam(data_id, result_option=options)
            several = await b.store.get_metas_multiple_param([param])
            alike = await b.store.get_metas([data_id], param)
            search = s.DataStoreSearchParam(result_option=options)
            found = await b.store.search_object(search)
            meta = await b.store.get_meta(param)
            for each in (meta, several.infos[0], alike.info[0], found.result[0]):
                assert {name: getattr(each, name) for name in expected} == expected
                assert len(each.ratings) == bool(options)
        target = s.DataStoreRatingTarget(data_id, 2)
        given = s.DataStoreRateObjectParam(3)
        nothing = s.DataStoreRatingInfo()
        assert await b.store.rate_object(target, given, False) == nothing
        assert (await b.store.rate_objects([target], [given], False, False)).infos == [nothing]
        assert (await b.store.rate_objects([target], [given], True, True)).infos != [nothing]


async def test_slots_and_what_was_in_them() -> None:
    async with two_consoles() as (lab, a, b):
        first, second, third = [await post_file(lab, a, b"ghost") for _ in range(3)]
        await a.store.perpetuate_object(3, first, True)
        await a.store.perpetuate_object(3, second, False)
        await b.store.get_meta(s.DataStoreGetMetaParam(first))
        reply = await b.store.get_persistence_infos(1000, [4, 3])
        known = s.DataStorePersistenceInfo(1000, 3, second)
        assert reply.infos == [s.DataStorePersistenceInfo(), known]
        assert await b.store.get_persistence_info(1000, 3) == known
        await a.store.perpetuate_object(3, third, True)
        gone = b.store.get_meta(s.DataStoreGetMetaParam(second))
        assert await refused(gone) == "DataStore::NotFound"
        await a.store.unperpetuate_object(3, False)
        await b.store.get_meta(s.DataStoreGetMetaParam(third))


async def test_passwords_are_handed_on() -> None:
    private = s.DataStorePermission(3)
    async with two_consoles() as (lab, a, b):
        data_id = await post_file(
            lab, a, b"ghost", permission=private, rating_init_param=[rating_init()]
        )
        info = await a.store.get_password_info(data_id)
        assert (await a.store.get_password_infos([data_id])).infos == [info]
        access, update = info.access_password, info.update_password
        target = s.DataStoreRatingTarget(data_id, 0)
        get = s.DataStorePrepareGetParam(data_id, access_password=access)
        meta = s.DataStoreGetMetaParam(data_id, access_password=access)
        change = s.DataStoreChangeMetaParam(data_id, 1, name="x", update_password=update)
        for call in (
            b.store.prepare_get_object(get),
            b.store.prepare_get_object_or_meta_binary(get),
            b.store.get_meta(meta),
            b.store.touch_object(s.DataStoreTouchObjectParam(data_id, 0, access)),
            b.store.rate_object(target, s.DataStoreRateObjectParam(1, access), True),
            b.store.get_rating(target, access),
            b.store.get_rating_with_log(target, access),
            b.store.change_meta(change),
            b.store.reset_rating(target, update),
            b.store.prepare_update_object(s.DataStorePrepareUpdateParam(data_id, 1, update)),
        ):
            await call
        for reply in (
            await b.store.get_metas([data_id], meta),
            await b.store.get_metas_multiple_param([meta]),
            await b.store.get_ratings([data_id], access),
        ):
            assert [each.code for each in reply.results] == [SUCCESS]
        results = await b.store.change_metas([data_id], [change], False)
        delete = s.DataStoreDeleteParam(data_id, update)
        results += await b.store.delete_objects([delete], False)
        assert [each.code for each in results] == [SUCCESS] * 2


async def test_uploads_that_failed() -> None:
    async with two_consoles() as (lab, a, _):
        info = await a.store.prepare_post_object(post())
        upload(lab, info, b"ghost")
        await a.store.complete_post_object(s.DataStoreCompletePostParam(info.data_id, False))
        info = await a.store.prepare_post_object_v1(s.DataStorePreparePostParamV1(5, "old"))
        upload(lab, info, b"ghost")
        await a.store.complete_post_object_v1(s.DataStoreCompletePostParamV1(info.data_id, False))
        assert await lab.store.count() == 0
        data_id = await post_file(lab, a, b"ghost")
        info = await a.store.prepare_update_object(s.DataStorePrepareUpdateParam(data_id, 3))
        upload(lab, info, b"new")
        await a.store.complete_update_object(s.DataStoreCompleteUpdateParam(data_id, 2, False))
        where = await a.store.prepare_get_object(s.DataStorePrepareGetParam(data_id))
        assert fetch(lab, where) == b"ghost"


async def test_what_mario_kart_8_has_under_which_number() -> None:
    async with two_consoles(server=MarioKart8DataStoreServer) as (lab, a, b):
        names = {
            number: codec.name
            for number, codec in MarioKart8DataStoreServer.codecs(lab.pipe.context).items()
        }
        assert names[43] == "get_object_infos"
        assert names.keys() & {41, 42, 44, 45, 46} == set()
        assert names.keys() >= {40, 1, 39}
        data_id = await post_file(lab, a, b"ghost")
        reply = await b.store.get_object_infos([data_id, 5])
        assert [each.name for each in reply.results] == ["success", "DataStore::NotFound"]
        assert fetch(lab, reply.infos[0]) == b"ghost"
        assert reply.infos[1] == s.DataStoreReqGetInfo()


async def test_a_hundred_players_rate_at_once() -> None:
    async with (
        piped_store() as lab,
        lab.consoles(100) as consoles,
    ):
        data_id = await post_file(lab, consoles[0], b"x", rating_init_param=[rating_init()])
        target = s.DataStoreRatingTarget(data_id, 0)
        given = s.DataStoreRateObjectParam(2)
        ratings = await asyncio.gather(
            *[each.store.rate_object(target, given, True) for each in consoles]
        )
        assert sorted(each.total_value for each in ratings) == list(range(2, 202, 2))
        assert sorted(each.count for each in ratings) == list(range(1, 101))


async def test_only_those_are_served_who_registered_if_so_asked() -> None:
    async with piped_store() as lab:
        strict = DataStoreServer(lab.settings, datastore=lab.service, players=lab.game.players)
        pipe = PipeServer([lab.secure, strict], lab.pipe.context)
        async with pipe.client(pid=1000) as session:
            store = DataStoreServer.client(session)
            assert await refused(store.post_meta_binary(post(0))) == "RendezVous::NotAuthenticated"
            assert await lab.store.count() == 0
            local = StationURL("prudp", address="192.168.0.10", port=50000)
            await SecureConnection.client(session).register([local])
            await store.post_meta_binary(post(0))
        pipe.close()


class ViewedFiles(MemoryFileStore):
    """Notes for whom URLs were made."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.viewers: list[str | None] = []

    async def upload_form(
        self, key: str, size: int, *, lifetime: float, viewer: str | None = None
    ) -> UploadForm:
        self.viewers.append(viewer)
        return await super().upload_form(key, size, lifetime=lifetime, viewer=viewer)

    async def download(self, key: str, *, lifetime: float, viewer: str | None = None) -> Download:
        self.viewers.append(viewer)
        return await super().download(key, lifetime=lifetime, viewer=viewer)


async def test_urls_are_made_for_the_address_that_a_console_came_from() -> None:
    files = ViewedFiles()
    async with two_consoles(files=files) as (lab, a, b):
        data_id = await post_file(lab, a, b"ghost")
        await b.store.prepare_get_object(s.DataStorePrepareGetParam(data_id))
        await b.store.get_notification_url(s.DataStoreGetNotificationUrlParam(""))
        assert files.viewers == ["192.0.2.1"] * 3


async def test_without_files_there_are_objects_without_files() -> None:
    async with two_consoles(files=None) as (_, a, b):
        assert await refused(a.store.prepare_post_object(post())) == "Core::SystemError"
        data_id = await a.store.post_meta_binary(post(0))
        meta = await b.store.get_meta(s.DataStoreGetMetaParam(data_id, result_option=4))
        assert meta.meta_binary == b"m"


class Picky(DataStoreHooks):
    """A game that has its own mind."""

    async def may_post(self, pid: int, stored: StoredObject) -> bool:
        if stored.data_type == 8:
            raise RMCError("Core::AccessDenied")
        return stored.data_type != 9


async def test_a_game_may_answer_in_its_own_words() -> None:
    async with two_consoles(hooks=Picky()) as (_, a, _b):
        own = s.DataStorePreparePostParam(5, "a ghost", 8)
        assert await refused(a.store.prepare_post_object(own)) == "Core::AccessDenied"
        other = s.DataStorePreparePostParam(5, "a ghost", 9)
        answer = await refused(a.store.prepare_post_object(other))
        assert answer == "DataStore::OperationNotAllowed"


class Counting(DataStoreServer):
    """A server whose methods differ."""

    searches = 0

    async def search_object(
        self, client: Session, param: s.DataStoreSearchParam
    ) -> s.DataStoreSearchResult:
        self.searches += 1
        param.result_range.size = 1
        return await super().search_object(client, param)


async def test_methods_can_be_overridden() -> None:
    async with two_consoles(server=Counting) as (lab, a, _):
        for _ in range(2):
            await a.store.post_meta_binary(post(0))
        found = await a.store.search_object(s.DataStoreSearchParam())
        assert (len(found.result), found.total_count) == (1, 2)
        assert isinstance(lab.server, Counting)
        assert lab.server.searches == 1


class News:
    """Notifications of objects, one of which the first methods cannot name."""

    async def arrived(self, *_: object) -> tuple[list[Notification], bool]:
        return [Notification(1, 2**32), Notification(2, 7)], True


async def test_the_first_notifications_leave_out_what_they_cannot_name() -> None:
    async with two_consoles() as (lab, a, _):
        lab.service.notifications = News()  # type: ignore[assignment]
        param = s.DataStoreGetNewArrivedNotificationsParam(0, 100)
        reply = await a.store.get_new_arrived_notifications_v1(param)
        assert reply == ([s.DataStoreNotificationV1(2, 7)], True)
        reply = await a.store.get_new_arrived_notifications(param)
        assert [each.data_id for each in reply.result] == [2**32, 7]


def test_settings_that_cannot_be_are_refused_at_once() -> None:
    settings = lab_settings()
    settings["prudp.fragment_size"] = 0
    with pytest.raises(ValueError, match="fragment_size"):
        DataStoreServer(settings, datastore=None)  # type: ignore[arg-type]
