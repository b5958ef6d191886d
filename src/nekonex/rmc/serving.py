"""From the bytes of a request to the bytes of its answer. Nothing that a handler does gets out."""

import asyncio
import logging
from collections.abc import Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING

from nekonex.rmc.limits import RMCStats
from nekonex.rmc.messages import FrameError, encode_error, encode_success, parse_request
from nekonex.rmc.servant import BoundMethod, Route
from nekonex.values import Result, RMCError, ServiceUnavailable
from nekonex.wire import WireError

if TYPE_CHECKING:
    from nekonex.rmc.session import Session

__all__ = ["answer"]

logger = logging.getLogger("nekonex.rmc")

_EXCEPTION = Result.error("Core::Exception").code
_INVALID_ARGUMENT = Result.error("Core::InvalidArgument").code
_NOT_IMPLEMENTED = Result.error("Core::NotImplemented").code
_SYSTEM_ERROR = Result.error("Core::SystemError").code
_TIMEOUT = Result.error("Core::Timeout").code


async def answer(
    session: "Session", routes: Mapping[int, Route], stats: RMCStats, data: bytes
) -> bytes | None:
    """Serve one request; return the frame to send back, or None if none is due.

    Raises nothing but a cancellation that is not the session's own.
    """
    stats.requests += 1
    try:
        protocol, call_id, method, body = parse_request(data)
    except FrameError as error:
        return _refuse_malformed(session, routes, stats, error)
    route = routes.get(protocol)
    if route is None:
        stats.unknown_protocol += 1
        logger.debug("Connection %d: protocol %d is not served", session.id, protocol)
        return encode_error(protocol, call_id, _NOT_IMPLEMENTED)
    bound = route.methods.get(method)
    if bound is None:
        stats.unknown_method += 1
        logger.debug("Connection %d: %s has no method %d", session.id, route.name, method)
        return encode_error(protocol, call_id, _NOT_IMPLEMENTED) if route.answers else None
    try:
        arguments = bound.decode(body)
    except WireError as error:
        stats.invalid_argument += 1
        logger.debug("Connection %d: %s cannot be read: %s", session.id, bound.name, error)
        return encode_error(protocol, call_id, _INVALID_ARGUMENT) if route.answers else None
    try:
        result = bound.call(session, *arguments)
        if bound.is_async or isawaitable(result):
            result = await result
        reply = encode_success(protocol, call_id, method, bound.encode(result))
    except asyncio.CancelledError as error:
        code = _cancelled(session, stats, bound.name, error)
        if not code:
            return None
        reply = encode_error(protocol, call_id, code)
    except Exception as error:  # noqa: BLE001 - logged and counted by what it is
        reply = encode_error(protocol, call_id, _failed(session, stats, bound, error))
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("Connection %d: %s, %d bytes, answered", session.id, bound.name, len(body))
    return reply if route.answers else None


def _refuse_malformed(
    session: "Session", routes: Mapping[int, Route], stats: RMCStats, error: FrameError
) -> bytes | None:
    """Answer as much of a request as could be read; without a call id nobody would understand."""
    stats.malformed += 1
    logger.debug("Connection %d: malformed request: %s", session.id, error.reason)
    if error.protocol is None or error.call_id is None:
        return None
    route = routes.get(error.protocol)
    if route is not None and not route.answers:
        return None
    return encode_error(error.protocol, error.call_id, _INVALID_ARGUMENT)


def _cancelled(
    session: "Session", stats: RMCStats, name: str, error: asyncio.CancelledError
) -> int:
    """Return the code to answer with, 0 for no answer; re-raise what others have cancelled."""
    if session.take_back_cancellation():
        if not session.connected:
            stats.abandoned += 1
            return 0
        stats.timeouts += 1
        logger.warning("%s took too long for connection %d", name, session.id)
        return _TIMEOUT
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        stats.abandoned += 1
        raise error
    stats.handler_errors += 1
    logger.error(
        "%s awaited something cancelled, for connection %d", name, session.id, exc_info=error
    )
    return _EXCEPTION


def _failed(session: "Session", stats: RMCStats, bound: BoundMethod, error: Exception) -> int:
    """Return the code for what a handler raised."""
    name = bound.name
    # Task groups wrap even a single error; the code inside is meant.
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if bound.error_of is not None:
        error = bound.error_of(error)
    match error:
        case RMCError():
            stats.refused += 1
            logger.debug("Connection %d: %s answers %s", session.id, name, error)
            return error.code
        case ServiceUnavailable():
            # Logged by the part that is out of order, once for everybody.
            stats.unavailable += 1
            return _SYSTEM_ERROR
        case TimeoutError():
            stats.timeouts += 1
            logger.warning("%s timed out for connection %d", name, session.id)
            return _TIMEOUT
        case NotImplementedError():
            stats.unknown_method += 1
            logger.debug("Connection %d: %s is not implemented", session.id, name)
            return _NOT_IMPLEMENTED
        case _:
            stats.handler_errors += 1
            logger.error("%s failed for connection %d", name, session.id, exc_info=error)
            return _EXCEPTION
