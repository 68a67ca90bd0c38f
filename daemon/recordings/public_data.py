"""Public recordings from PhysioNet: fetched file by file, and believed by their checksums.

``wfdb.dl_database`` does the like, but shows no progress, waits for ever on a network that falls
silent, and takes a file for whole by its size. PhysioNet publishes the SHA-256 of every file of a
set, so here a file counts only with the right one, whoever put it there and however far they got.
``pooch`` checks hashes too, but connects anew for each of a thousand files, and its errors would
still have to be put into words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from http.client import INTERNAL_SERVER_ERROR, OK, TOO_MANY_REQUESTS
from pathlib import Path, PurePosixPath

from daemon.errors import ResultsNotWritable, import_extra
from daemon.recordings.errors import ChecksumWrong, DownloadError, TransferFailed

ARCHIVE = "https://physionet.org/files"
CHECKSUMS = "SHA256SUMS.txt"
CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})\s+(\S.*)")

CONNECTIONS = 2  # as many as wfdb allows itself, so as not to be a burden
SILENT_S = 30.0
ATTEMPTS = 2  # at each file

PHYSIONET = "Goldberger et al., PhysioBank, PhysioToolkit, and PhysioNet, Circulation 101(23), 2000"


@dataclass(frozen=True, slots=True)
class PublicSet:
    """Recordings that everybody may use."""

    title: str  # as PhysioNet has it
    address: str  # folder in the archive, with the version; what is published never changes
    files: str  # matches the paths there of what is wanted; its group is the path to have here
    licence: str  # under which the recordings come
    citations: tuple[str, ...]  # of their authors, for whoever uses them
    use: str  # a command that takes the ``{folder}``


#: By the name of the folder that the other commands take. Left out are notes, pictures, second
#: readings and superseded versions of records.
SETS = {
    "ecg-id": PublicSet(
        "ECG-ID Database",
        "ecgiddb/1.0.0",
        r"(Person_\d+/rec_\d+\.(?:hea|dat|atr))",
        "ODC-By 1.0",
        ("Lugovaya, Biometric human identification based on ECG, 2005", PHYSIONET),
        "qrsd evaluate identity {folder}",
    ),
    "mitdb": PublicSet(
        "MIT-BIH Arrhythmia Database",
        "mitdb/1.0.0",
        r"(\d{3}\.(?:hea|dat|atr))",
        "ODC-By 1.0",
        (
            "Moody and Mark, The impact of the MIT-BIH Arrhythmia Database, IEEE Eng. Med. Biol. "
            "Mag. 20(3), 2001",
            PHYSIONET,
        ),
        "qrsd benchmark qrs --db {folder} --mains 60",
    ),
    "ludb": PublicSet(
        "Lobachevsky University Electrocardiography Database",
        "ludb/1.0.1",
        r"data/(\d+\.(?:hea|dat|i{1,3}|av[rlf]|v[1-6]))",
        "ODC-By 1.0",
        (
            "Kalyakulina et al., LUDB: a new open-access validation tool for electrocardiogram "
            "delineation algorithms, IEEE Access 8, 2020",
            PHYSIONET,
        ),
        "qrsd train ecg-id --leads {folder} --out models/",
    ),
    "nstdb": PublicSet(
        "MIT-BIH Noise Stress Test Database",
        "nstdb/1.0.0",
        r"((?:11[89]e(?:\d\d|_6)|bw|em|ma)\.(?:hea|dat|atr))",
        "ODC-By 1.0",
        (
            "Moody, Muldrow and Mark, A noise stress test for arrhythmia detectors, Computers in "
            "Cardiology 11, 1984",
            PHYSIONET,
        ),
        "qrsd benchmark noise --db mitdb --noise {folder}",
    ),
}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a record."""

    address: str  # where it is
    name: str  # path in the folder of the set here
    sha256: str  # in hexadecimal

    def is_in(self, folder: Path) -> bool:
        """Tell whether it is there, whole."""
        file = folder / self.name
        return file.is_file() and sha256(file.read_bytes()).hexdigest() == self.sha256


