"""Turns a JSON object or a query string into a typed struct, and names everything that is wrong with it at once.

Strict: "1" is not 1, true is not 1, an unknown field is refused. A field that only the server writes is skipped where
the endpoint says so, so that what GET returned can be changed and PUT back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Generic, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import structs

from app.domain.errors import FieldError, ValidationFailedError
from app.domain.unset import Unset
from app.web.api.formats import FieldRefusedError, Format

S = TypeVar("S", bound=msgspec.Struct)

_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_EXPECTED: Final = re.compile(r"Expected `(\w+)[^`]*`, got `(\w+)`")
_DIGITS: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_TRUTH: Final = {"true": True, "false": False}
# More wrong fields than this say nothing new, and the answer must stay short.
MAX_ERRORS: Final = 100
_MAX_NAME_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class FieldType:
    """What the annotation of a field says.

    Attributes:
        core: The type without None and `Unset`, with its metadata.
        format: The format in the metadata, if any.
        nullable: Whether null is taken.
    """

    core: Any
    format: Format | None
    nullable: bool

    @classmethod
    def of(cls, annotation: Any) -> "FieldType":
        """Take an annotation apart."""
        is_union = get_origin(annotation) in {Union, UnionType}
        members = [member for member in get_args(annotation) if member is not Unset] if is_union else [annotation]
        nullable = NoneType in members
        (core,) = (member for member in members if member is not NoneType)
        return cls(core, _format_in(core), nullable)


def _format_in(annotation: Any) -> Format | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((extra for extra in get_args(annotation)[1:] if isinstance(extra, Format)), None)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    wire_name: str
    required: bool
    read: Callable[[object, str, list[FieldError]], Any]


class StructReader(Generic[S]):
    """Reads objects of JSON into one type of struct."""

    def __init__(self, struct: type[S], ignored: frozenset[str] = frozenset(), *, from_text: bool = False) -> None:
        """Prepare to read.

        Args:
            struct: What to make. Fields without a default must be given.
            ignored: Names that may be given and mean nothing.
            from_text: Values are texts of a query string.
        """
        self._struct = struct
        self._ignored = ignored
        self._from_text = from_text
        self._fields = {field.encode_name: self._field(field) for field in structs.fields(struct)}

    def read(self, document: object) -> S:
        """Return the struct.

        Raises:
            ValidationFailedError: naming every field that is wrong, missing or unknown.
        """
        errors: list[FieldError] = []
        made = self.collect(document, "", errors)
        if made is None:
            raise ValidationFailedError(errors[:MAX_ERRORS])
        return made

    def collect(self, document: object, prefix: str, errors: list[FieldError]) -> S | None:
        """Return the struct, or None after adding what is wrong to `errors`."""
        if not isinstance(document, dict):
            errors.append(FieldError(prefix.rstrip("."), "type", "Must be an object."))
            return None
        before = len(errors)
        values = {}
        for wire_name, field in self._fields.items():
            if wire_name in document:
                values[field.name] = field.read(document[wire_name], prefix + wire_name, errors)
            elif field.required:
                errors.append(FieldError(prefix + wire_name, "required", "Must be given."))
        unknown = sorted(document.keys() - self._fields.keys() - self._ignored)
        errors += [FieldError(prefix + name[:_MAX_NAME_LENGTH], "unknown", "Is not known here.") for name in unknown]
        return self._struct(**values) if len(errors) == before else None

    def _field(self, field: structs.FieldInfo) -> _Field:
        kind = FieldType.of(field.type)
        return _Field(field.name, field.encode_name, field.required, _nullable(self._reader(kind), kind))

    def _reader(self, kind: FieldType) -> Callable[[object, str, list[FieldError]], Any]:
        if isinstance(kind.core, type) and issubclass(kind.core, msgspec.Struct):
            return StructReader(kind.core).collect_below
        return _leaf(_leaf_reader(kind, from_text=self._from_text))

    def collect_below(self, value: object, path: str, errors: list[FieldError]) -> S | None:
        """Read a struct that is a field of another."""
        return self.collect(value, f"{path}.", errors)


def _nullable(
    read: Callable[[object, str, list[FieldError]], Any], kind: FieldType
) -> Callable[[object, str, list[FieldError]], Any]:
    if not kind.nullable:
        return read
    return lambda value, path, errors: None if value is None else read(value, path, errors)


def _leaf(read: Callable[[object], Any]) -> Callable[[object, str, list[FieldError]], Any]:
    def collect(value: object, path: str, errors: list[FieldError]) -> Any:
        try:
            return read(value)
        except FieldRefusedError as refusal:
            errors.append(FieldError(path + refusal.below, refusal.code, refusal.message))
            return None

    return collect


def _leaf_reader(kind: FieldType, *, from_text: bool) -> Callable[[object], Any]:
    if kind.format is not None:
        return kind.format.read
    if isinstance(kind.core, type) and issubclass(kind.core, StrEnum):
        return _choice(kind.core)
    plain = _plain(kind.core)
    if from_text:
        return lambda value: plain(_parsed(value, kind.core))
    return plain


def _choice(choices: type[StrEnum]) -> Callable[[object], StrEnum]:
    known: dict[str, StrEnum] = {str(choice): choice for choice in choices}

    def read(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in known:
            raise FieldRefusedError("invalid", f"Must be one of {', '.join(choices)}.")
        return known[value]

    return read


def _plain(core: Any) -> Callable[[object], Any]:
    def read(value: object) -> Any:
        try:
            return msgspec.convert(value, core, strict=True)
        except msgspec.ValidationError as error:
            raise _refusal(str(error)) from None

    return read


def _parsed(value: object, core: Any) -> object:
    """Return what the text of a query string says, or the text where it says nothing of this type."""
    base = get_args(core)[0] if get_origin(core) is Annotated else core
    text = str(value)
    if base is bool:
        return _TRUTH.get(text, text)
    return int(text) if base is int and _DIGITS.fullmatch(text) else text


def _refusal(message: str) -> FieldRefusedError:
    found = _EXPECTED.match(message)
    if found is not None:
        wanted, given = (_WORDS.get(word, word) for word in found.groups())
        return FieldRefusedError("type", f"Must be {wanted}, not {given}.")
    return FieldRefusedError("invalid", message.replace("Expected `int`", "Must be") + ".")
