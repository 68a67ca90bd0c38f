"""The recordings: the recorder's files to be listed, looked at, downloaded and deleted."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from config.folders import recordings_folder
from daemon.web.children import run
from daemon.web.context import context_of
from daemon.web.exchange import REPORT_POLICY
from daemon.web.people import Confirmation, check_confirmed
from daemon.web.problems import Problem
from daemon.web.recordings_folder import Recording, RecordingsFolder, files_of
from daemon.web.routes import JSON, Method, Route
from daemon.web.zoom import Zoom
from daemon.wire.answers import Done
from daemon.wire.errors import ServiceUnavailable

CONVERT_S, REPORT_S = 300.0, 900.0  # at most
MOST_WIDTH = 4000
CHUNK_BYTES = 1 << 16
SUFFIXES = {"bdf": ".bdf", "edf": ".edf", "wfdb": ".hea", "csv": ".csv"}
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".json": JSON,
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
}
BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class RecorderState:
    """What the recorder does."""

    state: Literal["off", "waiting", "recording"]  # off: no recorder runs
    file: str | None = None  # name of the one that is being written
    seconds: float | None = None  # how long it is so far


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recorder, and its recordings."""

    recorder: RecorderState
    recordings: tuple[Recording, ...]  # newest first


@dataclass(frozen=True, slots=True)
class Marking:
    """A marker to be put into the recording."""

    text: str  # of 1 to 192 bytes in UTF-8


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of a recording is to be shown."""

    from_s: float = 0.0
    to_s: float | None = None  # null for its end
    width: int = 1000  # how many steps at most, to 4000


@dataclass(frozen=True, slots=True)
class Extremes:
    """A signal in steps; null where nothing was recorded."""

    min: tuple[float | None, ...]  # the least of each step
    max: tuple[float | None, ...]  # the most of each step


@dataclass(frozen=True, slots=True)
class Samples:
    """A stretch of a recording. It may begin and end a little outside what was asked for."""

    from_s: float  # where the first step begins
    to_s: float  # where the last one ends
    step_s: float  # length of a step
    rate_hz: float  # samples a second
    ecg_mv: Extremes  # potential between the electrodes
    respiration_mv: Extremes | None  # what channel 1 saw; null if it was not recorded


@dataclass(frozen=True, slots=True)
class AnnotationAnswer:
    """A word on some samples of a recording."""

    at_s: float  # from its begin
    text: str
    duration_s: float  # 0 for a moment


@dataclass(frozen=True, slots=True)
class Details(Recording):
    """One recording, read whole."""

    device: str | None  # ads1292r, simulated or convert; null if qrsd did not write it
    signals: tuple[str, ...]  # names
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    annotations: tuple[AnnotationAnswer, ...]  # all but the heartbeats


@dataclass(frozen=True, slots=True)
class FileFormat:
    """What the recording is to be downloaded as."""

    format: Literal["bdf", "edf", "wfdb", "csv"] | None = None  # null for as it is; wfdb is a .zip


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """What the report is to be."""

    format: Literal["html", "pdf", "json"] = "html"


def _folder(request: Request) -> RecordingsFolder:
    options = context_of(request).loaded.settings.record
    return RecordingsFolder(Path(options.folder or recordings_folder()))


async def _found(request: Request) -> tuple[Path, Recording]:
    return await asyncio.to_thread(_folder(request).find, request.path_params["id"])


async def _readable(request: Request) -> tuple[Path, Recording]:
    """Return a recording that is not encrypted.

    Raises:
        Problem: it is, or there is none.
    """
    path, recording = await _found(request)
    if recording.encrypted:
        raise Problem(
            422,
            "recording_encrypted",
            "It is encrypted: download it as it is, and read it where its key is.",
        )
    return path, recording


async def recordings(request: Request, _: None) -> Recordings:
    """List the recordings."""
    found = await asyncio.to_thread(_folder(request).list)
    return Recordings(await _recorder_state(request), tuple(found))


async def _recorder_state(request: Request) -> RecorderState:
    try:
        return RecorderState(**await context_of(request).recorder.request("state"))
    except ServiceUnavailable:
        return RecorderState("off")


async def _ask_recorder(request: Request, command: str, **fields: Any) -> RecorderState:
    try:
        await context_of(request).recorder.request(command, **fields)
    except ServiceUnavailable as error:
        raise Problem(
            409, "recorder_off", "No recorder runs here: systemctl start qrsd-record."
        ) from error
    return await _recorder_state(request)


async def start(request: Request, _: None) -> RecorderState:
    """Have the recorder record from now on."""
    return await _ask_recorder(request, "start")


async def stop(request: Request, _: None) -> RecorderState:
    """Have the recorder end its recording."""
    return await _ask_recorder(request, "stop")


async def mark(request: Request, marking: Marking) -> RecorderState:
    """Put a marker into the recording."""
    return await _ask_recorder(request, "mark", text=marking.text)


async def details(request: Request, _: None) -> Response:
    """Tell what there is to tell of a recording, but its samples."""
    path, recording = await _found(request)
    told: dict[str, Any] = {"device": None, "signals": [], "notes": [], "annotations": []}
    if not recording.encrypted:
        try:
            zoom = await context_of(request).overviews.of(path)
        except Problem as problem:
            if problem.code != "recording_unusable":
                raise
            recording = replace(recording, damaged=not recording.growing)
            told["notes"] = [str(problem)]
        else:
            begin_utc = zoom.told["begin_utc"] or recording.begin_utc
            recording = replace(recording, duration_s=zoom.duration_s, begin_utc=begin_utc)
            told = {name: zoom.told[name] for name in told}
    return Response(json.dumps(asdict(recording) | told), media_type=JSON)


async def samples(request: Request, stretch: Stretch) -> Response:
    """Tell a stretch of a recording's samples, at any zoom."""
    if not 1 <= stretch.width <= MOST_WIDTH:
        raise Problem(422, "bad_request", f"query.width: not between 1 and {MOST_WIDTH}.")
    path, _ = await _readable(request)
    zoom = await context_of(request).overviews.of(path)
    to_s = zoom.duration_s if stretch.to_s is None else stretch.to_s
    if not stretch.from_s <= to_s:
        raise Problem(422, "bad_request", "query.to_s: it lies before from_s.")
    content = await asyncio.to_thread(_drawn, zoom, stretch.from_s, to_s, stretch.width)
    return Response(content, media_type=JSON)


