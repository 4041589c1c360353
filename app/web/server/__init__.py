"""The edge: everything between a socket and an ASGI application. See `docs/edge.md`."""

from app.web.server.asgi import ASGIApp, ClientDisconnectedError, Headers, Message, Receive, Scope, Send
from app.web.server.forwarded import TrustedProxies
from app.web.server.limits import Limits
from app.web.server.listeners import (
    Address,
    InheritedSocket,
    ListenError,
    TcpAddress,
    UnixAddress,
    inherited_sockets,
)
from app.web.server.problems import ErrorResponse
from app.web.server.server import HttpServer
from app.web.server.tls import TlsError, TlsFiles
from app.web.server.websocket import EdgeWebSocket, WebSocketHandshake, text_frame

__all__ = [
    "ASGIApp",
    "Address",
    "ClientDisconnectedError",
    "EdgeWebSocket",
    "ErrorResponse",
    "Headers",
    "HttpServer",
    "InheritedSocket",
    "Limits",
    "ListenError",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "TcpAddress",
    "TlsError",
    "TlsFiles",
    "TrustedProxies",
    "UnixAddress",
    "WebSocketHandshake",
    "inherited_sockets",
    "text_frame",
]
