"""What consoles send to rank and to store: NintendoClients' own structures, filled in."""

import contextlib
from typing import Any, Final

with contextlib.suppress(ImportError):  # `check_clients` says how to get it
    from nintendo.nex import common, datastore, ranking

__all__ = ["PUBLIC", "completion", "get", "order", "post", "rating", "score", "search", "slot_zero"]

PUBLIC: Final = 0
_PRIVATE: Final = 3
_NEEDS_COMPLETION: Final = 0x40
_SMALLER_IS_BETTER: Final = 0


def score(category: int, value: int) -> Any:
    """Return a score that counts if it is better than the player's last."""
    return _filled(
        ranking.RankingScoreData(),
        category=category,
        score=value,
        order=_SMALLER_IS_BETTER,
        update_mode=0,
        groups=[0, 0],
        param=0,
    )


def order(calculation: int, count: int) -> Any:
    """Return how ranks are counted, and how many rows are wanted."""
    return _filled(
        ranking.RankingOrderParam(),
        order_calc=calculation,
        group_index=255,
        group_num=0,
        time_scope=2,
        offset=0,
        count=count,
    )


def post(name: str, size: int, data_type: int, tag: str) -> Any:
    """Return an object that everybody may read and rate, and only its owner may change."""
    rules = _filled(
        datastore.DataStoreRatingInitParam(),
        flag=0,
        internal_flag=0,
        lock_type=0,
        initial_value=0,
        range_min=0,
        range_max=0,
        period_hour=0,
        period_duration=0,
    )
    return _filled(
        datastore.DataStorePreparePostParam(),
        size=size,
        name=name,
        data_type=data_type,
        meta_binary=b"",
        permission=_filled(datastore.DataStorePermission(), permission=PUBLIC),
        delete_permission=_filled(datastore.DataStorePermission(), permission=_PRIVATE),
        flag=_NEEDS_COMPLETION,
        period=90,
        tags=[tag],
        rating_init_param=[
            _filled(datastore.DataStoreRatingInitParamWithSlot(), slot=0, param=rules)
        ],
        extra_data=[],
    )


def search(data_type: int) -> Any:
    """Return what looks for objects of a type."""
    return _filled(
        datastore.DataStoreSearchParam(),
        data_type=data_type,
        result_range=common.ResultRange(0, 10),
        result_option=0xFF,
    )


def get(data_id: int) -> Any:
    """Return which object is to be downloaded."""
    return _filled(datastore.DataStorePrepareGetParam(), data_id=data_id)


def completion(data_id: int, *, success: bool) -> Any:
    """Return how an upload ended."""
    return _filled(datastore.DataStoreCompletePostParam(), data_id=data_id, success=success)


def slot_zero(data_id: int) -> Any:
    """Return what is rated of an object."""
    return _filled(datastore.DataStoreRatingTarget(), data_id=data_id, slot=0)


def rating(value: int) -> Any:
    """Return how an object is rated."""
    return _filled(datastore.DataStoreRateObjectParam(), rating_value=value, access_password=0)


def _filled(structure: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(structure, name, value)
    return structure
