"""JSON Schema (2020-12, as OpenAPI 3.1 speaks it) of the types that bodies and answers are made of."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from inspect import cleandoc
from typing import Annotated, Any, Final, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import structs

from app.domain.unset import Unset
from app.web.api.formats import Format
from app.web.api.reading import FieldType

Schema = dict[str, Any]

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    UUID: {"type": "string", "format": "uuid"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
}
_META: Final = {
    "ge": "minimum",
    "le": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "description": "description",
    "examples": "examples",
}
# Of a name in a request that the server alone writes: whether it is read at all.
_KEPT: Final = "Written by the server alone; may be sent back as it is."
_SKIPPED: Final = "Written by the server alone; skipped."


class Components:
    """Collects the schemas of named types, to be referred to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self._made_of: dict[str, type[msgspec.Struct]] = {}

    def reference(
        self, struct: type[msgspec.Struct], *, request: bool = False, read_only: frozenset[str] = frozenset()
    ) -> Schema:
        """Return a reference to a struct's schema, making it first if it is new.

        Args:
            struct: What the document is.
            request: It comes from outside: unknown fields are refused.
            read_only: Names that a request may bring and that mean nothing.
        """
        name = struct.__name__
        if self._made_of.setdefault(name, struct) is not struct:
            raise ValueError(f"two types are called {name}")
        if name not in self.schemas:
            self.schemas[name] = {}  # holds the place while its fields are described
            self.schemas[name] = self._struct(struct, request=request, read_only=read_only)
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, annotation: Any, *, request: bool) -> Schema:
        """Return the schema of a field."""
        kind = FieldType.of(annotation)
        schema = self._core(kind.core, request=request)
        if not kind.nullable:
            return schema
        if isinstance(schema.get("type"), str) and "enum" not in schema:
            return schema | {"type": [schema["type"], "null"]}
        choices = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
        return {"anyOf": [*choices, {"type": "null"}]}

    def _struct(self, struct: type[msgspec.Struct], *, request: bool, read_only: frozenset[str]) -> Schema:
        fields = structs.fields(struct)
        described = {field.encode_name: self._described(field, request=request) for field in fields}
        ignored = {
            name: {"readOnly": True, "description": _KEPT if name in described else _SKIPPED}
            for name in sorted(read_only)
        }
        schema: Schema = {"type": "object", "description": cleandoc(struct.__doc__ or "")}
        if fields:
            schema["properties"] = described | ignored
            schema["required"] = [field.encode_name for field in fields if field.required]
        if request:
            schema["additionalProperties"] = False
        return schema

    def _described(self, field: structs.FieldInfo, *, request: bool) -> Schema:
        schema = self.field(field.type, request=request)
        default = field.default
        if not request or field.required or isinstance(default, Unset) or default in (None, ()):
            return schema
        return schema | {"default": default}

    def _core(self, core: Any, *, request: bool) -> Schema:
        if get_origin(core) is Annotated:
            return self._annotated(*get_args(core), request=request)
        if get_origin(core) is tuple:
            return {"type": "array", "items": self.field(get_args(core)[0], request=request)}
        if get_origin(core) is dict:
            return {"type": "object", "additionalProperties": self.field(get_args(core)[1], request=request)}
        if isinstance(core, type) and issubclass(core, msgspec.Struct):
            return self.reference(core, request=request)
        if isinstance(core, type) and issubclass(core, StrEnum):
            return {"type": "string", "enum": [*core]}
        return dict(_PLAIN[core])

    def _annotated(self, inner: Any, *extras: Any, request: bool) -> Schema:
        for extra in extras:
            if isinstance(extra, Format):
                return dict(extra.schema)
        schema = self._core(inner, request=request)
        for extra in extras:
            values = {word: getattr(extra, name) for name, word in _META.items()}
            schema |= {word: value for word, value in values.items() if value is not None}
        return schema
