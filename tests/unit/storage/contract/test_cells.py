from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.cells import CellLimits, CellStore, CellUsage, Stored
from nekonex.storage import Stores, memory_stores, open_local

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]

PLENTY = CellLimits()
SMALL = CellLimits(cell_size=10, database_size=30, max_cells=4)


async def keep(store: CellStore, cell: str, text: str, limits: CellLimits = PLENTY) -> Stored:
    return await store.store("chat", cell, text, limits)


async def test_a_text_is_kept_in_place_of_the_earlier_one(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.cells
        assert await store.get("chat", "a") == ""
        for text in ("one", "a longer one", "x"):
            assert await keep(store, "a", text) is Stored.KEPT
            assert await store.get("chat", "a") == text
        assert await store.get("chat", "A") == ""
        assert list(await store.cells("chat")) == ["a"]
        assert list(await store.usage()) == [CellUsage("chat", 1, 2)]


@pytest.mark.parametrize("text", ["\0", "a\0b", "\U0001f431 é\r\n", "\ufeffx", "x" * 1024 * 1024])
async def test_any_text_comes_back_as_it_was(open_stores: OpenStores, text: str) -> None:
    async with open_stores() as stores:
        assert await keep(stores.cells, "a", text) is Stored.KEPT
        assert await stores.cells.get("chat", "a") == text
        assert list(await stores.cells.usage()) == [CellUsage("chat", 1, 1 + len(text.encode()))]


@pytest.mark.parametrize("name", ["\0", "a\0", " ", "%", "é" * 127, "x" * 255, "\U0010ffff"])
async def test_any_name_of_1_to_255_bytes(open_stores: OpenStores, name: str) -> None:
    async with open_stores() as stores:
        assert await keep(stores.cells, name, "kept") is Stored.KEPT
        assert await keep(stores.cells, "a", "other") is Stored.KEPT
        assert await stores.cells.get("chat", name) == "kept"
        assert list(await stores.cells.cells("chat", name)) == [name]


@pytest.mark.parametrize("name", ["", "x" * 256, "é" * 128, "\ud800", "a\udfff"])
async def test_other_names_are_refused(open_stores: OpenStores, name: str) -> None:
    async with open_stores() as stores:
        with pytest.raises(ValueError, match="the name of a cell"):
            await keep(stores.cells, name, "text")
        with pytest.raises(ValueError, match="the name of a cell"):
            await keep(stores.cells, name, "")
        with pytest.raises(ValueError, match="the name of a cell"):
            await stores.cells.get("chat", name)
        assert list(await stores.cells.usage()) == []


async def test_what_is_no_unicode_is_refused(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store, bad = stores.cells, "a\ud800"
        await keep(store, "a", "before")
        for doing in (
            keep(store, "a", bad),
            store.cells("chat", bad),
            store.cells(bad),
            store.get(bad, "a"),
            store.store(bad, "a", "text", PLENTY),
            store.purge(bad),
        ):
            with pytest.raises(ValueError, match="lone surrogates"):
                await doing
        assert await store.get("chat", "a") == "before"


async def test_an_empty_text_removes_the_cell(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.cells
        await keep(store, "a", "one")
        await keep(store, "b", "two")
        for _ in range(2):
            assert await keep(store, "a", "") is Stored.KEPT
            assert await store.get("chat", "a") == ""
            assert list(await store.cells("chat")) == ["b"]
            assert list(await store.usage()) == [CellUsage("chat", 1, 4)]
        assert await keep(store, "b", "") is Stored.KEPT
        assert list(await store.usage()) == []
        assert await keep(store, "never", "") is Stored.KEPT
        assert await store.purge("chat") == 0


async def test_plugins_know_nothing_of_each_other(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.cells
        greeters = ["chat", "Chat", "ch", "chat\0", "\U0001f431", "\uffff"]
        for number, greeter in enumerate(greeters):
            assert await store.store(greeter, "a", str(number), PLENTY) is Stored.KEPT
        assert [await store.get(greeter, "a") for greeter in greeters] == list("012345")
        assert await store.purge("chat") == 1
        assert [await store.get(greeter, "a") for greeter in greeters] == ["", *"12345"]
        assert list(await store.usage()) == [
            CellUsage(greeter, 1, 2) for greeter in sorted(greeters[1:])
        ]


async def test_names_are_in_the_order_of_their_code_points(open_stores: OpenStores) -> None:
    names = ["a", "a\0", "a\x7f", "aé", "a\u07ff", "a\uffff", "a\U00010000", "b", "A", "%a", "_a"]
    names += ["\U0010ffff", "\U0010ffffx", "\U0001f431"]
    async with open_stores() as stores:
        for name in names:
            await keep(stores.cells, name, "x")
        for prefix in ("", *names, "a\x01", "\u07ff", "x" * 256, "é" * 200):
            expected = sorted(name for name in names if name.startswith(prefix))
            assert list(await stores.cells.cells("chat", prefix)) == expected
        assert list(await stores.cells.cells("other")) == []


async def test_a_text_that_is_too_large(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.cells
        assert await keep(store, "a", "é" * 5, SMALL) is Stored.KEPT
        assert await keep(store, "a", "é" * 5 + "x", SMALL) is Stored.TOO_LARGE
        assert await store.get("chat", "a") == "é" * 5
        lower = CellLimits(cell_size=8)
        assert await keep(store, "a", "x" * 9, lower) is Stored.TOO_LARGE
        assert await keep(store, "a", "x" * 8, lower) is Stored.KEPT


async def test_the_size_of_a_database_is_that_of_its_texts_and_names(
    open_stores: OpenStores,
) -> None:
    async with open_stores() as stores:
        store = stores.cells
        for name in ("aa", "bb"):
            assert await keep(store, name, "x" * 10, SMALL) is Stored.KEPT
        assert await keep(store, "é", "x" * 5, SMALL) is Stored.FULL
        assert await keep(store, "é", "x" * 4, SMALL) is Stored.KEPT
        assert list(await store.usage()) == [CellUsage("chat", 3, 30)]
        assert await keep(store, "c", "x", SMALL) is Stored.FULL
        assert await keep(store, "é", "x" * 5, SMALL) is Stored.FULL
        assert await store.get("chat", "é") == "xxxx"
        # Another plugin has a database of its own.
        assert await store.store("todo", "a", "x" * 10, SMALL) is Stored.KEPT
        assert await keep(store, "aa", "x" * 9, SMALL) is Stored.KEPT
        assert await keep(store, "é", "x" * 5, SMALL) is Stored.KEPT


async def test_so_many_cells_and_no_more(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.cells
        for name in "abcd":
            assert await keep(store, name, "x", SMALL) is Stored.KEPT
        assert await keep(store, "e", "x", SMALL) is Stored.FULL
        assert await keep(store, "a", "xxx", SMALL) is Stored.KEPT
        assert await keep(store, "b", "", SMALL) is Stored.KEPT
        assert await keep(store, "e", "x", SMALL) is Stored.KEPT
        assert list(await store.cells("chat")) == ["a", "c", "d", "e"]


async def test_where_limits_were_higher_what_takes_no_more_is_kept(
    open_stores: OpenStores,
) -> None:
    lower = CellLimits(database_size=5, max_cells=1)
    async with open_stores() as stores:
        store = stores.cells
        for name in "abc":
            await keep(store, name, "x" * 9)
        fewer = CellLimits(max_cells=1)
        assert await keep(store, "a", "x" * 10, fewer) is Stored.KEPT
        assert await keep(store, "d", "x", fewer) is Stored.FULL
        assert await keep(store, "a", "y" * 11, lower) is Stored.FULL
        assert await keep(store, "a", "y" * 10, lower) is Stored.KEPT
        assert await keep(store, "b", "y", lower) is Stored.KEPT
        assert await keep(store, "b", "yy", lower) is Stored.FULL
        assert await keep(store, "d", "y", lower) is Stored.FULL
        for name in "ac":
            assert await keep(store, name, "", lower) is Stored.KEPT
        # More cells are not made, but the one that is left may grow to the limit.
        assert await keep(store, "b", "yyyy", lower) is Stored.KEPT
        assert await keep(store, "b", "yyyyy", lower) is Stored.FULL
        assert list(await store.usage()) == [CellUsage("chat", 1, 5)]


async def test_a_purge_removes_all_of_a_plugin(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.cells
        assert await store.purge("chat") == 0
        for name in "abc":
            await keep(store, name, "x")
        await store.store("todo", "a", "kept", PLENTY)
        assert await store.purge("chat") == 3
        assert await store.purge("chat") == 0
        assert list(await store.cells("chat")) == []
        assert await store.get("chat", "a") == ""
        assert list(await store.usage()) == [CellUsage("todo", 1, 5)]
        assert await keep(store, "a", "anew", SMALL) is Stored.KEPT
        assert list(await store.cells("chat")) == ["a"]


async def test_of_many_at_once_only_so_many_as_there_is_room_for(open_stores: OpenStores) -> None:
    limits = CellLimits(database_size=100)
    async with open_stores() as stores:
        store = stores.cells
        results = await asyncio.gather(
            *[keep(store, f"{number:02}", "x" * 5, limits) for number in range(100)]
        )
        assert (results.count(Stored.KEPT), results.count(Stored.FULL)) == (14, 86)
        kept = [f"{number:02}" for number, each in enumerate(results) if each is Stored.KEPT]
        assert list(await store.cells("chat")) == kept
        assert list(await store.usage()) == [CellUsage("chat", 14, 98)]
        growing = [keep(store, name, "x" * 6, limits) for name in kept]
        assert (await asyncio.gather(*growing)).count(Stored.KEPT) == 2
        assert list(await store.usage()) == [CellUsage("chat", 14, 100)]


@dataclass
class Model:
    """What a store must do, counted anew each time."""

    texts: dict[tuple[str, str], str] = field(default_factory=dict)

    def store(self, greeter: str, cell: str, text: str, limits: CellLimits) -> Stored:
        if len(text.encode()) > limits.cell_size:
            return Stored.TOO_LARGE
        after = {**self.texts, (greeter, cell): text}
        if not text:
            del after[greeter, cell]
            self.texts = after
            return Stored.KEPT
        longer = len(text.encode()) > len(self.texts.get((greeter, cell), "").encode())
        cells, size = self.total(after, greeter)
        if longer and size > limits.database_size:
            return Stored.FULL
        if cells > max(limits.max_cells, self.total(self.texts, greeter)[0]):
            return Stored.FULL
        self.texts = after
        return Stored.KEPT

    def purge(self, greeter: str) -> int:
        mine = [key for key in self.texts if key[0] == greeter]
        for key in mine:
            del self.texts[key]
        return len(mine)

    def cells(self, greeter: str, prefix: str) -> list[str]:
        return sorted(
            cell for owner, cell in self.texts if owner == greeter and cell.startswith(prefix)
        )

    def usage(self) -> list[CellUsage]:
        greeters = sorted({greeter for greeter, _ in self.texts})
        return [CellUsage(greeter, *self.total(self.texts, greeter)) for greeter in greeters]

    def total(self, texts: dict[tuple[str, str], str], greeter: str) -> tuple[int, int]:
        mine = {cell: text for (owner, cell), text in texts.items() if owner == greeter}
        return len(mine), len("".join([*mine, *mine.values()]).encode())


_greeters = st.sampled_from(["chat", "todo"])
_names = st.text("a\0é\U0001f431", min_size=1, max_size=2)
_texts = st.text("x\0é", max_size=11)
_limits = st.builds(
    CellLimits,
    cell_size=st.sampled_from([8, 20]),
    database_size=st.integers(5, 40),
    max_cells=st.integers(1, 5),
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("store"), _greeters, _names, _texts, _limits),
        st.tuples(st.just("store"), _greeters, _names, _texts, st.just(PLENTY)),
        st.tuples(st.just("remove"), _greeters, _names, st.just(""), _limits),
        st.tuples(st.just("purge"), _greeters, _names, st.just(""), st.just(PLENTY)),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(steps=_steps)
async def test_both_adapters_do_what_the_model_does(
    steps: list[tuple[str, str, str, str, CellLimits]],
) -> None:
    model = Model()
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory())
        local = await stack.enter_async_context(open_local(Path(directory)))
        both = [memory_stores().cells, local.cells]
        for kind, greeter, name, text, limits in steps:
            expected: object
            if kind == "purge":
                expected = model.purge(greeter)
                done: list[object] = [await store.purge(greeter) for store in both]
            else:
                expected = model.store(greeter, name, text, limits)
                done = [await store.store(greeter, name, text, limits) for store in both]
            assert done == [expected, expected]
            assert kind != "remove" or expected is Stored.KEPT
            for store in both:
                assert await store.get(greeter, name) == model.texts.get((greeter, name), "")
                assert list(await store.cells(greeter, name[0])) == model.cells(greeter, name[0])
                assert list(await store.usage()) == model.usage()
