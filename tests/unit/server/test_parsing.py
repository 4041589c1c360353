"""What is a request, and what is smuggling: acceptance case C21 as a table."""

import pytest

from app.web.server.limits import Limits
from app.web.server.parsing import RequestParser

HOST = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

REFUSED = {
    "content-length and transfer-encoding": (
        400,
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "transfer-encoding and content-length": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    "two equal content-lengths": (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "a list of content-lengths": (400, POST + b"Content-Length: 5, 5\r\n\r\nhello"),
    "content-length with a plus": (400, POST + b"Content-Length: +5\r\n\r\nhello"),
    "negative content-length": (400, POST + b"Content-Length: -5\r\n\r\nhello"),
    "hexadecimal content-length": (400, POST + b"Content-Length: 0x5\r\n\r\nhello"),
    "content-length with an underscore": (400, POST + b"Content-Length: 1_0\r\n\r\nhello"),
    "empty content-length": (400, POST + b"Content-Length: \r\n\r\n"),
    "endless content-length": (400, POST + b"Content-Length: 99999999999999999999999\r\n\r\n"),
    "content-length with thousands of zeros": (400, POST + b"Content-Length: " + b"0" * 5000 + b"5\r\n\r\nhello"),
    "transfer-encoding: xchunked": (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "transfer-encoding: chunked, identity": (400, POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    "transfer-encoding twice": (400, POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n"),
    "transfer-encoding quoted": (400, POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    "transfer-encoding with a vertical tab": (400, POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "transfer-encoding: gzip, chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "transfer-encoding in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "space before the colon": (400, POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "bare line feeds": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "a bare line feed after a header": (400, GET + b"Host: a\nX: b\r\n\r\n"),
    "a bare carriage return": (400, GET + b"Host: a\rX: b\r\n\r\n"),
    "a folded header": (400, GET + HOST + b"X: b\r\n c\r\n\r\n"),
    "a header folded with a tab": (400, GET + HOST + b"X: b\r\n\tc\r\n\r\n"),
    "a space before the first header": (400, GET + b" Host: a\r\n\r\n"),
    "a bad chunk terminator": (400, CHUNKED + b"5\r\nhelloXX0\r\n\r\n"),
    "a chunk size ended by a line feed": (400, CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    "a chunk ended by a line feed": (400, CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    "a space after the chunk size": (400, CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    "a hexadecimal prefix of a chunk size": (400, CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a negative chunk size": (400, CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n"),
    "no Host": (400, GET + b"\r\n"),
    "two Hosts": (400, GET + HOST + HOST + b"\r\n"),
    "an empty Host": (400, GET + b"Host:\r\n\r\n"),
    "a Host with a path": (400, GET + b"Host: a/b\r\n\r\n"),
    "a Host with user information": (400, GET + b"Host: a@b\r\n\r\n"),
    "an absolute target": (400, b"GET http://b/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target with a fragment": (400, b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "an asterisk": (400, b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target without a slash": (400, b"GET a HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target that is not UTF-8": (400, b"GET /%ff HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target with an encoded NUL": (400, b"GET /%00 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target with raw bytes": (400, b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a NUL in a value": (400, GET + HOST + b"X: a\0b\r\n\r\n"),
    "a NUL in a name": (400, GET + HOST + b"X\0: b\r\n\r\n"),
    "a NUL in the target": (400, b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a control character in a value": (400, GET + HOST + b"X: a\x01\r\n\r\n"),
    "a header without a colon": (400, GET + HOST + b"X\r\n\r\n"),
    "a header without a name": (400, GET + HOST + b": x\r\n\r\n"),
    "h2c": (400, GET + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n"),
    "h2c with a body": (400, POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nrest"),
    "HTTP/2 prior knowledge": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\n" + HOST + b"\r\n"),
    "HTTP/0.9": (505, b"GET / HTTP/0.9\r\n\r\n"),
    "HTTP/1.2": (400, b"GET / HTTP/1.2\r\n" + HOST + b"\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "CONNECT": (405, b"CONNECT a:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a method nobody knows": (501, b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a TLS client hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "an expectation": (417, POST + b"Expect: the unexpected\r\nContent-Length: 1\r\n\r\n"),
    "a body that is too large": (413, POST + b"Content-Length: 1048577\r\n\r\n"),
    "a target that is too long": (414, b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a target without an end": (414, b"GET /" + b"a" * 100_000),
    "too many headers": (431, GET + HOST + b"x: y\r\n" * 100 + b"\r\n"),
    "a header that is too large": (431, GET + HOST + b"x: " + b"y" * 100_000),
    "an upgrade in HTTP/1.0": (400, b"GET / HTTP/1.0\r\n" + UPGRADE + KEY + b"Sec-WebSocket-Version: 13\r\n\r\n"),
    "an upgrade with POST": (400, POST + UPGRADE + KEY + b"Sec-WebSocket-Version: 13\r\n\r\n"),
    "an upgrade with a body": (
        400,
        GET + HOST + UPGRADE + KEY + b"Sec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\n{}",
    ),
    "an upgrade with a chunked body": (
        400,
        GET + HOST + UPGRADE + KEY + b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "an upgrade without a key": (400, GET + HOST + UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n"),
    "an upgrade with a short key": (
        400,
        GET + HOST + UPGRADE + b"Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n",
    ),
    "an upgrade to an old version": (426, GET + HOST + UPGRADE + KEY + b"Sec-WebSocket-Version: 8\r\n\r\n"),
    "an upgrade without a version": (400, GET + HOST + UPGRADE + KEY + b"\r\n"),
    "an upgrade with two versions": (
        400,
        GET + HOST + UPGRADE + KEY + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n\r\n",
    ),
}


def parse(*pieces: bytes) -> RequestParser:
    parser = RequestParser(Limits())
    for piece in pieces:
        parser.feed(piece)
    return parser


@pytest.mark.accepts("C21", "X21")
@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED)
def test_a_request_that_could_be_read_in_two_ways_is_refused(status: int, data: bytes) -> None:
    parser = parse(data)

    assert parser.refusal is not None
    assert parser.refusal.status == status


@pytest.mark.accepts("C21")
@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_as_well_when_it_drips(status: int, data: bytes) -> None:
    step = max(1, len(data) // 200)

    parser = parse(*(data[start : start + step] for start in range(0, len(data), step)))

    assert parser.refusal is not None
    # llhttp sees the method grow letter by letter, so it may not know that it was one.
    assert parser.refusal.status == status or status in {431, 501}


def test_a_plain_request_is_understood() -> None:
    parser = parse(b"GET /a%20b/%C3%A4?c=%20 HTTP/1.1\r\nHost: rondo.example:80\r\nX-Y: z\r\n\r\n")
    request = parser.requests[0]

    assert (request.method, request.path, request.raw_path) == ("GET", "/a b/ä", b"/a%20b/%C3%A4")
    assert request.query_string == b"c=%20"
    assert request.headers == [(b"host", b"rondo.example:80"), (b"x-y", b"z")]
    assert request.complete
    assert request.keep_alive
    assert parser.refusal is None


@pytest.mark.parametrize("host", ["a", "a.example:8000", "127.0.0.1", "[::1]:80", "xn--hxajbheg2az3al.example"])
def test_hosts_of_every_form_are_understood(host: str) -> None:
    parser = parse(GET + b"Host: " + host.encode() + b"\r\n\r\n")

    assert parser.refusal is None


def test_requests_sent_ahead_come_out_in_order() -> None:
    parser = parse(
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HT", b"TP/1.1\r\nHost: a\r\n\r\n"
    )

    assert [request.path for request in parser.requests] == ["/1", "/2", "/3"]


def test_what_was_whole_before_a_fault_still_counts() -> None:
    parser = parse(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")

    assert [request.path for request in parser.requests] == ["/1"]
    assert parser.refusal is not None


def test_nothing_is_parsed_after_a_fault() -> None:
    parser = parse(GET + b"\r\n", GET + HOST + b"\r\n")

    assert not parser.requests


def test_a_body_comes_in_the_pieces_in_which_it_arrived() -> None:
    parser = parse(POST + b"Content-Length: 5\r\n\r\nhe", b"llo")
    request = parser.requests[0]

    assert request.chunks == [b"he", b"llo"]
    assert request.complete


def test_a_chunked_body_loses_its_chunks_and_its_trailers() -> None:
    parser = parse(CHUNKED + b"5;note=x\r\nhello\r\n1\r\n!\r\n0\r\nHost: b\r\nX: y\r\n\r\n" + GET + HOST + b"\r\n")

    assert b"".join(parser.requests[0].chunks) == b"hello!"
    assert parser.requests[0].headers == [(b"host", b"a"), (b"transfer-encoding", b"chunked")]
    assert parser.requests[1].headers == [(b"host", b"a")]


def test_a_chunked_body_cannot_outgrow_the_limit() -> None:
    parser = parse(CHUNKED, *([b"8000\r\n" + b"x" * 0x8000 + b"\r\n"] * 33))

    assert parser.refusal is not None
    assert parser.refusal.status == 413


def test_chunk_extensions_cannot_outgrow_the_limit() -> None:
    parser = parse(CHUNKED, *([b"1;" + b"x" * 8000 + b"\r\n!\r\n"] * 200))

    assert parser.refusal is not None
    assert parser.refusal.status == 413


def test_trailers_cannot_outgrow_the_limit() -> None:
    parser = parse(CHUNKED + b"0\r\n", *([b"x: " + b"y" * 8000 + b"\r\n"] * 200))

    assert parser.refusal is not None
    assert parser.refusal.status == 413


def test_a_head_of_many_pieces_is_measured_as_a_whole() -> None:
    parser = parse(GET + HOST, b"x: " + b"y" * 20_000 + b"\r\n", b"z: " + b"y" * 20_000 + b"\r\n\r\n")

    assert parser.refusal is not None
    assert parser.refusal.status == 431


def test_a_large_request_sent_ahead_is_not_taken_for_a_large_head() -> None:
    ahead = POST + b"Content-Length: 30000\r\n\r\n" + b"x" * 30_000

    parser = parse(ahead + b"GET /2 HT", b"TP/1.1\r\nHost: a\r\n\r\n")

    assert parser.refusal is None
    assert len(parser.requests) == 2


def test_http_1_0_closes_unless_it_asks_to_stay() -> None:
    closing = parse(b"GET / HTTP/1.0\r\n\r\n").requests[0]
    staying = parse(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").requests[0]

    assert (closing.keep_alive, staying.keep_alive) == (False, True)


def test_an_upgrade_keeps_the_bytes_of_the_other_protocol() -> None:
    parser = parse(GET + HOST + UPGRADE + KEY + b"Sec-WebSocket-Version: 13\r\n\r\n\x81\x80")

    assert parser.requests[0].upgrade
    assert parser.requests[0].leftover == b"\x81\x80"
    assert parser.refusal is None


def test_an_upgrade_header_without_its_connection_header_is_just_a_header() -> None:
    parser = parse(GET + HOST + b"Upgrade: h2c\r\n\r\n")

    assert not parser.requests[0].upgrade
    assert parser.refusal is None


def test_it_knows_whether_a_head_has_begun() -> None:
    parser = RequestParser(Limits())

    parser.feed(b"GET / HTTP/1.1\r\n")
    begun = parser.in_head
    parser.feed(b"Host: a\r\n\r\n")

    assert begun
    assert not parser.in_head
