"""The contract: an OpenAPI 3.1 document made from the endpoint table, so that it cannot say anything else."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from msgspec import Struct, structs

from app.version import VERSION
from app.web.api.bodies import NoQuery
from app.web.api.credentials import PLAIN_COOKIE, SECURE_COOKIE
from app.web.api.documents import Problem
from app.web.api.endpoint import Auth, Endpoint, Limit
from app.web.api.router import NAME, PARAMETER
from app.web.api.same_origin import SAFE_METHODS
from app.web.api.schema import Components, Schema
from app.web.errors import KINDS

_ABOUT: Final = """\
Tasks that are live everywhere, repeat, remind and remember who changed what.

JSON in camelCase. Instants are RFC 3339 in UTC; a date without a time is `2026-11-23`. Refusals are
`application/problem+json` with a stable `code`; for 422, `errors` lists every field that is wrong. Names that are not
known, in bodies and in query strings, are refused with 422. State changes with the session cookie need a same-origin
request; programs use a bearer token."""

_TAGS: Final[Mapping[str, str]] = {
    "Accounts": "Register, sign in and out, and the profile.",
    "Tasks": "What is to be done.",
    "Reminders": "Being told in time, and the ledger of what was sent.",
    "Recurrence": "What a rule means, before it is stored.",
    "Audit": "Who changed what, and the proof.",
    "Operations": "For those who watch over the service.",
}

_PARAMETERS: Final[Mapping[str, Schema]] = {
    "Id": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "A UUID. An unknown one and somebody else's give the same 404.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "ActorPath": {
        "name": "path",
        "in": "path",
        "required": True,
        "description": "Where it hangs in the live tree, with dots for slashes: `events.audit`.",
        "schema": {"type": "string", "pattern": r"^[a-z]+(\.[a-z]+)+$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "Versions on which the caller insists, else 412. Weak tags never match.",
        "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,9}"(, ?"[0-9]{1,9}")*)$'},
        "example": '"7"',
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "Versions which the caller has; 304 when the current one is among them.",
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[0-9]{1,9}"(, ?(W/)?"[0-9]{1,9}")*)$'},
        "example": '"7"',
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and request give the same answer once; the same key with another request is 422.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
}

_HEADERS: Final[Mapping[str, Schema]] = {
    "RequestId": {
        "description": "By which the log can be searched; the caller's own if it sent one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {"description": "The version.", "required": True, "schema": {"type": "string"}, "example": '"7"'},
    "Location": {
        "description": "Where it is.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "RetryAfter": {"description": "In seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "SetCookie": {"description": "The session.", "required": True, "schema": {"type": "string"}},
    "Challenge": {"description": "How to sign in.", "required": True, "schema": {"type": "string"}},
}
_HEADERS_OF_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    401: ("WWW-Authenticate", "Challenge"),
    429: ("Retry-After", "RetryAfter"),
    503: ("Retry-After", "RetryAfter"),
}


def document(table: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document of a table."""
    components = Components()
    components.reference(Problem)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, components)
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Rondo",
                "version": VERSION,
                "description": _ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
            "paths": paths,
            "components": {
                "schemas": components.schemas,
                "parameters": _PARAMETERS,
                "headers": _HEADERS,
                "securitySchemes": _security_schemes(),
            },
            "x-problems": [{"code": code, "status": kind.status, "title": kind.title} for code, kind in KINDS.items()],
        }
    )


def codes_of(endpoint: Endpoint) -> list[str]:
    """Return every code with which an endpoint can refuse: those of its row, and those that follow from it."""
    changes = endpoint.method not in SAFE_METHODS
    told = [
        (endpoint.is_api, ("internal_error", "malformed_query", "validation_failed")),
        (endpoint.is_api, ("target_too_long", "headers_too_large")),
        (endpoint.is_api and endpoint.limit is not Limit.NONE, ("database_unavailable", "too_slow")),
        (endpoint.auth is not Auth.PUBLIC, ("not_authenticated",)),
        (endpoint.auth is Auth.OPERATOR, ("forbidden",)),
        (changes, ("cross_site_request", "outcome_unknown", "body_too_large", "request_timeout")),
        (endpoint.limit is not Limit.NONE, ("rate_limited",)),
        (endpoint.body is not None, _BODY_CODES),
        (endpoint.if_match, ("malformed_header", "version_conflict")),
        (endpoint.etag or endpoint.idempotent, ("malformed_header",)),
        (endpoint.idempotent, ("idempotency_key_reused",)),
    ]
    derived = {code for holds, codes in told if holds for code in codes}
    return [code for code in KINDS if code in derived | {*endpoint.refusals}]


_BODY_CODES: Final = (
    "malformed_json",
    "duplicate_key",
    "too_deep",
    "number_out_of_range",
    "invalid_text",
    "unsupported_media_type",
    "validation_failed",
)


