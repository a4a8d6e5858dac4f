#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The Linux kernel as the other end: plain sockets that verify every octet.

peer.py COMMAND ...   prints one line and exits 0 when all was as it must be, else says why and exits 1.
Streams follow the pattern of app/runnel/pattern.h: octet at offset o = XOR of the eight octets of o.
"""
import errno
import functools
import resource
import select
import socket
import struct
import sys
import threading
import time

BLOCK = 65536
BASE = bytes((o & 255) ^ (o >> 8) for o in range(BLOCK))
TIMEOUT = 240


class Wrong(Exception):
    pass


@functools.lru_cache(maxsize=256)
def variant(x):
    return BASE.translate(bytes(i ^ x for i in range(256)))


def pattern(offset, length):
    """Octets of the stream from offset on; at most up to the end of a block."""
    high = 0
    for byte in (offset // BLOCK).to_bytes(6, "big"):
        high ^= byte
    begin = offset % BLOCK
    return memoryview(variant(high))[begin:min(begin + length, BLOCK)]


def connect(host, port, timeout=TIMEOUT):
    s = socket.create_connection((host, int(port)), timeout=timeout)
    s.settimeout(TIMEOUT)
    return s


def send_pattern(s, total):
    offset = 0
    while offset < total:
        piece = pattern(offset, total - offset)
        s.sendall(piece)
        offset += len(piece)


def verify_pattern(s, total=None, first=0):
    """Reads to the end of the stream; every octet must be the pattern's."""
    offset = first
    while True:
        data = s.recv(BLOCK)
        if not data:
            break
        view = memoryview(data)
        while view:
            piece = pattern(offset, len(view))
            if view[:len(piece)] != piece:
                at = next(i for i in range(len(piece)) if view[i] != piece[i])
                raise Wrong(f"octet {offset + at} is {view[at]}, not {piece[at]}")
            view = view[len(piece):]
            offset += len(piece)
    if total is not None and offset != total:
        raise Wrong(f"the stream ended after {offset} octets of {total}")
    return offset


def read_exactly(s, n):
    got = bytearray()
    while len(got) < n:
        data = s.recv(n - len(got))
        if not data:
            raise Wrong(f"the stream ended after {len(got)} octets of {n}")
        got += data
    return bytes(got)


def rate(n, begin):
    seconds = time.monotonic() - begin
    return f"{n} octets in {seconds:.1f} s, {n * 8 / seconds / 1e9:.2f} Gbit/s"


def cmd_source(host, port, total):
    """Reads what engine source sends."""
    begin = time.monotonic()
    s = connect(host, port)
    verify_pattern(s, int(total))
    return rate(int(total), begin)


def cmd_echo(host, port, total):
    """Sends a stream to engine echo, and gets it back, both at once."""
    total = int(total)
    begin = time.monotonic()
    s = connect(host, port)
    trouble = []

    def writer():
        try:
            send_pattern(s, total)
            s.shutdown(socket.SHUT_WR)
        except OSError as e:
            trouble.append(e)

    t = threading.Thread(target=writer, daemon=True)
    t.start()
    verify_pattern(s, total)
    t.join(TIMEOUT)
    if trouble:
        raise trouble[0]
    return rate(total, begin)


def cmd_send(host, port, total):
    """Sends a stream to engine sink, half-closes, and waits for its FIN."""
    begin = time.monotonic()
    s = connect(host, port)
    send_pattern(s, int(total))
    s.shutdown(socket.SHUT_WR)
    if s.recv(1):
        raise Wrong("the sink sent something")
    return rate(int(total), begin)


def cmd_halfclose_us(host, port):
    """We close first; engine echo still sends everything back, then FIN."""
    total = 300000
    s = connect(host, port)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    t = threading.Thread(target=lambda: (send_pattern(s, total), s.shutdown(socket.SHUT_WR)),
                         daemon=True)
    t.start()
    t.join(0.5)
    verify_pattern(s, total)
    return f"{total} octets came back after our FIN"


def cmd_halfclose_them(host, port, total):
    """The other end (engine source) closes first; what we send afterwards is still taken."""
    s = connect(host, port)
    verify_pattern(s, int(total))
    send_pattern(s, 500000)
    # Everything must be acknowledged, not reset: the kernel's send queue runs empty.
    end = time.monotonic() + 20
    while outq(s) > 0:
        if time.monotonic() > end:
            raise Wrong(f"{outq(s)} octets were never acknowledged")
        time.sleep(0.01)
    if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise Wrong("the connection was reset")
    state = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    if state != 8:
        raise Wrong(f"state is {state}, not CLOSE-WAIT")
    s.close()
    return "500000 octets were taken after the peer's FIN"


def outq(s):
    import fcntl
    import termios
    return struct.unpack("i", fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4))[0]


