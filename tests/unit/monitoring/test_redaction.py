import pytest

from monitoring import redaction

CANARY = "canary-7f3a9c51e2"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "newPassword",
        "password_hash",
        "PASSWORD",
        "token",
        "accessToken",
        "authorization",
        "Set-Cookie",
        "cookie",
        "clientSecret",
        "api_key",
        "apiKey",
    ],
)
def test_a_field_named_like_a_secret_is_never_written(key: str) -> None:
    assert redaction.redact_fields({key: CANARY}) == {key: "[redacted]"}


@pytest.mark.parametrize("key", ["tokenId", "token_count", "title", "keyboard", "component", "id", ""])
def test_a_field_that_only_sounds_like_one_is(key: str) -> None:
    assert redaction.redact_fields({key: CANARY}) == {key: CANARY}


def test_secrets_are_found_at_every_depth() -> None:
    fields = {"request": {"headers": [{"authorization": CANARY}, {"accept": "*/*"}]}, "set": {f"token={CANARY}"}}

    assert CANARY not in str(redaction.redact_fields(fields))


def test_a_structure_without_end_is_cut() -> None:
    endless: dict[str, object] = {"password": CANARY}
    endless["again"] = endless

    assert CANARY not in str(redaction.redact_fields(endless)).replace("'again'", "")


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY}",
        f'{{"password": "{CANARY} with spaces"}}',
        f"password={CANARY}&next=1",
        f"Set-Cookie: session={CANARY}",
        f"GET /ws?token={CANARY}&since=4 HTTP/1.1",
        f"GET /api/tasks?search={CANARY}",
        f"https://example.org/reset?code={CANARY}#top",
        f"postgresql://rondo:{CANARY}@localhost/rondo",
        f"$argon2id$v=19$m=19456,t=2,p=1${CANARY}",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}",
    ],
)
def test_a_secret_inside_a_text_is_taken_out(text: str) -> None:
    assert CANARY not in redaction.redact_text(text)


def test_a_json_web_token_is_taken_out() -> None:
    assert redaction.redact_text(f"got {JWT}.") == "got [redacted]."


@pytest.mark.parametrize("text", ["got {}.", "{}", "x-{}", "{}-x", "a/{}/b"])
def test_a_token_of_ours_is_taken_out(text: str) -> None:
    token = "rondo_" + "aB3_-" * 8 + "xyz"

    assert "aB3" not in redaction.redact_text(text.format(token))


def test_a_query_string_keeps_its_names() -> None:
    assert redaction.redact_text("/api/tasks?search=rent&limit=5") == "/api/tasks?search=…&limit=…"


@pytest.mark.parametrize("text", ["Published a batch.", "What now? a=b", "10:30 basic things", "Is it ok? Yes: it is."])
def test_an_innocent_text_stays_as_it_is(text: str) -> None:
    assert redaction.redact_text(text) == text


def test_other_values_keep_their_type() -> None:
    fields = {"count": 3, "ratio": 0.5, "done": True, "nothing": None, "tags": ("a", "b"), "raw": b"abc"}

    assert redaction.redact_fields(fields) == {**fields, "tags": ["a", "b"], "raw": "abc"}


def test_a_secret_that_is_not_there_is_said_to_be_not_there() -> None:
    assert redaction.redact_fields({"token": None}) == {"token": None}