class Archive:
    """PhysioNet, or what stands in its place."""

    def __init__(self) -> None:
        requests = import_extra("requests", "records", "Fetching recordings")
        self._session = requests.Session()

    def records(self, wanted: PublicSet) -> list[tuple[RemoteFile, ...]]:
        """Return the files of each record of a set, the header last: with it, a record is whole."""
        base = f"{ARCHIVE}/{wanted.address}"
        try:
            listed = self._get(f"{base}/{CHECKSUMS}").decode(errors="replace")
        except TransferFailed as error:
            raise DownloadError(
                f"{base} cannot be reached ({error}): is there a network, and does it let one out?"
            ) from error
        lines = [CHECKSUM_LINE.fullmatch(line) for line in listed.splitlines() if line]
        files = [
            RemoteFile(f"{base}/{line[2]}", path[1], line[1])
            for line in lines
            if line and (path := re.fullmatch(wanted.files, line[2]))
        ]
        if not files or None in lines:
            raise DownloadError(
                f"{base}/{CHECKSUMS} is no list of this set's files, so something else seems to "
                "have answered: does this network want you to log in?"
            )
        return _by_record(files)

    def fetch(self, file: RemoteFile, folder: Path) -> None:
        """Put a file into the folder of its set, whole or not at all."""
        content = self._get_published(file)
        place = folder / file.name
        part = place.with_name(f"{place.name}.part")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(place)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise ResultsNotWritable(
                f"{place}: {error.strerror}; make room or choose another --out, and try again"
            ) from error

    def _get_published(self, file: RemoteFile) -> bytes:
        """Download a file, once more if it does not come or is not what was published."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                content = self._get(file.address)
            except TransferFailed as error:
                if attempt == ATTEMPTS:
                    raise TransferFailed(
                        f"{file.address} did not come ({error}); run the same command again, and "
                        "it goes on here"
                    ) from error
            else:
                if sha256(content).hexdigest() == file.sha256:
                    return content
        raise ChecksumWrong(
            f"{file.address} does not come with the SHA-256 that {CHECKSUMS} gives; nothing of it "
            "was kept: try again later, or from another network"
        )

    def _get(self, address: str) -> bytes:
        """Download what is at an address, in one attempt."""
        from requests import RequestException

        try:
            answer = self._session.get(address, timeout=SILENT_S)
        except RequestException as error:
            raise TransferFailed(type(error).__name__) from error
        status = f"{answer.status_code} {answer.reason}"
        if answer.status_code == TOO_MANY_REQUESTS or answer.status_code >= INTERNAL_SERVER_ERROR:
            raise TransferFailed(status)
        if answer.status_code != OK:
            raise DownloadError(
                f"{address}: the archive answers {status}; look on https://physionet.org whether "
                "the set has moved"
            )
        content: bytes = answer.content
        return content


def fetch_set(
    archive: Archive,
    records: Iterable[tuple[RemoteFile, ...]],
    folder: Path,
    on_record: Callable[[], None],
) -> int:
    """Fetch what is not in the folder yet, and return how many files that were."""

    def fetch(record: tuple[RemoteFile, ...]) -> int:
        missing = [file for file in record if not file.is_in(folder)]
        for file in missing:
            archive.fetch(file, folder)
        return len(missing)

    fetched = 0
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        try:
            for files in pool.map(fetch, records):
                fetched += files
                on_record()
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C, begin no other record
    return fetched


def _by_record(files: list[RemoteFile]) -> list[tuple[RemoteFile, ...]]:
    records: dict[PurePosixPath, list[RemoteFile]] = {}
    for file in sorted(files, key=lambda file: file.name.endswith(".hea")):
        records.setdefault(PurePosixPath(file.name).with_suffix(""), []).append(file)
    return [tuple(of_record) for of_record in records.values()]