def cmd_rst_us(host, port):
    """We reset an established connection; a new one works."""
    for _ in range(20):
        s = connect(host, port)
        s.sendall(b"x" * 1000)
        read_exactly(s, 1000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    s = connect(host, port)
    s.sendall(b"y" * 1000)
    read_exactly(s, 1000)
    return "20 connections reset, the 21st works"


def fast_open(host, port, length):
    """One echo with data on the SYN, if the kernel has a cookie. @return whether it was acknowledged."""
    with socket.socket() as s:
        sent = s.sendto(pattern(0, length), socket.MSG_FASTOPEN, (host, int(port)))
        s.settimeout(10)  # not before: it would not wait for the handshake
        if sent != length:
            raise Wrong(f"{sent} of {length} octets were taken")
        got = b""
        while len(got) < length:
            piece = s.recv(65536)
            if not piece:
                raise Wrong(f"the stream ended after {len(got)} of {length} octets")
            got += piece
        if got != bytes(pattern(0, length)):
            raise Wrong("what came back differs")
        options = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[5]
    return bool(options & 32)  # TCPI_OPT_SYN_DATA


def cmd_fastopen(host, port, *expected):
    """For each of `expected` ("data" or "plain") one connection that must go so."""
    for number, how in enumerate(expected):
        if fast_open(host, port, 1000) != (how == "data"):
            raise Wrong(f"connection {number} should be {how}")
    return f"{len(expected)} connections"


def cmd_refused(host, port):
    """Nobody listens: RST at once."""
    begin = time.monotonic()
    try:
        connect(host, port, 5)
    except ConnectionRefusedError:
        return f"refused after {(time.monotonic() - begin) * 1000:.0f} ms"
    raise Wrong("the connection was not refused")


def cmd_unread_close(host, port):
    """We close with unread data: the kernel sends RST in the middle of the peer's stream."""
    for _ in range(10):
        s = connect(host, port)
        read_exactly(s, 100000)
        s.close()
    s = connect(host, port)
    read_exactly(s, 100000)
    return "10 streams cut short, the 11th works"


def cmd_pipeline(host, port, n, path):
    """N requests in one write are answered in order on one connection."""
    n = int(n)
    s = connect(host, port)
    one = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    last = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    s.sendall(one * (n - 1) + last)
    f = s.makefile("rb")
    for i in range(n):
        status = f.readline()
        if not status.startswith(b"HTTP/1.1 200"):
            raise Wrong(f"answer {i} begins with {status!r}")
        length = None
        while (line := f.readline().strip()):
            key, value = line.split(b":", 1)
            if key.lower() == b"content-length":
                length = int(value)
        if length is None:
            raise Wrong(f"answer {i} has no content-length")
        if len(f.read(length)) != length:
            raise Wrong(f"answer {i} is cut short")
    if f.read(1):
        raise Wrong("there is something after the last answer")
    return f"{n} answers, then the end of the stream"


def cmd_idle(host, port, least, most):
    """A connection that says nothing is closed after least to most seconds."""
    begin = time.monotonic()
    s = connect(host, port)
    try:
        s.recv(4096)
    except ConnectionResetError:
        pass
    took = time.monotonic() - begin
    if not float(least) <= took <= float(most):
        raise Wrong(f"closed after {took:.1f} s, not {least} to {most}")
    return f"closed after {took:.1f} s"


def cmd_slow_reader(host, port, total):
    """A reader that stops closes its window; the stream goes on when it reads again (persist)."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    s.settimeout(TIMEOUT)
    s.connect((host, int(port)))
    time.sleep(2)
    verify_pattern(s, int(total))
    return f"{total} octets after a window that was closed for two seconds"


def cmd_slow_echo(host, port, total):
    """Nothing is read until our send blocks: the peer's window must close, and open again."""
    total = int(total)
    s = connect(host, port)
    s.setblocking(False)
    sent = 0
    quiet = time.monotonic()
    while sent < total and time.monotonic() - quiet < 1:
        try:
            sent += s.send(pattern(sent, total - sent))
            quiet = time.monotonic()
        except BlockingIOError:
            select.select([], [s], [], 0.1)
    if sent == total:
        raise Wrong("the peer took everything although nothing was read")
    s.setblocking(True)
    s.settimeout(TIMEOUT)
    blocked = sent

    def writer():
        offset = blocked
        while offset < total:
            piece = pattern(offset, total - offset)
            s.sendall(piece)
            offset += len(piece)
        s.shutdown(socket.SHUT_WR)

    t = threading.Thread(target=writer, daemon=True)
    t.start()
    verify_pattern(s, total)
    return f"the window closed after {blocked} octets and opened again"


def cmd_many(host, port, n, waves="1"):
    """N connections open at once; each sends 64 octets of its own and gets them back, twice."""
    n = int(n)
    begin = time.monotonic()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = n + 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), max(hard, need)))
    for _ in range(int(waves)):
        many_once(host, int(port), n)
    return f"{n} connections at once, {waves} times, in {time.monotonic() - begin:.1f} s"


