"""A record is 28 bytes; wherever the pipe cuts the stream, the same frames come out."""

from __future__ import annotations

import select
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from daemon.acquisition.frame_records import RECORD, RecordReader, pack
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, Frame

codes = st.integers(MIN_COUNTS, FULL_SCALE_COUNTS)
frames = st.builds(
    Frame,
    index=st.integers(0, 2**40),
    time_s=st.integers(0, 10**9).map(lambda ms: ms / 1000),
    status=st.integers(0, 2**24 - 1),
    counts=st.tuples(codes, codes),
)


def test_the_bytes_are_those_of_the_drawing() -> None:
    frame = Frame(index=5, time_s=1.5, status=0xC00000, counts=(-2, 8388607))
    expected = (
        "0500000000000000"  # index
        "000000000000f83f"  # 1.5 s
        "0000c000"  # status
        "feffffff"  # channel 1
        "ffff7f00"  # channel 2
    )
    assert pack(frame).hex() == expected


def test_a_record_is_written_to_a_pipe_as_a_whole_or_not_at_all() -> None:
    assert RECORD.size == 28 <= select.PIPE_BUF


@given(st.lists(frames, max_size=20), st.lists(st.integers(0, 600), max_size=30))
def test_any_chunking_gives_the_same_frames(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(pack, sent))
    reader = RecordReader()
    ends = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    received = [frame for begin, end in pairwise(ends) for frame in reader.feed(stream[begin:end])]
    assert received == sent


@given(frames, st.integers(0, RECORD.size - 1))
def test_part_of_a_record_is_not_a_frame_yet(frame: Frame, cut: int) -> None:
    reader = RecordReader()
    assert reader.feed(pack(frame)[:cut]) == []
    assert reader.feed(pack(frame)[cut:]) == [frame]