def _operation(endpoint: Endpoint, components: Components) -> Schema:
    operation: Schema = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "security": [] if endpoint.auth is Auth.PUBLIC else [{"bearer": []}, {"cookie": []}, {"secureCookie": []}],
        "parameters": _parameters(endpoint, components),
        "responses": _responses(endpoint, components),
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    if endpoint.body is not None:
        operation["requestBody"] = _request_body(endpoint, endpoint.body, components)
    return operation


def _parameters(endpoint: Endpoint, components: Components) -> list[Schema]:
    wanted = {
        "Id": PARAMETER in endpoint.path,
        "ActorPath": NAME in endpoint.path,
        "IfMatch": endpoint.if_match,
        "IfNoneMatch": _takes_if_none_match(endpoint),
        "IdempotencyKey": endpoint.idempotent,
    }
    references = [{"$ref": f"#/components/parameters/{name}"} for name, is_wanted in wanted.items() if is_wanted]
    return references + ([] if endpoint.query is NoQuery else _query_parameters(endpoint.query, components))


def _query_parameters(query: type[Struct], components: Components) -> list[Schema]:
    listed = []
    for field in structs.fields(query):
        schema = components.field(field.type, request=True)
        if isinstance(schema.get("type"), list):  # leaving it out is the query string's null
            schema["type"] = schema["type"][0]
        elif {"type": "null"} in schema.get("anyOf", ()):
            choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
            schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
        if field.default not in (None, (), ""):
            schema["default"] = field.default
        parameter: Schema = {"name": field.encode_name, "in": "query", "schema": schema}
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
        listed.append(parameter)
    return listed


def _takes_if_none_match(endpoint: Endpoint) -> bool:
    return endpoint.etag and endpoint.method in SAFE_METHODS


def _request_body(endpoint: Endpoint, body: type[Struct], components: Components) -> Schema:
    schema = components.reference(body, request=True, read_only=endpoint.read_only)
    content: Schema = {"schema": schema}
    if endpoint.example is not None:
        content["example"] = endpoint.example
    media_types = ["application/merge-patch+json"] if endpoint.merge_patch else []
    return {"required": True, "content": dict.fromkeys(["application/json", *media_types], content)}


def _responses(endpoint: Endpoint, components: Components) -> Schema:
    responses = {str(endpoint.success): _success(endpoint, components)}
    if _takes_if_none_match(endpoint):
        headers = _header_references("RequestId", "ETag")
        responses["304"] = {"description": "The caller has the current version.", "headers": headers}
    by_status: dict[int, list[str]] = {}
    for code in codes_of(endpoint):
        by_status.setdefault(KINDS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = _refusal(status, codes)
    if endpoint.unhealthy:
        responses["503"] = _success(endpoint, components) | {"description": "A check fails."}
    return responses


def _success(endpoint: Endpoint, components: Components) -> Schema:
    is_sign_in = endpoint.limit is Limit.SIGN_IN
    wanted = {"RequestId": True, "ETag": endpoint.etag, "Location": endpoint.location, "SetCookie": is_sign_in}
    names = [name for name, is_wanted in wanted.items() if is_wanted]
    response: Schema = {"description": endpoint.summary, "headers": _header_references(*names)}
    if endpoint.answer is not None:
        schema = components.reference(endpoint.answer)
        response["content"] = {endpoint.media_type: {"schema": schema}}
    elif endpoint.success != 204:
        response["content"] = {endpoint.media_type: {"schema": {"type": "string"}}}
    if endpoint.links:
        response["links"] = {
            name: {"operationId": link.operation, "parameters": dict(link.parameters)}
            for name, link in endpoint.links.items()
        }
    return response


def _refusal(status: int, codes: list[str]) -> Schema:
    extra = _HEADERS_OF_STATUS.get(status)
    headers = _header_references("RequestId")
    if extra is not None:
        headers[extra[0]] = {"$ref": f"#/components/headers/{extra[1]}"}
    titles = "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": f"{titles}.", "headers": headers, "content": content}


_HEADER_NAMES: Final = {"RequestId": "X-Request-Id", "ETag": "ETag", "Location": "Location", "SetCookie": "Set-Cookie"}


def _header_references(*names: str) -> Schema:
    return {_HEADER_NAMES[name]: {"$ref": f"#/components/headers/{name}"} for name in names}


def _security_schemes() -> Schema:
    cookie: Schema = {"type": "apiKey", "in": "cookie"}
    by_tls = "Set by register and login over TLS, and where people come by https."
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token of register or login."},
        "cookie": cookie | {"name": PLAIN_COOKIE, "description": "Set by register and login over plain HTTP."},
        "secureCookie": cookie | {"name": SECURE_COOKIE, "description": by_tls},
    }
