"""What is asked about a recording that comes with the request: whose it is, its beats and rhythm.

It comes as one file or more (multipart), of any format that qrsd reads, or as mV in JSON. A child
reads it (``daemon.web.children``); what needs the enrolled people is asked of the service.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Annotated, Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from daemon.web.access import caller_of
from daemon.web.children import run
from daemon.web.context import context_of
from daemon.web.problems import Problem
from daemon.web.routes import JSON, Route
from daemon.web.zoom import Zoom
from daemon.wire.answers import RecordingIdentity
from model.verdict import Verdict

ANALYSIS_S = 300.0  # at most
ANSWER_S = 60.0  # for the service
LONGEST_S = 60.0  # that the service takes, of the end
MOST_FILES = 8
NUMBERS = {"file": "ecg_mv", "first": "first_mv", "second": "second_mv"}  # what comes instead
MOST_RATE_HZ = 1e5  # of numbers, so that their times differ; the child knows the true bounds
#: Name of a file, as people name theirs: no folder, hidden file, option nor control character.
NAME = re.compile(r"(?![.-])[^/\\\0-\x1f\x7f-\x9f\ud800-\udfff]+")
LONGEST_NAME_BYTES = 200
OF_SEGMENTS = re.compile(r"[^/]+/\d+")  # the name of a WFDB record, and how many it has
PICTURE_WIDTH = 2000

Samples = Annotated[
    Any, ("type", "array"), ("minItems", 1), ("items", {"type": ["number", "null"]})
]


@dataclass(frozen=True, slots=True)
class OneRecording:
    """A recording as numbers."""

    ecg_mv: Samples  # potential between the electrodes; null where no sample was taken
    rate_hz: float = 250.0  # samples a second


@dataclass(frozen=True, slots=True)
class TwoRecordings:
    """Two recordings as numbers."""

    first_mv: Samples  # potential between the electrodes; null where no sample was taken
    second_mv: Samples  # likewise
    rate_hz: float = 250.0  # samples a second, of both


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat."""

    at_s: float  # of its R peak, from the begin
    rr_s: float | None  # since the one before; null after a start or a gap
    quality: float | None  # 0 to 1; null if it could not be cut out whole
    flaws: tuple[str, ...] | None  # what is wrong with it


@dataclass(frozen=True, slots=True)
class Beats:
    """The heartbeats of a recording."""

    duration_s: float
    rate_hz: float  # of the signal chain
    beats: tuple[Beat, ...]
    ecg_mv: Any  # from_s, to_s, step_s, min and max: all of the ECG in so many steps
    notes: tuple[str, ...]  # what had to be assumed or mended to read it


@dataclass(frozen=True, slots=True)
class Variability:
    """How the heart rate varies: all that ``qrsd hrv --json`` says, docs/hrv.md tells what."""

    duration_s: float  # the sum of the intervals
    intervals: int  # between normal beats, after correction
    mean_rr_ms: float | None
    sdnn_ms: float | None
    rmssd_ms: float | None
    corrections: Any  # what was done to the intervals
    reasons: Any  # why a figure is null, by its name
    needs: Any  # how long a recording each figure needs
    breathing: Any  # of each minute


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The kinds of beats and episodes of rhythm, as ``qrsd rhythm --json`` says them."""

    caution: str  # what whoever shows this has to show with it
    duration_s: float
    beats: Any  # how many there are of each kind
    abnormal_share: float | None  # which part of those that could be judged is not N
    episodes: Any  # kind, onset_s and end_s of each


async def identify(request: Request, body: OneRecording | None) -> RecordingIdentity:
    """Have the service say whose a recording is; its last minute counts."""
    async with received(request, body, "file") as [record]:
        ecg_mv = (await _read(record)).last_mv(LONGEST_S)
    answer = await _ask_service(request, "identify", ecg_mv=ecg_mv)
    if not knows_names(request):
        answer["person"] = None
    return RecordingIdentity(**answer)


async def verify(request: Request, body: TwoRecordings | None) -> Verdict:
    """Have the service compare two recordings, the last minute of each."""
    compared = {}
    async with received(request, body, "first", "second") as records:
        for name, record in zip(("first_mv", "second_mv"), records, strict=True):
            compared[name] = (await _read(record)).last_mv(LONGEST_S)
    return Verdict(**await _ask_service(request, "verify", **compared))


async def detect(request: Request, body: OneRecording | None) -> Response:
    """Find the heartbeats of a recording."""
    mains_hz = context_of(request).loaded.settings.front_end.mains_hz
    async with received(request, body, "file") as [record]:
        read = await _read(record, str(mains_hz))
    drawn = read.stretch(0, read.duration_s, PICTURE_WIDTH)
    told = {
        "duration_s": read.duration_s,
        "rate_hz": read.rate_hz,
        "beats": read.told["beats"],
        "ecg_mv": {name: drawn[name] for name in ("from_s", "to_s", "step_s")} | drawn["ecg_mv"],
        "notes": read.told["notes"],
    }
    return Response(json.dumps(told), media_type=JSON)


async def variability(request: Request, body: OneRecording | None) -> Response:
    """Measure how the heart rate of a recording varies."""
    _, told = await _analysed(request, body, "hrv")
    return Response(json.dumps(told), media_type=JSON)


async def anomaly(request: Request, body: OneRecording | None) -> Response:
    """Tell the kinds of a recording's beats and its rhythm."""
    caution, told = await _analysed(request, body, "rhythm")
    return Response(json.dumps({"caution": caution, **told}), media_type=JSON)


