"""Eight dots in a character, and a line that does not leave its frame."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.apps.braille import draw, joined


def test_each_dot_has_its_place_in_the_braille_cell() -> None:
    """The dots of a cell are numbered 1 to 3 and 7 down the left, 4 to 6 and 8 down the right."""
    for value, left, right in ((3, "⠁", "⠈"), (2, "⠂", "⠐"), (1, "⠄", "⠠"), (0, "⡀", "⢀")):
        span = (float(value), float(value))
        assert draw([span, None], 1, 1, 0.0, 3.0) == [left]
        assert draw([None, span], 1, 1, 0.0, 3.0) == [right]


def test_a_stroke_reaches_from_its_lowest_to_its_highest_value() -> None:
    assert draw([(0.0, 7.0), None], 1, 2, 0.0, 7.0) == ["⡇", "⡇"]


def test_the_newest_is_at_the_right_edge() -> None:
    assert draw([(0.0, 0.0)], 2, 1, 0.0, 3.0) == ["⠀⢀"]


def test_strokes_meet_unless_there_is_a_hole_between_them() -> None:
    assert joined([[0.0], [5.0, 4.0], [], [1.0]]) == [(0.0, 0.0), (0.0, 5.0), None, (1.0, 1.0)]


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6).map(lambda value: (value, value)), max_size=20),
    st.integers(1, 4),
)
def test_any_line_fits_its_frame(spans: list[tuple[float, float] | None], rows: int) -> None:
    picture = draw(spans, 10, rows, -1.0, 1.0)
    assert [len(row) for row in picture] == [10] * rows
    dots = sum((ord(character) - 0x2800).bit_count() for row in picture for character in row)
    assert dots == sum(span is not None for span in spans)
