"""A console that stores scores and files, as fast as it can, and writes down what it is told."""

from __future__ import annotations

import asyncio
import random

from nekonex.demo.files import upload
from nekonex.domain.datastore import NO_SLOT
from nekonex.nex.datastore import DataStore
from nekonex.nex.ranking import Ranking
from nekonex.nex.structures import (
    DataStoreCompletePostParam,
    DataStoreCompleteUpdateParam,
    DataStoreDeleteParam,
    DataStorePermission,
    DataStorePersistenceInitParam,
    DataStorePreparePostParam,
    DataStorePrepareUpdateParam,
    DataStoreRateObjectParam,
    DataStoreRatingInitParam,
    DataStoreRatingInitParamWithSlot,
    DataStoreRatingTarget,
    RankingScoreData,
)
from nekonex.rmc import Session
from tests.crash.ledger import Content, Ledger, StoredFile

__all__ = ["CATEGORIES", "Worker"]

CATEGORIES = 3
SLOTS = (0, 1, NO_SLOT, NO_SLOT)
"""Persistence slots, of which an object takes any."""
REPLACE = 1
"""The update mode in which a score is stored whatever it is."""


class Worker:
    """One player at work."""

    def __init__(self, name: str, session: Session, ledger: Ledger, dice: random.Random) -> None:
        self._name = name
        self._ledger = ledger
        self._dice = dice
        self._ranking = Ranking.client(session, timeout=5)
        self._store = DataStore.client(session, timeout=5)

    async def work(self) -> None:
        """Do one thing after another until the server is gone."""
        jobs = (self.score, self.score, self.name, self.post, self.post, self.update, self.rate)
        while True:
            await self._dice.choice((*jobs, self.delete))()
            self._ledger.operations += 1

    async def score(self) -> None:
        """Upload a score."""
        category = self._dice.randrange(CATEGORIES)
        value = self._dice.randrange(1 << 32)
        told = self._ledger.scores[self._name, category]
        told.ask(value)
        data = RankingScoreData(
            category=category, score=value, order=1, update_mode=REPLACE, groups=[0, 0], param=0
        )
        await self._ranking.upload_score(data, 0)
        told.settle(value)

    async def name(self) -> None:
        """Upload common data."""
        value = self._dice.randbytes(20)
        told = self._ledger.names[self._name]
        told.ask(value)
        await self._ranking.upload_common_data(value, 0)
        told.settle(value)

    async def post(self) -> None:
        """Post an object; now and then say that the upload failed, or say nothing more."""
        content = self._content()
        param = DataStorePreparePostParam(
            size=content.size,
            name=self._name,
            data_type=7,
            permission=DataStorePermission(0),
            delete_permission=DataStorePermission(3),
            flag=0x40,
            persistence_init_param=DataStorePersistenceInitParam(
                self._dice.choice(SLOTS), delete_last_object=False
            ),
            rating_init_param=[DataStoreRatingInitParamWithSlot(0, _ANY_RATING)],
        )
        info = await self._store.prepare_post_object(param)
        file = StoredFile(info.data_id, self._name, [content])
        self._ledger.files[info.data_id] = file
        if self._dice.random() < 0.1:
            return
        whole = await asyncio.to_thread(upload, info.url, info.form, content.content()) // 100 == 2
        await self._store.complete_post_object(DataStoreCompletePostParam(info.data_id, whole))
        if whole:
            file.settled(content)
        else:
            self._ledger.remove(info.data_id)

    async def update(self) -> None:
        """Give an object new content; now and then not to the end."""
        file = self._mine()
        if file is None:
            return
        content = self._content()
        info = await self._store.prepare_update_object(
            DataStorePrepareUpdateParam(
                data_id=file.data_id, size=content.size, update_password=0, extra_data=[]
            )
        )
        if self._dice.random() < 0.1:
            return
        whole = await asyncio.to_thread(upload, info.url, info.form, content.content()) // 100 == 2
        if whole:
            file.possible.append(content)
        await self._store.complete_update_object(
            DataStoreCompleteUpdateParam(data_id=file.data_id, version=info.version, success=whole)
        )
        if whole:
            file.settled(content)

    async def rate(self) -> None:
        """Rate somebody's object."""
        files = [each for each in self._ledger.files.values() if each.acknowledged]
        files = [each for each in files if not each.deleting]
        if not files:
            return
        file, value = self._dice.choice(files), self._dice.randrange(1, 6)
        file.rating += value
        target = DataStoreRatingTarget(data_id=file.data_id, slot=0)
        try:
            await self._store.rate_object(target, DataStoreRateObjectParam(value, 0), True)
        except Exception:
            # Its owner may have deleted it in the meantime.
            if file.deleting or file.data_id in self._ledger.deleted:
                return
            raise
        file.rated += value

    async def delete(self) -> None:
        """Delete an object, if there are some."""
        file = self._mine(at_least=4)
        if file is None:
            return
        file.deleting = True
        await self._store.delete_object(DataStoreDeleteParam(file.data_id, 0))
        self._ledger.remove(file.data_id)

    def _mine(self, at_least: int = 1) -> StoredFile | None:
        files = self._ledger.of(self._name)
        return self._dice.choice(files) if len(files) >= at_least else None

    def _content(self) -> Content:
        size = self._dice.choice((0, 1, 100, 5000, 70_000, 300_000))
        return Content(self._dice.getrandbits(64), size)


_ANY_RATING = DataStoreRatingInitParam(
    flag=0,
    internal_flag=0,
    lock_type=0,
    initial_value=0,
    range_min=0,
    range_max=0,
    period_hour=0,
    period_duration=0,
)