async def _analysed(
    request: Request, body: OneRecording | None, command: str
) -> tuple[str | None, dict[str, Any]]:
    """Return what a command of qrsd's says of a recording, and its caution."""
    mains_hz = context_of(request).loaded.settings.front_end.mains_hz
    async with received(request, body, "file") as [record]:
        how = ("--json", "--jobs=1", f"--mains={mains_hz}")
        work = record.parent.parent
        printed = await run(work, "daemon", command, record, *how, time_s=ANALYSIS_S)
    answer = json.loads(printed, parse_constant=lambda _: None)  # NaN, which JSON has not
    [told] = answer["records"]
    del told["record"]
    return answer.get("caution"), told


def knows_names(request: Request) -> bool:
    """Tell whether the caller may hear who is enrolled."""
    return "people:read" in caller_of(request).scopes


async def _ask_service(request: Request, command: str, **recordings: Any) -> dict[str, Any]:
    context = context_of(request)
    async with context.one_at_a_time:
        return await context.service.request(command, ANSWER_S, **recordings)


async def _read(record: Path, *mains_hz: str) -> Zoom:
    folder = record.parent.parent
    await run(folder, "daemon.web.reader", record, folder, *mains_hz, time_s=ANALYSIS_S)
    return await asyncio.to_thread(Zoom.of, folder)


@asynccontextmanager
async def received(request: Request, body: Any, *names: str) -> AsyncIterator[list[Path]]:
    """Give the recordings of a request, each two folders below one where a child may work on it.

    Raises:
        Problem: a part is missing, or is not what it should be; or two others are worked on.
    """
    form = await _form(request) if body is None else FormData()  # which may come slowly
    try:
        async with context_of(request).uploads.folder() as folder:
            records = []
            for name in names:
                place = folder / name / "uploaded"
                place.mkdir(parents=True)
                if body is None:
                    record = await asyncio.to_thread(_saved, form, name, place)
                else:
                    numbers = getattr(body, NUMBERS[name])
                    record = await asyncio.to_thread(_tabulated, numbers, body.rate_hz, place)
                records.append(record)
            yield records
    finally:
        await form.close()


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=MOST_FILES, max_fields=0)
    except (HTTPException, MultiPartException, ValueError) as error:  # of a strange charset
        why = getattr(error, "detail", error)
        raise Problem(422, "bad_request", f"The content is no set of files: {why}") from error


def _saved(form: FormData, name: str, place: Path) -> Path:
    """Save a recording's files, and return the one that stands for it."""
    given = form.getlist(name)
    more = "more" if name == "file" else f"{name}_more"
    parts = [each for each in (*given, *form.getlist(more)) if isinstance(each, UploadFile)]
    if len(given) != 1 or not parts:
        raise Problem(422, "bad_request", f"{name}: expected one file, and others as {more}.")
    for part in parts:
        given_name = part.filename or ""
        if not NAME.fullmatch(given_name) or len(given_name.encode()) > LONGEST_NAME_BYTES:
            raise Problem(422, "bad_request", f"{name}: {given_name!r:.60} is no file's name.")
        part.file.seek(0)
        try:
            with (place / given_name).open("xb") as file:
                shutil.copyfileobj(part.file, file)
        except FileExistsError as error:
            raise Problem(422, "bad_request", f"{name}: two files have one name.") from error
    for header in place.glob("*.[hH][eE][aA]"):
        _check_header(header)
    return place / str(parts[0].filename)


def _check_header(header: Path) -> None:
    """Refuse a WFDB header that names data elsewhere: that would be somebody else's heart.

    Raises:
        Problem: it does.
    """
    content = header.read_bytes()
    try:  # in lines as daemon.recordings.wfdb_header sees them
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        lines = content.decode("latin-1").splitlines()
    named = [line.split()[0] for line in lines if line.strip() and line.strip()[0] != "#"]
    if any("/" in name and not OF_SEGMENTS.fullmatch(name) for name in named):
        raise Problem(422, "bad_request", f"{header.name}: it names files of other folders.")


def _tabulated(values: Any, rate_hz: float, place: Path) -> Path:
    """Write numbers as a table, which the child checks further."""
    strange = not isinstance(values, list) or set(map(type, values)) - {int, float, NoneType}
    if strange or not values:
        raise Problem(422, "bad_request", "body: expected a list of numbers or null.")
    if not 1 <= rate_hz <= MOST_RATE_HZ:
        told = f"rate_hz: {rate_hz:g} is not between 1 and {MOST_RATE_HZ:g}."
        raise Problem(422, "bad_request", told)
    rows = (
        f"{index / rate_hz:.9f},{value!r}\n"
        for index, value in enumerate(values)
        if value is not None
    )
    table = place / "numbers.csv"
    with table.open("w") as file:
        file.write("time_s,ecg_mV\n")
        file.writelines(rows)
    return table


ONE = ("file", "more")
TWO = ("first", "second", "first_more", "second_more")
ROUTES = tuple(
    Route("POST", path, handler, "recordings", summary, body=body, files=files, answer=answer)
    for path, handler, summary, body, files, answer in (
        ("/identify", identify, "Say whose a recording is", OneRecording, ONE, RecordingIdentity),
        ("/verify", verify, "Say whether two are one person's", TwoRecordings, TWO, Verdict),
        ("/detect", detect, "Find the heartbeats of a recording", OneRecording, ONE, Beats),
        (
            "/variability",
            variability,
            "Measure how the rate varies",
            OneRecording,
            ONE,
            Variability,
        ),
        ("/anomaly", anomaly, "Tell its kinds of beats and rhythm", OneRecording, ONE, Anomaly),
    )
)
