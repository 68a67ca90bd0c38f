"""Reads a page: a picture, or a page of a PDF as a picture."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.errors import import_extra
from daemon.paper.errors import PageUnusable, opencv
from model.regular_file import read_regular

Picture = NDArray[np.uint8]  # shape (rows, columns, 3): blue, green, red
Box = tuple[int, int, int, int]  # left, top, width, height in pixels
PDF_DPI = 300
INCH_POINTS = 72
MOST_PX = 30_000_000  # more is made smaller: an A4 page at 600 dots an inch has 35 million
LARGEST_FILE = 200 << 20
LEAST_PX = 32  # of a page, or of a box


def read_page(path: Path, number: int = 1, box: Box | None = None) -> Picture:
    """Read one page, or a part of it, as a picture.

    Args:
        path: PNG, JPEG, TIFF or what else OpenCV reads, or a PDF.
        number: of the page in a PDF or a TIFF, from 1.
        box: the part that is wanted; None for all of it.

    Raises:
        PageUnusable: it is missing, no picture or next to nothing, or the box leaves nothing of it.
        ExtraMissing: a library is not installed.
    """
    try:
        content = read_regular(path, LARGEST_FILE)
    except OSError as error:
        raise PageUnusable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        too_long = f"{path}: more than {LARGEST_FILE >> 20} MB: scan it at 300 dpi"
        raise PageUnusable(too_long) from error
    is_pdf = content[:1024].lstrip().startswith(b"%PDF")
    picture = _of_pdf(content, path, number) if is_pdf else _of_picture(content, path, number)
    if min(picture.shape[:2]) < LEAST_PX:
        raise PageUnusable(
            f"{path} has {picture.shape[1]} x {picture.shape[0]} pixels: scan it at 300 dpi"
        )
    cv2 = opencv()
    if box:
        picture = part_of(picture, box)
    if picture.shape[0] * picture.shape[1] > MOST_PX:
        scale = (MOST_PX / (picture.shape[0] * picture.shape[1])) ** 0.5
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return picture


def part_of(picture: Picture, box: Box) -> Picture:
    """Return what is in a box.

    Raises:
        PageUnusable: next to nothing is.
    """
    left, top, width, height = box
    part = picture[top : top + height, left : left + width]
    if min(part.shape[:2]) < LEAST_PX:
        raise PageUnusable(
            f"--box {','.join(map(str, box))} leaves nothing of the page, which has "
            f"{picture.shape[1]} x {picture.shape[0]} pixels: left, top, width and height in these"
        )
    return part


def _of_picture(content: bytes, path: Path, number: int) -> Picture:
    cv2 = opencv()
    data = np.frombuffer(content, np.uint8)
    try:
        if number == 1:
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        else:
            pages = cv2.imdecodemulti(data, cv2.IMREAD_COLOR)[1]
            picture = pages[number - 1] if number <= len(pages) else None
    except cv2.error as error:
        raise PageUnusable(f"{path}: {error.err or 'cannot be decoded'}") from error
    if picture is None:
        raise PageUnusable(
            f"{path}: no page {number} of a PNG, JPEG, TIFF or PDF; a HEIC of a telephone has to "
            "be exported as JPEG"
        )
    return np.asarray(picture, np.uint8)


def _of_pdf(content: bytes, path: Path, number: int) -> Picture:
    pdfium = import_extra("pypdfium2", "paper", "Reading a PDF")
    try:
        with closing(pdfium.PdfDocument(content)) as document:
            if number > len(document):
                raise PageUnusable(f"{path}: no page {number}: it has {len(document)}")
            page = document[number - 1]
            inches = [points / INCH_POINTS for points in page.get_size()]
            dpi = min(PDF_DPI, (MOST_PX / (inches[0] * inches[1])) ** 0.5)
            return np.array(page.render(scale=dpi / INCH_POINTS).to_numpy()[..., :3], np.uint8)
    except pdfium.PdfiumError as error:
        raise PageUnusable(f"{path}: {error}") from error
