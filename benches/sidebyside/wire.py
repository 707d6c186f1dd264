"""Just enough RESP to look after the endpoints: ask once, fill with keys, hold idle connections.

Knows no process and no cell. Nothing here is measured.
"""
import binascii
import socket

SLOTS = 16384
# Requests in one write while filling: large enough to be quick, small enough for every proxy's limits.
FILL_BATCH = 500


class Refused(Exception):
    """An error reply, or no reply."""


def request(*words):
    """The bytes of one request."""
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def read_reply(stream):
    """One reply as bytes, int, None or a list of those."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise Refused("the connection closed")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise Refused(rest.decode(errors="replace"))
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [read_reply(stream) for _ in range(int(rest))]
    return int(rest) if kind == b":" else rest


def connect(where, timeout=10):
    """A connection to a loopback port, or to a unix socket where it is a path."""
    if not isinstance(where, str):
        return socket.create_connection(("127.0.0.1", where), timeout)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(timeout)
    sock.connect(where)
    return sock


def ask(where, *words):
    """The reply to one request over a connection of its own."""
    with connect(where) as sock:
        sock.sendall(request(*words))
        return read_reply(sock.makefile("rb"))


def slot(key):
    """The hash slot of a key without a hash tag."""
    return binascii.crc_hqx(key, 0) % SLOTS


def owners(port):
    """The port that owns each slot, as the node at `port` sees it."""
    ports = [None] * SLOTS
    for first, last, owner, *_ in ask(port, "CLUSTER", "SLOTS"):
        ports[first:last + 1] = [owner[1]] * (last - first + 1)
    return ports


def keys(prefix, count):
    """The keys that redis-benchmark draws for `prefix` and `__rand_int__` with `-r count`."""
    return [b"%s%012d" % (prefix.encode(), number) for number in range(count)]


def fill(port_of, keys, size):
    """Stores a value of `size` bytes under each of `keys` at the port that `port_of(key)` names."""
    value, by_port = b"x" * size, {}
    for key in keys:
        by_port.setdefault(port_of(key), []).append(key)
    for port, names in by_port.items():
        with connect(port) as sock:
            replies = sock.makefile("rb")
            for at in range(0, len(names), FILL_BATCH):
                batch = names[at:at + FILL_BATCH]
                sock.sendall(b"".join(request("SET", name, value) for name in batch))
                for _ in batch:
                    read_reply(replies)
