"""The wire format of a method, read from its annotations."""

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from nekonex.wire import Condition, RecordField
from nekonex.wire.types import resolve

__all__ = ["REQUIRED", "Parameter", "Signature", "inherit_signature", "read_signature"]

REQUIRED: Any = inspect.Parameter.empty
"""The default of a parameter that has none."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value on the wire: a parameter of a method, or a part of its reply."""

    name: str
    annotation: Any
    default: Any = REQUIRED

    @property
    def when(self) -> Condition | None:
        """The condition in the annotation, as in ``Annotated[UInt16, V("3.4")]``."""
        for extra in getattr(self.annotation, "__metadata__", ()):
            if isinstance(extra, Condition):
                return extra
        return None

    @property
    def plain(self) -> Any:
        """The annotation as a type checker sees it."""
        return _strip(self.annotation)

    def record_field(self) -> RecordField:
        """Return what a record codec is made of."""
        if self.default is REQUIRED:
            return RecordField(self.name, self.annotation, self.when)
        return RecordField(self.name, self.annotation, self.when, self.default)

    def check(self, place: str) -> None:
        """Raise TypeError if the annotation is no type of the wire."""
        try:
            resolve(self.annotation)
        except TypeError as error:
            raise TypeError(f"{place} {self.name}: {error}") from None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a method takes and gives."""

    parameters: tuple[Parameter, ...]
    reply: Any
    """None for no values, a wire type for one, a NamedTuple class for several."""
    parts: tuple[Parameter, ...]
    """The values of the reply, in order."""

    @property
    def make_reply(self) -> Callable[[tuple[Any, ...]], Any] | None:
        """What makes the NamedTuple of a reply of several values; None for other replies."""
        make: Callable[[tuple[Any, ...]], Any] | None = (
            self.reply._make if _is_named_tuple(self.reply) else None
        )
        return make


def _make(place: str, parameters: list[Parameter], reply: Any) -> Signature:
    """Check that everything can be sent."""
    parts: list[Parameter] = []
    if _is_named_tuple(reply):
        annotations = typing.get_type_hints(reply, include_extras=True)
        parts = [
            Parameter(name, annotations[name], reply._field_defaults.get(name, REQUIRED))
            for name in reply._fields
        ]
    elif reply is not None:
        parts = [Parameter("value", reply)]
    for parameter in parameters:
        parameter.check(f"{place}: parameter")
    for part in parts:
        part.check(f"{place}: reply")
    return Signature(tuple(parameters), reply, tuple(parts))


def _is_named_tuple(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and issubclass(annotation, tuple)
        and hasattr(annotation, "_field_defaults")
    )


def read_signature(function: Callable[..., Any], place: str) -> Signature:
    """Read the format from a function whose annotations have to say all of it.

    TypeError, beginning with ``place``, for what is not annotated or cannot be
    sent in order; NameError for names that are not defined yet.
    """
    parameters = _wire_parameters(function, place)
    if parameters is None:
        raise TypeError(f"{place}: *args and **kwargs have no wire format")
    for parameter in parameters:
        if parameter.annotation is REQUIRED:
            raise TypeError(f"{place}: parameter {parameter.name} has no annotation")
    annotations = _annotations(function, place)
    if "return" not in annotations:
        raise TypeError(f"{place}: no return annotation (-> None if the reply is empty)")
    found = [
        Parameter(parameter.name, annotations[parameter.name], parameter.default)
        for parameter in parameters
    ]
    return _make(place, found, _no_none_type(annotations["return"]))


def inherit_signature(function: Callable[..., Any], place: str, base: Signature) -> Signature:
    """Read the format of an override: what it does not say is as in the base.

    An annotation that only says what a type checker sees of the base's (``int``
    for ``UInt32``) says nothing new. TypeError and NameError as for
    `read_signature`, and for parameters that neither explains.
    """
    parameters = _wire_parameters(function, place)
    if parameters is None:
        return base
    annotations = _annotations(function, place)
    merged = []
    for index, parameter in enumerate(parameters):
        annotation = annotations.get(parameter.name, Any)
        known = base.parameters[index] if index < len(base.parameters) else None
        if known is not None and annotation in (Any, known.plain):
            annotation = known.annotation
        if annotation is Any:
            raise TypeError(f"{place}: parameter {parameter.name} has no annotation")
        default = parameter.default
        if default is REQUIRED and known is not None:
            default = known.default
        merged.append(Parameter(parameter.name, annotation, default))
    if len(merged) < len(base.parameters):
        missing = ", ".join(known.name for known in base.parameters[len(merged) :])
        raise TypeError(
            f"{place}: lacks {missing}, which the method takes that it overrides "
            "(use @method to define a new format)"
        )
    reply = _no_none_type(annotations.get("return", Any))
    if reply is Any or (base.reply is not None and reply == _strip(base.reply)):
        reply = base.reply
    return _make(place, merged, reply)


def _wire_parameters(function: Callable[..., Any], place: str) -> list[inspect.Parameter] | None:
    """Return the parameters after self and the client; None if a wrapper takes just anything."""
    every = list(inspect.signature(function).parameters.values())
    kinds = {parameter.kind for parameter in every}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    for parameter in every:
        if parameter.kind not in _POSITIONAL:
            raise TypeError(f"{place}: parameter {parameter.name} must be positional")
    if len(every) < 2:
        raise TypeError(f"{place}: a method takes self, the client, then what is on the wire")
    return every[2:]


def _annotations(function: Callable[..., Any], place: str) -> dict[str, Any]:
    """Evaluate the annotations that matter: not the client's, which may be for checkers only."""
    inner = inspect.unwrap(function)
    names = list(inspect.signature(inner).parameters)[:2]
    wanted = {name: value for name, value in inner.__annotations__.items() if name not in names}
    try:
        return typing.get_type_hints(
            types.SimpleNamespace(__annotations__=wanted),
            globalns=inner.__globals__,
            include_extras=True,
        )
    except NameError:
        raise
    except Exception as error:
        raise TypeError(f"{place}: an annotation cannot be read: {error}") from error


def _no_none_type(annotation: Any) -> Any:
    return None if annotation is type(None) else annotation


def _strip(annotation: Any) -> Any:
    """Take `Annotated` off a type and off what it contains."""
    if typing.get_origin(annotation) is Annotated:
        return _strip(annotation.__origin__)
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin in (list, dict) and arguments:
        return origin[tuple(_strip(argument) for argument in arguments)]
    return annotation
