"""A picture of an ECG on paper, which comes with the request, becomes a recording."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from starlette.requests import Request

from daemon.web.children import run
from daemon.web.problems import Problem
from daemon.web.routes import Route
from daemon.web.uploads import ANALYSIS_S, received

BOX = re.compile(r"\d{1,6}(,\d{1,6}){3}", re.A)
Base64 = Annotated[str, ("contentEncoding", "base64")]


@dataclass(frozen=True, slots=True)
class Page:
    """What is known of a page, as the options of ``qrsd digitize``."""

    box: str | None = None  # left,top,width,height in pixels: only this part is read
    strip: int | None = None  # which, from the top; without it the longest
    page: int = 1  # of a PDF or TIFF
    speed: Literal["25", "50"] | None = None  # mm/s
    gain: Literal["5", "10", "20"] | None = None  # mm/mV
    grid: Literal["1", "5"] | None = None  # mm from a line to the next, where all are alike

    def __post_init__(self) -> None:
        if self.box is not None and not BOX.fullmatch(self.box):
            raise ValueError(f"box: {self.box!r:.40} is not left,top,width,height in pixels")
        for name in ("strip", "page"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"{name}: {number} is below 1")


@dataclass(frozen=True, slots=True)
class Digitized:
    """A strip of a page, read."""

    bdf: Base64  # the recording: the ECG, and the standard error of each of its samples
    duration_s: float
    mm_per_s: float
    mm_per_mv: float
    quality: float  # 0 to 1, of the reading
    error_mv: float  # mean standard error
    notes: tuple[str, ...]  # what had to be assumed


async def digitize(request: Request, asked: Page) -> Digitized:
    """Read a strip of a page."""
    given = {name: value for name, value in asdict(asked).items() if value is not None}
    options = [f"--{name}={value}" for name, value in given.items()]
    async with received(request, None, "file") as [page]:
        work = page.parent.parent
        out = work / "read.bdf"
        how = ("--json", *options)
        try:
            printed = await run(work, "daemon", "digitize", *how, page, out, time_s=ANALYSIS_S)
        except Problem as problem:
            if problem.code != "recording_unusable":
                raise
            why = str(problem).replace("--", "")  # which the options of the command begin with
            raise Problem(422, "page_unusable", why) from problem
        told = json.loads(printed)
        return Digitized(b64encode(out.read_bytes()).decode(), **told)


ROUTES = (
    Route(
        "POST",
        "/digitize",
        digitize,
        "recordings",
        "Make a recording of an ECG on paper",
        query=Page,
        files=("file",),
        answer=Digitized,
    ),
)
