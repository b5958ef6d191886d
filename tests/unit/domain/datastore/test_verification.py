from __future__ import annotations

from dataclasses import replace

import pytest

from nekonex.domain.datastore import Caller, Refusal
from nekonex.domain.datastore.files import Download
from nekonex.domain.datastore.ports import Outcome
from nekonex.domain.datastore.services.verification import Kind, Report
from nekonex.values import ServiceUnavailable
from tests.support.datastore import Shop, refused


class DeathError(Exception):
    """What a test lets a process die of."""


def kinds(report: Report) -> list[Kind]:
    return sorted((each.kind for each in report.disagreements), key=lambda kind: kind.name)


async def test_all_is_well() -> None:
    shop = Shop()
    for _ in range(3):
        await shop.post(1)
    await shop.post_meta(1)
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    update = await shop.data.updating.prepare_update(Caller(1), data_id - 2, 3)
    shop.files.upload(update.form, b"new")
    await shop.files.put("notifications/00000000000000000001.bin", b"1")
    before = await shop.snapshot()
    for mend in (False, True):
        report = await shop.data.verification.verify(mend=mend)
        assert report.sound
        assert (report.objects, report.files, report.disagreements) == (5, 5, ())
    assert await shop.snapshot() == before


async def test_objects_without_their_files_are_found_and_deleted() -> None:
    shop = Shop()
    kept, missing, short = [await shop.post(1, slot=slot) for slot in (1, 2, 3)]
    await shop.files.remove((await shop.stored(missing)).key)
    await shop.files.put((await shop.stored(short)).key, b"dat")
    report = await shop.data.verification.verify()
    assert not report.sound
    assert [(each.kind, each.data_id, each.mended) for each in report.disagreements] == [
        (Kind.MISSING_FILE, missing, False),
        (Kind.WRONG_SIZE, short, False),
    ]
    assert await shop.store.count() == 3
    report = await shop.data.verification.verify(mend=True)
    assert report.sound
    assert len(report.disagreements) == 2
    assert await shop.keys() == [f"objects/{kept}.bin"]
    assert await refused(shop.meta(1, missing)) is Refusal.NOT_FOUND
    assert (await shop.data.verification.verify()).disagreements == ()


@pytest.mark.parametrize("key", ["../other", ""])
async def test_an_object_whose_key_is_none_has_no_file(key: str) -> None:
    shop = Shop()
    kept, spoilt = await shop.post(1), await shop.post(1)
    await shop.data.updating.prepare_update(Caller(1), spoilt, 3)
    await shop.store.change(spoilt, lambda stored: Outcome(replace(stored, key=key)))
    report = await shop.data.verification.verify()
    assert [(each.kind, each.data_id) for each in report.disagreements] == [
        (Kind.MISSING_FILE, spoilt)
    ]
    assert (await shop.data.verification.verify(mend=True)).sound
    shop.clock.now += 4 * 3600
    assert (await shop.data.verification.verify(mend=True)).sound
    assert await shop.keys() == [f"objects/{kept}.bin"]
    assert (await shop.data.verification.verify()).disagreements == ()


async def test_a_disk_that_is_not_mounted_is_not_the_end_of_everything() -> None:
    shop = Shop()
    ids = [await shop.post(1) for _ in range(2)]
    for key in await shop.keys():
        await shop.files.remove(key)
    report = await shop.data.verification.verify()
    assert kinds(report) == [Kind.MISSING_FILE] * 2
    with pytest.raises(ServiceUnavailable, match="not one file"):
        await shop.data.verification.verify(mend=True)
    assert await shop.store.count() == 2
    await shop.data.upkeep.remove(ids[0])
    assert (await shop.data.verification.verify(mend=True)).sound
    assert await shop.store.count() == 0


async def test_files_without_objects_are_found_and_removed_when_they_are_old() -> None:
    shop = Shop()
    kept = await shop.post(1)
    for key in ("objects/5.bin", f"objects/{kept}.bin~{kept}.7", "a/b/c"):
        await shop.files.put(key, b"12345")
    assert (await shop.data.verification.verify(mend=True)).sound
    assert len(await shop.keys()) == 4
    shop.clock.now += shop.data.limits.unfinished_seconds + 1
    report = await shop.data.verification.verify()
    assert kinds(report) == [Kind.UNKNOWN_FILE] * 3
    assert not any(each.mended for each in report.disagreements)
    assert (await shop.data.verification.verify(mend=True)).sound
    assert await shop.keys() == [f"objects/{kept}.bin"]
    assert await shop.get(2, kept) == b"data"


async def test_uploads_that_nobody_finished_are_found_and_dropped() -> None:
    shop = Shop()
    kept = await shop.post(1)
    waits, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    update = await shop.data.updating.prepare_update(Caller(1), kept, 3)
    shop.files.upload(update.form, b"new")
    shop.clock.now += shop.data.limits.unfinished_seconds + 1
    report = await shop.data.verification.verify()
    assert [(each.kind, each.data_id) for each in report.disagreements] == [
        (Kind.UNFINISHED, kept),
        (Kind.UNFINISHED, waits),
    ]
    assert (await shop.data.verification.verify(mend=True)).sound
    assert await shop.keys() == [f"objects/{kept}.bin"]
    assert await shop.get(2, kept) == b"data"


async def test_file_operations_that_were_left_over_are_found_and_carried_out() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    move = shop.files.move

    async def dies(source: str, target: str) -> bool:
        raise DeathError

    shop.files.move = dies  # type: ignore[method-assign]
    with pytest.raises(DeathError):
        await shop.data.posting.complete_post(Caller(1), data_id, success=True)
    shop.files.move = move  # type: ignore[method-assign]
    shop.restart()
    report = await shop.data.verification.verify()
    assert kinds(report) == [Kind.PENDING]
    assert (await shop.data.verification.verify(mend=True)).disagreements == ()
    key = (await shop.stored(data_id)).key
    url = await shop.files.download(key, lifetime=10)
    assert shop.files.fetch(Download(url.url)) == b"data"
