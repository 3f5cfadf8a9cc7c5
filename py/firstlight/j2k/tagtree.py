"""The bits of packet headers, and the tag trees in them (ISO/IEC 15444-1 B.10.1, B.10.2)."""

from __future__ import annotations

from itertools import pairwise

FIRST_CHUNK_BYTES = 64
MAX_RUN_BITS = 1024
"""Zero bit-planes and length bits are counted one by one, and there are never a hundred."""


class HeaderCut(Exception):
    """The bytes given end before the packet header does."""


class BadPacket(Exception):
    """A packet header that no encoder can have written."""


class HeaderBits:
    """Reads bits from ``data`` beyond ``offset``, leaving out the bit stuffed after every FF.

    The bits are held as text, because finding the next one and turning several into a number are
    then single operations of the interpreter.

    Raises:
        HeaderCut: from any reading, where the bytes end.
        BadPacket: where equal bits go on and on.
    """

    __slots__ = ("_data", "_loaded", "_offset", "position", "text")

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset
        self._loaded = offset
        self.text = ""
        self.position = 0

    def _load(self) -> None:
        """Append the bits of the next bytes, twice as many each time."""
        start = self._loaded
        stop = min(start + max(FIRST_CHUNK_BYTES, start - self._offset), len(self._data))
        if stop <= start:
            raise HeaderCut
        chunk = self._data[start:stop]
        bits = f"{int.from_bytes(chunk, 'big'):0{8 * len(chunk)}b}"
        first_stuffed = start > self._offset and self._data[start - 1] == 0xFF
        pieces = [] if not first_stuffed else [0]
        at = chunk.find(b"\xff")
        while 0 <= at < len(chunk) - 1:
            pieces.append(at + 1)
            at = chunk.find(b"\xff", at + 1)
        if pieces:
            edges = [0, *(8 * piece for piece in pieces), len(bits)]
            kept = [bits[: edges[1]]]
            kept += [bits[a + 1 : b] for a, b in pairwise(edges[1:])]
            bits = "".join(kept)
        self.text += bits
        self._loaded = stop

    def number(self, count: int) -> int:
        """The next ``count`` bits as a number, the most significant first."""
        stop = self.position + count
        while stop > len(self.text):
            self._load()
        value = int(self.text[self.position : stop], 2) if count else 0
        self.position = stop
        return value

    def run(self, end: str) -> int:
        """How many bits come before the next bit ``end`` ("0" or "1"); passes that bit too."""
        at = self.text.find(end, self.position)
        while at < 0:
            searched = len(self.text)
            if searched - self.position > MAX_RUN_BITS:
                raise BadPacket("a packet header of equal bits")
            self._load()
            at = self.text.find(end, max(searched, self.position))
        length = at - self.position
        self.position = at + 1
        return length

    def zeros(self, most: int) -> int:
        """How many of the next ``most`` bits come before a 1, which is passed; else all of them."""
        stop = self.position + most
        while True:
            at = self.text.find("1", self.position, stop)
            if at >= 0:
                zeros = at - self.position
                self.position = at + 1
                return zeros
            if stop <= len(self.text):
                self.position = stop
                return most
            self._load()

    def stop(self) -> int:
        """Offset in the data of the first byte after the header, which ends at a whole byte."""
        data, offset = self._data, self._offset
        count = (self.position + 7) // 8
        while True:
            stuffed = data[offset : offset + max(count - 1, 0)].count(b"\xff")
            enough = (self.position + stuffed + 7) // 8
            if enough == count:
                break
            count = enough
        # A header must not end in FF: a byte of stuffing follows (B.10.1).
        stop = offset + count
        if count and data[stop - 1] == 0xFF:
            stop += 1
        if stop > len(data):
            raise HeaderCut
        return stop


class TagTree:
    """A quad tree of minima over a grid of ``across`` by ``down`` leaves.

    ``low`` is what each node's value is known to be at least; ``known`` whether it is exactly that.
    """

    __slots__ = ("known", "low", "paths")

    def __init__(self, paths: tuple[tuple[int, ...], ...], node_count: int) -> None:
        self.paths = paths
        self.low = [0] * node_count
        self.known = bytearray(node_count)

    def copy(self) -> TagTree:
        """An independent copy."""
        twin = TagTree(self.paths, 0)
        twin.low = self.low[:]
        twin.known = self.known[:]
        return twin

    def reaches(self, leaf: int, threshold: int, bits: HeaderBits) -> bool:
        """Read on until it is clear whether the leaf's value is at least ``threshold``."""
        low, known = self.low, self.known
        path = self.paths[leaf]
        least = 0
        if known[path[-2]]:
            # A parent that is known says all that those above it do.
            least, path = low[path[-2]], path[-1:]
        for node in path:
            value = low[node]
            if known[node]:
                least = value
                continue
            if value < least:
                value = least
            if value < threshold:
                value += bits.zeros(threshold - value)
                if value < threshold:
                    known[node] = 1
            low[node] = least = value
        return least >= threshold

    def value(self, leaf: int, bits: HeaderBits) -> int:
        """Read the leaf's value."""
        low, known = self.low, self.known
        path = self.paths[leaf]
        least = 0
        if known[path[-2]]:
            least, path = low[path[-2]], path[-1:]
        for node in path:
            if known[node]:
                least = low[node]
            else:
                value = low[node]
                least = (value if value > least else least) + bits.run("1")
                low[node] = least
                known[node] = 1
        return least


def tag_tree_paths(across: int, down: int) -> tuple[tuple[tuple[int, ...], ...], int]:
    """Node indices from the root to each leaf of a grid in raster order, and how many nodes.

    A root that is a leaf stands twice in its path, so that every leaf has a parent.
    """
    if across * down == 1:
        return ((0, 0),), 1
    offsets, widths = [], []
    count = 0
    width, height = across, down
    while True:
        offsets.append(count)
        widths.append(width)
        count += width * height
        if width * height <= 1:
            break
        width, height = (width + 1) // 2, (height + 1) // 2
    levels = range(len(offsets) - 1, -1, -1)
    paths = tuple(
        tuple(offsets[k] + (row >> k) * widths[k] + (column >> k) for k in levels)
        for row in range(down)
        for column in range(across)
    )
    return paths, count