def _drawn(zoom: Zoom, from_s: float, to_s: float, width: int) -> str:
    return json.dumps(zoom.stretch(from_s, to_s, width), separators=(",", ":"))


async def file(request: Request, wanted: FileFormat) -> Response:
    """Send a recording as it is, or in another format."""
    if wanted.format is None:
        path, recording = await _found(request)
    else:
        path, recording = await _readable(request)
    if wanted.format in (None, recording.format) and recording.format != "wfdb":
        return _sent(_opened(path), path.name)
    stem = re.sub(r"[^\w.-]", "_", path.stem, flags=re.ASCII)
    async with context_of(request).conversions.folder() as folder:
        out = path
        if wanted.format not in (None, recording.format):
            out = folder / f"{stem}{SUFFIXES[wanted.format]}"
            await run(folder, "daemon", "convert", path, out, time_s=CONVERT_S)
        if out.suffix == ".hea":
            out = await asyncio.to_thread(_zipped, out, folder / f"{stem}.zip")
        return _sent(_opened(out), out.name)


async def report(request: Request, wanted: ReportFormat) -> Response:
    """Make a report on a recording."""
    path, _ = await _readable(request)
    settings = context_of(request).loaded.settings
    async with context_of(request).conversions.folder() as folder:
        out = folder / f"{path.stem}.{wanted.format}"
        mains = f"--mains={settings.front_end.mains_hz}"
        await run(folder, "daemon", "report", path, "--out", out, mains, time_s=REPORT_S)
        response = _sent(_opened(out), out.name, "inline")
    response.headers["content-security-policy"] = REPORT_POLICY
    return response


async def delete(request: Request, confirmation: Confirmation) -> Done:
    """Erase a recording."""
    name = request.path_params["id"]
    check_confirmed(confirmation, name)
    path = await asyncio.to_thread(_folder(request).delete, name)
    context_of(request).overviews.forget(path)
    return Done()


def _zipped(path: Path, out: Path) -> Path:
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for part in files_of(path):
            archive.write(part, part.name)
    return out


def _opened(path: Path) -> BinaryIO:
    """Open a file that is no link.

    Raises:
        Problem: the system refuses.
    """
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise Problem(403, "not_permitted", f"It cannot be read: {error.strerror}.") from error


def _sent(
    opened: BinaryIO, name: str, how: Literal["attachment", "inline"] = "attachment"
) -> Response:
    """Send a file that is open, whatever becomes of its name; of one that grows what is there."""
    size = os.fstat(opened.fileno()).st_size
    headers = {
        "content-length": str(size),
        "content-disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
    }
    media_type = MEDIA_TYPES.get(Path(name).suffix.casefold(), BINARY)
    return StreamingResponse(_chunks(opened, size), 200, headers, media_type)


async def _chunks(opened: BinaryIO, size: int) -> AsyncIterator[bytes]:
    with opened:
        while size > 0 and (chunk := await asyncio.to_thread(opened.read, min(size, CHUNK_BYTES))):
            size -= len(chunk)
            yield chunk


def _route(method: Method, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(method, f"/recordings{path}", handler, "recordings", summary, **more)


NOW = "Record from now on, whoever wears the electrodes"
ROUTES = (
    _route("GET", "", recordings, "List recordings", answer=Recordings),
    _route("POST", "/start", start, NOW, answer=RecorderState),
    _route("POST", "/stop", stop, "End the recording", answer=RecorderState),
    _route("POST", "/markers", mark, "Put a marker into it", body=Marking, answer=RecorderState),
    _route("GET", "/{id}", details, "Tell of one", answer=Details),
    _route("DELETE", "/{id}", delete, "Erase one for good", body=Confirmation, answer=Done),
    _route(
        "GET", "/{id}/samples", samples, "Look at a stretch of one", query=Stretch, answer=Samples
    ),
    _route("GET", "/{id}/file", file, "Download one", query=FileFormat, media_type=BINARY),
    _route(
        "GET", "/{id}/report", report, "Report on one", query=ReportFormat, media_type="text/html"
    ),
)
