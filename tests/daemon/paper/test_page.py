"""Files that a page may be in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from daemon.paper.errors import PageUnusable
from daemon.paper.page import read_page


def test_a_page_of_a_pdf_is_read_at_300_dots_an_inch(tmp_path: Path) -> None:
    figure = Figure(figsize=(2, 1), facecolor=(0, 0, 1))
    figure.savefig(tmp_path / "page.pdf")
    picture = read_page(tmp_path / "page.pdf")
    assert picture.shape == (300, 600, 3)
    assert picture[150, 300].tolist() == [255, 0, 0]  # blue comes first
    with pytest.raises(PageUnusable, match="no page 2: it has 1"):
        read_page(tmp_path / "page.pdf", 2)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff"])
def test_pictures_are_read(tmp_path: Path, suffix: str) -> None:
    picture = np.full((40, 60, 3), 200, np.uint8)
    cv2.imwrite(f"{tmp_path}/page.{suffix}", picture)
    assert np.abs(read_page(tmp_path / f"page.{suffix}").astype(int) - picture).max() < 4
    with pytest.raises(PageUnusable, match="no page 2"):
        read_page(tmp_path / f"page.{suffix}", 2)


def test_a_page_of_a_tiff_is_read(tmp_path: Path) -> None:
    pages = [np.full((40, 60, 3), grey, np.uint8) for grey in (150, 250)]
    cv2.imwritemulti(f"{tmp_path}/pages.tiff", pages)
    assert read_page(tmp_path / "pages.tiff", 2).mean() == 250


def test_a_box_is_cut_out_before_a_large_picture_is_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[40:80, 100:150] = 255
    cv2.imwrite(f"{tmp_path}/page.png", picture)
    monkeypatch.setattr("daemon.paper.page.MOST_PX", 5000)
    assert read_page(tmp_path / "page.png").shape == (50, 100, 3)
    part = read_page(tmp_path / "page.png", box=(100, 40, 50, 40))
    assert part.shape == (40, 50, 3)
    assert part.min() == 255
    with pytest.raises(PageUnusable, match=r"--box 190,0,50,50 leaves nothing .* 200 x 100 pixels"):
        read_page(tmp_path / "page.png", box=(190, 0, 50, 50))


PDF = b"""%%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[%s 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[%s]>> endobj
trailer <</Size 4/Root 1 0 R>>
"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"%PDF-1.7 and nothing",
        PDF % (b"9", b"0 0 100 100"),  # a page that is not there
        PDF % (b"3", b"0 0 1000000000 0.01"),  # one that cannot be drawn
        PDF % (b"3", b"0 0 0.001 0.001"),
    ],
)
def test_what_is_no_page_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "page.png").write_bytes(content)
    with pytest.raises(PageUnusable, match=r"page\.png"):
        read_page(tmp_path / "page.png")


@pytest.mark.parametrize("shape", [(1, 1), (2000, 3), (1, 5000)])
def test_a_picture_of_next_to_nothing_is_told(tmp_path: Path, shape: tuple[int, int]) -> None:
    cv2.imwrite(f"{tmp_path}/page.png", np.zeros(shape, np.uint8))
    with pytest.raises(PageUnusable, match=rf"page\.png has {shape[1]} x {shape[0]} pixels"):
        read_page(tmp_path / "page.png")


@pytest.mark.parametrize(
    ("device", "said"), [("/dev/zero", "not a regular file"), ("/dev", "Is a directory")]
)
def test_what_never_ends_or_is_a_folder_is_no_page(device: str, said: str) -> None:
    with pytest.raises(PageUnusable, match=f"{device} cannot be read: {said}"):
        read_page(Path(device))


def test_a_page_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(PageUnusable, match="cannot be read: No such file"):
        read_page(tmp_path / "page.png")
