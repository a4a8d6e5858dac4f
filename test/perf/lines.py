# SPDX-License-Identifier: BSD-3-Clause
"""Tells which structures the cache lines of a traced operation belong to.

Reads what `runnel-perf lines` prints (where each structure lies) and the accesses that lackey wrote
between the marks. A line counts once, for the first structure of the map that was touched in it.
"""
import statistics
from bisect import bisect_right
from collections import Counter, defaultdict

LINE = 64
MARK = 0x20000000
MARK_RUN, MARK_OP, MARK_BEGIN, MARK_END = MARK, MARK + 0x40, MARK + 0x80, MARK + 0xC0
# What lackey's lines are filtered with: the marks, and everything between BEGIN and END.
SED = [
    "sed", "-n",
    "-e", f"/ S {MARK_RUN:08x},/p", "-e", f"/ S {MARK_OP:08x},/p",
    "-e", f"/ S {MARK_BEGIN:08x},/,/ S {MARK_END:08x},/p",
]
# Not a structure of the library's: the harness, and the C stack, which is hot whatever one does.
APART = ("harness", "cstack")
MBUF_HEAD = 128


class Buffers:
    """The mbufs of all pools."""

    def __init__(self):
        self.objects = []  # first address, end, pool

    def add_pool(self, name, size, addresses):
        self.objects += [(a, a + size, name) for a in addresses]
        self.objects.sort()

    def look_up(self, addr):
        i = bisect_right(self.objects, (addr, 1 << 64, "")) - 1
        if i < 0 or addr >= self.objects[i][1]:
            return "other"
        base, _, name = self.objects[i]
        return name + (".head" if addr - base < MBUF_HEAD else ".data")


class Map:
    """Where the structures of one run lie."""

    def __init__(self, path, port, buffers):
        self.path, self.port, self.buffers = path, port, buffers
        self.ranges = []
        self.fields = []
        self.found = {}

    def add_range(self, name, base, size, stride):
        self.ranges.append((base, base + size, name, stride))

    def look_up(self, addr):
        """Returns the rank of a structure, its name, and the offset in its object."""
        for rank, (base, end, name, stride) in enumerate(self.ranges):
            if base <= addr < end:
                off = (addr - base) % stride if stride else addr - base
                return rank, name, off
        return len(self.ranges), self.buffers.look_up(addr), 0

    def __call__(self, addr):
        if addr not in self.found:
            self.found[addr] = self.look_up(addr)
        return self.found[addr]


def read_maps(text):
    maps = []
    buffers = Buffers()
    for line in text.splitlines():
        word = line.split()
        if word[0] == "pool":
            buffers.add_pool(word[1], int(word[2], 16), [int(a, 16) for a in word[3:]])
        elif word[0] == "run":
            maps.append(Map(word[1], word[2], buffers))
        elif word[0] == "range":
            maps[-1].add_range(word[1], *(int(x, 16) for x in word[2:5]))
        elif word[0] == "field":
            start = int(word[3], 16)
            maps[-1].fields.append((start, start + int(word[4], 16), word[2]))
    return maps


class Operation:
    """What one operation touched."""

    def __init__(self):
        self.code = set()
        self.data = {}  # line: (rank, name)
        self.fields = defaultdict(set)  # field of the working set: lines

    def access(self, where, addr, size):
        for at in {addr, addr + size - 1}:
            rank, name, off = where(at)
            line = at // LINE
            if line not in self.data or rank < self.data[line][0]:
                self.data[line] = (rank, name)
            if name == "work":
                for start, end, field in where.fields:
                    if start <= off < end:
                        self.fields[field].add(line)


def read_trace(maps, trace):
    """Returns a list of operations for each map."""
    runs = []
    op = None
    inside = False
    for text in trace:
        kind, rest = text[:2], text[2:]
        addr, size = rest.split(",")
        addr = int(addr, 16)
        if MARK <= addr < MARK + 0x1000:
            inside = addr == MARK_BEGIN
            if addr == MARK_RUN:
                runs.append([])
            elif addr == MARK_OP:
                op = Operation()
                runs[-1].append(op)
        elif inside and kind == "I ":
            op.code.add(addr // LINE)
        elif inside:
            op.access(maps[len(runs) - 1], addr, int(size))
    return runs


def summary(ops):
    """Returns {column: lines} of the median operation."""
    users = Counter(line for op in ops for line in op.data)
    rows = []
    for op in ops:
        count = Counter(name for _, name in op.data.values())
        row = {name: n for name, n in count.items()}
        mine = [line for line, (_, name) in op.data.items() if name not in APART]
        row["total"] = len(mine)
        row["own"] = sum(users[line] == 1 for line in mine)
        row["code"] = len(op.code)
        for field, lines in op.fields.items():
            row["work." + field] = len(lines)
        rows.append(row)
    columns = {c for row in rows for c in row}
    middle = {c: int(statistics.median_low([row.get(c, 0) for row in rows])) for c in columns}
    return {c: n for c, n in middle.items() if n > 0}


def classify(map_text, trace):
    """Returns {(path, port): {column: lines}}."""
    maps = read_maps(map_text)
    return {(m.path, m.port): summary(ops) for m, ops in zip(maps, read_trace(maps, trace))}
