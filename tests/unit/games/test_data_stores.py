"""What data stores of titles answer, and what they leave to the titles."""

from __future__ import annotations

import pytest

from nekonex.games.data_stores import DATA_STORES
from nekonex.games.protocol_names import PROTOCOL_VARIANTS
from nekonex.nex.datastore import DataStoreServer
from nekonex.wire import WireContext

CONTEXT = WireContext("3.5.4")
COMMON = {number: codec.name for number, codec in DataStoreServer.codecs(CONTEXT).items()}


def test_every_title_with_methods_of_its_own_below_47_is_there() -> None:
    assert DATA_STORES.keys() == PROTOCOL_VARIANTS["datastore"] - {"pokemon-gen7"}
    assert COMMON.keys() == set(range(1, 47))


@pytest.mark.parametrize(
    ("variant", "last"),
    [
        ("badge-arcade", 44),
        ("pokemon-bank", 39),
        ("pokemon-gen6", 39),
        ("smash-4", 44),
        ("super-mario-maker", 45),
        ("xenoblade-x", 42),
    ],
)
def test_the_numbers_after_those_of_its_version_are_the_titles(variant: str, last: int) -> None:
    known = {n: codec.name for n, codec in DATA_STORES[variant].codecs(CONTEXT).items()}
    assert known == {number: name for number, name in COMMON.items() if number <= last}


def test_mario_kart_8_asks_for_files_by_another_number() -> None:
    known = {n: codec.name for n, codec in DATA_STORES["mario-kart-8"].codecs(CONTEXT).items()}
    assert known[43] == "get_object_infos"
    assert known.keys() & {41, 42, 44, 45} == set()
