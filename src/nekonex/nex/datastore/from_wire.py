"""What consoles ask of the data store, as the domain's values.

Nothing is judged here: whatever a console can send can be represented, so that the rules can
refuse it. The exception are dates that are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypedDict

from nekonex.domain.datastore.callers import ObjectTarget
from nekonex.domain.datastore.drafts import Draft, MetaChange, MetaComparison, Modify
from nekonex.domain.datastore.model import Permission, RatingRules
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import GivenRating, RatingTarget, SearchRequest
from nekonex.nex import structures as wire
from nekonex.values import DateTime

__all__ = [
    "change_of",
    "change_of_v1",
    "draft_of",
    "draft_of_v1",
    "moment_of",
    "permission_of",
    "rating_of",
    "rating_target_of",
    "search_of",
    "target_of",
]

_FIRST_MODIFICATIONS: Final = (
    Modify.NAME
    | Modify.ACCESS
    | Modify.UPDATE
    | Modify.PERIOD
    | Modify.META_BINARY
    | Modify.TAGS
    | Modify.UPDATED_TIME
)
"""What the first version can change: it has no values for the rest."""


class _DraftFields(TypedDict):
    """What both versions of a post have, as the domain names it."""

    size: int
    name: str
    data_type: int
    meta_binary: bytes
    access: Permission
    update: Permission
    flags: int
    period: int
    refer_data_id: int
    tags: tuple[str, ...]
    rating_rules: tuple[tuple[int, RatingRules], ...]


class _ChangeFields(TypedDict):
    """What both versions of a change have, as the domain names it."""

    name: str
    access: Permission
    update: Permission
    period: int
    meta_binary: bytes
    tags: tuple[str, ...]
    password: int


def permission_of(structure: wire.DataStorePermission) -> Permission:
    """Return who may do something with an object."""
    return Permission(structure.permission, tuple(structure.recipients))


def target_of(data_id: int, persistence: wire.DataStorePersistenceTarget) -> ObjectTarget:
    """Return which object is meant, by its number or by its slot."""
    return ObjectTarget(data_id, persistence.owner_id, persistence.persistence_id)


def draft_of(param: wire.DataStorePreparePostParam) -> Draft:
    """Return an object that is to be posted."""
    return Draft(
        **_draft_fields(param),
        slot=param.persistence_init_param.persistence_id,
        delete_last_object=param.persistence_init_param.delete_last_object,
        extra_data=tuple(param.extra_data),
    )


def draft_of_v1(param: wire.DataStorePreparePostParamV1) -> Draft:
    """Return an object that is to be posted; the first version has no persistence slots."""
    return Draft(**_draft_fields(param))


def change_of(param: wire.DataStoreChangeMetaParam) -> MetaChange:
    """Return how an object is to change."""
    return MetaChange(
        **_change_fields(param),
        target=target_of(param.data_id, param.persistence_target),
        flags=param.modifies_flag,
        referred_count=param.referred_count,
        data_type=param.data_type,
        status=param.status,
        compare=_comparison_of(param.compare_param),
    )


def change_of_v1(param: wire.DataStoreChangeMetaParamV1) -> MetaChange:
    """Return how an object is to change, as far as the first version can say."""
    return MetaChange(
        **_change_fields(param),
        target=ObjectTarget(param.data_id),
        flags=param.modifies_flag & _FIRST_MODIFICATIONS,
    )


def search_of(param: wire.DataStoreSearchParam) -> SearchRequest:
    """Return what is looked for. That a result may come from a cache means nothing here.

    Raises DataStoreError (INVALID) for what is no date.
    """
    return SearchRequest(
        target=param.search_target,
        owners=tuple(param.owner_ids),
        owner_type=param.owner_type,
        recipients=tuple(param.destination_ids),
        data_type=param.data_type,
        created_after=moment_of(param.created_after),
        created_before=moment_of(param.created_before),
        updated_after=moment_of(param.updated_after),
        updated_before=moment_of(param.updated_before),
        refer_data_id=param.refer_data_id,
        tags=tuple(param.tags),
        order=param.result_order_column,
        descending=param.result_order,
        offset=param.result_range.offset,
        limit=param.result_range.size,
        minimum_ratings=param.minimal_rating_frequency,
        count=param.total_count_enabled,
        data_types=tuple(param.data_types),
    )


def rating_target_of(target: wire.DataStoreRatingTarget) -> RatingTarget:
    """Return which rating is meant."""
    return RatingTarget(target.data_id, target.slot)


def rating_of(param: wire.DataStoreRateObjectParam) -> GivenRating:
    """Return what somebody gives an object."""
    return GivenRating(param.rating_value, param.access_password)


def moment_of(date: DateTime) -> int | None:
    """Return a bound of a search in POSIX seconds; None for what is no condition.

    That is what consoles send as long as nobody set a date: one in the far future, or 0. Raises
    DataStoreError (INVALID) for what is no date.
    """
    if date == DateTime.never() or date >= DateTime.future():
        return None
    try:
        return date.timestamp()
    except ValueError as error:
        raise DataStoreError(Refusal.INVALID, f"{date} is no date") from error


def _draft_fields(
    param: wire.DataStorePreparePostParam | wire.DataStorePreparePostParamV1,
) -> _DraftFields:
    return {
        "size": param.size,
        "name": param.name,
        "data_type": param.data_type,
        "meta_binary": param.meta_binary,
        "access": permission_of(param.permission),
        "update": permission_of(param.delete_permission),
        "flags": param.flag,
        "period": param.period,
        "refer_data_id": param.refer_data_id,
        "tags": tuple(param.tags),
        "rating_rules": _rules_of(param.rating_init_param),
    }


def _rules_of(
    structures: Iterable[wire.DataStoreRatingInitParamWithSlot],
) -> tuple[tuple[int, RatingRules], ...]:
    return tuple(
        (
            each.slot,
            RatingRules(
                flags=each.param.flag,
                internal_flags=each.param.internal_flag,
                lock_type=each.param.lock_type,
                initial_value=each.param.initial_value,
                minimum=each.param.range_min,
                maximum=each.param.range_max,
                period_hour=each.param.period_hour,
                period_duration=each.param.period_duration,
            ),
        )
        for each in structures
    )


def _change_fields(
    param: wire.DataStoreChangeMetaParam | wire.DataStoreChangeMetaParamV1,
) -> _ChangeFields:
    return {
        "name": param.name,
        "access": permission_of(param.permission),
        "update": permission_of(param.delete_permission),
        "period": param.period,
        "meta_binary": param.meta_binary,
        "tags": tuple(param.tags),
        "password": param.update_password,
    }


def _comparison_of(param: wire.DataStoreChangeMetaCompareParam) -> MetaComparison:
    return MetaComparison(
        flags=param.comparison_flag,
        name=param.name,
        access=permission_of(param.permission),
        update=permission_of(param.delete_permission),
        period=param.period,
        meta_binary=param.meta_binary,
        tags=tuple(param.tags),
        data_type=param.data_type,
        referred_count=param.referred_count,
        status=param.status,
    )