def many_once(host, port, n):
    poll = select.epoll()
    socks = {}
    opening = 0
    echoed = 0
    started = 0

    def start():
        nonlocal started, opening
        s = socket.socket()
        s.setblocking(False)
        rc = s.connect_ex((host, port))
        if rc not in (0, errno.EINPROGRESS):
            raise Wrong(f"connection {started}: {errno.errorcode[rc]}")
        socks[s.fileno()] = [s, struct.pack("!Q", started) * 8, b""]
        poll.register(s.fileno(), select.EPOLLOUT)
        started += 1
        opening += 1

    end = time.monotonic() + TIMEOUT
    while echoed < n:
        while started < n and opening < 256:
            start()
        events = poll.poll(1)
        if time.monotonic() > end:
            raise Wrong(f"after {TIMEOUT} s {echoed} of {n} had their echo")
        for fd, ev in events:
            entry = socks[fd]
            s = entry[0]
            err = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if err:
                raise Wrong(f"a connection failed: {errno.errorcode[err]}")
            if ev & select.EPOLLIN:
                entry[2] += s.recv(4096)
                if len(entry[2]) < 64:
                    continue
                if entry[2] != entry[1]:
                    raise Wrong("an echo belongs to another connection")
                poll.unregister(fd)
                echoed += 1
            elif ev & select.EPOLLOUT:
                s.send(entry[1])
                opening -= 1
                poll.modify(fd, select.EPOLLIN)
    for s, octets, _ in socks.values():
        s.setblocking(True)
        s.settimeout(TIMEOUT)
        s.sendall(octets[::-1])
    for s, octets, _ in socks.values():
        if read_exactly(s, 64) != octets[::-1]:
            raise Wrong("the second echo belongs to another connection")
    for s, _, _ in socks.values():
        s.close()


def cmd_tagger(plain, tagged, vid):
    """A switch in miniature: puts a VLAN tag on what comes from `plain`, takes it off what comes from
    `tagged`, and drops what comes from there without it. Kernels without 8021q can do this too."""
    tag = struct.pack("!HH", 0x8100, int(vid))
    ends = {}
    for name in (plain, tagged):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind((name, 0))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        s.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the tag stands beside the frame
        ends[name] = s
    print("ready", flush=True)
    strangers = 0
    while True:
        for s in select.select(list(ends.values()), [], [])[0]:
            frame, aux, _, sender = s.recvmsg(65536, 64)
            if sender[2] == socket.PACKET_OUTGOING:
                continue
            if s is ends[plain]:
                ends[tagged].send(frame[:12] + tag + frame[12:])
                continue
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", aux[0][2][:20])
            if status & 0x10 and tci & 0xfff == int(vid):
                ends[plain].send(frame)
            else:
                strangers += 1
                print(f"{strangers} frames without the tag", flush=True)


def cmd_serve(port, kind, size="0"):
    """A kernel server until it is ended: kind echo, sink, source (SIZE octets, 0: without end), rst."""
    serve(socket.AF_INET, port, kind, size)


def cmd_serve6(port, kind, size="0"):
    """The same over IPv6."""
    serve(socket.AF_INET6, port, kind, size)


def serve(family, port, kind, size):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(port)))
    listener.listen(4096)
    print("ready", flush=True)
    while True:
        s, _ = listener.accept()
        threading.Thread(target=serve_one, args=(s, kind, int(size)), daemon=True).start()


def serve_one(s, kind, size):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if kind == "source":
            send_pattern(s, size or 1 << 62)
            s.shutdown(socket.SHUT_WR)
        if kind == "rst":
            s.recv(1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
            return
        while (data := s.recv(BLOCK)):
            if kind == "echo":
                s.sendall(data)
    except OSError as e:
        print(f"ended by {errno.errorcode.get(e.errno, e)}", flush=True)
    else:
        print("ended in order", flush=True)
    s.close()


def cmd_router(iface, prefix, lifetime):
    """Advertises a router of this lifetime twice a second until it is ended (RFC 4861 4.2), with one
    prefix on link, for addresses too; neighbours are to be believed for one second."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    index = socket.if_nametoindex(iface)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    with open(f"/sys/class/net/{iface}/address") as f:
        mac = bytes.fromhex(f.read().strip().replace(":", ""))
    advert = struct.pack("!BBHBBHII", 134, 0, 0, 63, 0, int(lifetime), 1000, 1000)
    advert += b"\x01\x01" + mac
    advert += struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 7200, 3600, 0)
    advert += socket.inet_pton(socket.AF_INET6, prefix)
    while True:
        s.sendto(advert, ("ff02::1", 0, 0, index))
        print("ready", flush=True)
        time.sleep(0.5)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    command = globals().get("cmd_" + sys.argv[1].replace("-", "_"))
    if command is None:
        sys.exit("no such command: " + sys.argv[1])
    try:
        print(command(*sys.argv[2:]))
    except (Wrong, OSError) as e:
        print(f"{sys.argv[1]}: {e}")
        sys.exit(1)


main()
