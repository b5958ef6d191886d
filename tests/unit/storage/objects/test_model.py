"""Any sequence of changes leaves what a dictionary would hold."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.storage.objects import open_objects

KEYS = st.sampled_from(["a", "A", "a/b", "a/b/c", "a/B", "b", "b/a~1.2", "ä/" + "x" * 150])
CHANGES = st.one_of(
    st.tuples(st.just("put"), KEYS, st.binary(max_size=20)),
    st.tuples(st.just("remove"), KEYS),
    st.tuples(st.just("move"), KEYS, KEYS),
)


@settings(max_examples=25)
@given(st.lists(CHANGES, max_size=20))
async def test_files_are_as_in_a_dictionary(changes: list[tuple[Any, ...]]) -> None:
    expected: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with open_objects(Path(folder), bytes(32), reserve=0) as objects:
            files = objects.files("kart", None)
            for change in changes:
                match change:
                    case ("put", key, content):
                        await files.put(key, content)
                        expected[key] = content
                    case ("remove", key):
                        assert await files.remove(key) is (key in expected)
                        expected.pop(key, None)
                    case ("move", source, target):
                        assert await files.move(source, target) is (source in expected)
                        if source in expected:
                            expected[target] = expected.pop(source)
            found = {each.key: await files.read(each.key, 100) async for each in files.keys("")}
            assert found == expected
            if not expected:
                assert os.listdir(folder) == [".unfinished"]  # noqa: PTH208
