"""Where the edge listens: TCP, a Unix socket, or sockets that systemd opened and handed over.

Opening is all or nothing, and whatever goes wrong is one `ListenError` with a sentence for the operator.
"""

import errno
import os
import socket
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The kernel caps it at net.core.somaxconn. Bursts wait here while a turn of the loop is long.
BACKLOG: Final = 2048
# sd_listen_fds(3): the first descriptor that is handed over.
FIRST_INHERITED: Final = 3
# What fits into sockaddr_un beside the zero that ends it (unix(7)).
LONGEST_PATH_BYTES: Final = 107
_EVERY_INTERFACE: Final = "::"
# Why, and what to do about it, where the system's own words do not say it.
_TCP_REASONS: Final = {
    errno.EADDRINUSE: "another process already listens there; stop it or choose another port",
    errno.EACCES: "this user may not; choose a port above 1023",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose one that it has, or 0.0.0.0 for all of IPv4",
    errno.EAFNOSUPPORT: "this machine has no IPv6; choose an IPv4 address, or 0.0.0.0 for all of them",
}
_UNIX_REASONS: Final = {
    errno.EADDRINUSE: "another process already listens there; stop it or choose another path",
    errno.EACCES: "this user may not; choose a directory that can be written",
    errno.EEXIST: "it exists and is not a socket; remove it or choose another path",
    errno.ENOENT: "its directory does not exist; make it or choose another path",
}


class ListenError(OSError):
    """The edge cannot listen where it was told to; the message says where, why and what to do."""

    def __str__(self) -> str:
        """Return the sentence alone, without the number of the error before it."""
        return str(self.strerror)


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port; port 0 lets the kernel choose one for all addresses of the host."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A path, and the permissions of the socket there: by default its owner and group may connect."""

    path: Path
    mode: int = 0o660

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class InheritedSocket:
    """The number of a file descriptor that already listens. It stays open for the next start."""

    descriptor: int

    def __str__(self) -> str:
        return f"file descriptor {self.descriptor}"


Address = TcpAddress | UnixAddress | InheritedSocket


def inherited_sockets(environ: Mapping[str, str], pid: int) -> list[InheritedSocket]:
    """Return the sockets of systemd's socket activation, none if they are meant for another process."""
    if environ.get("LISTEN_PID") != str(pid):
        return []
    count = environ.get("LISTEN_FDS", "0")
    return [InheritedSocket(FIRST_INHERITED + number) for number in range(int(count) if count.isdigit() else 0)]


@dataclass(frozen=True, slots=True)
class Listener:
    """An open socket, and whether the file of a Unix socket is ours to remove."""

    sock: socket.socket
    inherited: bool

    @property
    def address(self) -> Address:
        """Return where it really listens."""
        name = self.sock.getsockname()
        if self.sock.family == socket.AF_UNIX:
            return UnixAddress(Path(name))
        return TcpAddress(name[0], name[1])

    def close(self) -> None:
        """Close it, and remove what it left in the file system."""
        name = self.sock.getsockname()
        self.sock.close()
        if self.sock.family == socket.AF_UNIX and not self.inherited:
            Path(name).unlink(missing_ok=True)


def open_listeners(addresses: Iterable[Address]) -> list[Listener]:
    """Return non-blocking listening sockets, at least one per address.

    Raises:
        ListenError: at least one could not be opened; none stays open.
    """
    listeners: list[Listener] = []
    with ExitStack() as opened:
        for address in addresses:
            for sock in _open(address):
                listener = Listener(sock, isinstance(address, InheritedSocket))
                opened.callback(listener.close)
                sock.settimeout(0)
                listeners.append(listener)
        opened.pop_all()
    return listeners


def _open(address: Address) -> list[socket.socket]:
    try:
        match address:
            case TcpAddress():
                return _open_tcp(address)
            case UnixAddress():
                return [_open_unix(address)]
            case InheritedSocket():
                return [_adopt(address)]
    except OSError as error:
        raise ListenError(error.errno, _explain(address, error)) from error


def _open_tcp(address: TcpAddress) -> list[socket.socket]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    port = address.port
    with ExitStack() as opened:
        sockets = []
        for family, kind, protocol, _, where in found:
            sock = opened.enter_context(socket.socket(family, kind, protocol))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # `::` stands for IPv4 too, unless that has a socket of its own, as for `*`.
                both = where[0] == _EVERY_INTERFACE and len(found) == 1
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not both))
            sock.bind((where[0], port, *where[2:]))
            sock.listen(BACKLOG)
            port = sock.getsockname()[1]
            sockets.append(sock)
        opened.pop_all()
    return sockets


def _open_unix(address: UnixAddress) -> socket.socket:
    _check_length(address.path)
    _clear_stale(address.path)
    with ExitStack() as opened:
        sock = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        # Nobody may connect between bind and chmod.
        before = os.umask(0o777)
        try:
            sock.bind(str(address.path))
        finally:
            os.umask(before)
        address.path.chmod(address.mode)
        sock.listen(BACKLOG)
        opened.pop_all()
    return sock


def _check_length(path: Path) -> None:
    """Python says it without a number and without the limit."""
    size = len(os.fsencode(path))
    if size > LONGEST_PATH_BYTES:
        reason = (
            f"its path has {size} bytes, and a Unix socket's has at most {LONGEST_PATH_BYTES}; choose a shorter one"
        )
        raise OSError(errno.ENAMETOOLONG, reason)


def _clear_stale(path: Path) -> None:
    """Remove a socket that a crash left behind; a live one, or another kind of file, is an error."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink(missing_ok=True)
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _adopt(address: InheritedSocket) -> socket.socket:
    sock = socket.socket(fileno=os.dup(address.descriptor))
    if sock.type != socket.SOCK_STREAM or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        sock.close()
        raise OSError(errno.EINVAL, "it is not a listening stream socket")
    return sock


def _explain(address: Address, error: OSError) -> str:
    reason = _reason(address, error)
    return f"Cannot listen on {address}: {reason}."


def _reason(address: Address, error: OSError) -> str:
    """Return why, and what to do about it."""
    said = error.strerror or str(error)
    match address:
        case _ if error.errno == errno.ENAMETOOLONG:
            return said
        case TcpAddress() if isinstance(error, socket.gaierror):
            return f"the host has no address here ({said}); choose an address or a name of this machine"
        case TcpAddress():
            return _TCP_REASONS.get(error.errno or 0, f"{said}; choose another host or port")
        case UnixAddress():
            return _UNIX_REASONS.get(error.errno or 0, f"{said}; choose another path")
        case InheritedSocket():
            return f"{said}; hand over a stream socket that listens, as systemd does"
