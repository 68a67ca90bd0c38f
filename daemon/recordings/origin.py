"""What a recording says besides its signals: what made it, when, and when an electrode was off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

from daemon.recordings.annotations import read_comments, read_texts
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.edf_header import EARLIEST_YEAR
from daemon.recordings.encryption import open_content
from daemon.recordings.ours import IN_EDF, IN_TEXT
from daemon.recordings.recorded import LEAD_OFF, LEAD_ON, RecordedSignal, Word, signals_told
from daemon.recordings.signal_file import Reading, SignalFile, is_edf, is_table, without_suffix

HEADER_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording is from, as far as it says so."""

    #: ``ads1292r``, ``simulated``, ``paper`` or ``convert``; None if qrsd did not write it
    source: str | None
    begin: datetime | None  # in UTC if qrsd wrote it, else by the clock of whatever did
    #: when each lead-off that is noted began and ended, in seconds, None for one that lasts to the
    #: end; None if qrsd did not write the recording, whose notes then are not known
    lead_off_s: tuple[tuple[float, float | None], ...] | None
    signals: tuple[RecordedSignal, ...] = ()  # of a WFDB record or table that qrsd wrote

    @property
    def is_simulated(self) -> bool:
        """Tell whether no real heart is in it."""
        return self.source == "simulated"


NOT_SAID = Origin(None, None, None)


def origin(record: str, identity: Path | None = None, file: SignalFile | None = None) -> Origin:
    """Read what a recording says of itself, one that is encrypted by a key of an identity file.

    Args:
        record: the recording.
        identity: file with the key.
        file: the recording, if it was opened before: to find the annotations of a day takes long.

    Raises:
        RecordingError: it is missing or malformed.
    """
    path = Path(record)
    if is_edf(path):
        return _of_edf(_edf(path, identity, file))
    stem = without_suffix(path)
    text = path if is_table(path) else stem.with_name(f"{stem.name}.hea")
    with TextIOWrapper(open_content(text, identity), "utf-8", errors="replace") as lines:
        begin = lines.read(HEADER_CHARACTERS)
    told = IN_TEXT.search(begin)
    utc = _moment(told[2]) if told else None
    if told is None or utc is None:
        return NOT_SAID
    return Origin(told[1], utc, _lead_off_s(words(record, identity)), tuple(signals_told(begin)))


def _moment(text: str) -> datetime | None:
    """Return the time that qrsd wrote, in UTC; None if it is none, and so not by qrsd."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _edf(path: Path, identity: Path | None, file: SignalFile | None) -> EdfFile:
    return file if isinstance(file, EdfFile) else EdfFile(path, Reading(identity=identity))


def _of_edf(file: EdfFile) -> Origin:
    ours = IN_EDF.search(file.recording)
    begin = file.begin_utc if file.begin_utc.year > EARLIEST_YEAR else None
    if not ours:
        return Origin(None, begin and begin.replace(tzinfo=None), None)
    return Origin(ours[1], begin, _lead_off_s(_words_of_edf(file)))


def words(record: str, identity: Path | None = None, file: SignalFile | None = None) -> list[Word]:
    """Return the annotations of a recording: of EDF, BDF, ``.atr``, and of tables of qrsd's own.

    The arguments are those of ``origin``.

    Raises:
        RecordingError: they are malformed.
    """
    path = Path(record)
    if is_edf(path):
        return _words_of_edf(_edf(path, identity, file))
    return read_comments(path, identity) if is_table(path) else read_texts(path)


def _words_of_edf(file: EdfFile) -> list[Word]:
    rate_hz = file.fastest_hz
    found = file.annotations()
    return [(each.sample / rate_hz, each.text, each.samples / rate_hz) for each in found]


def _lead_off_s(said: Sequence[Word]) -> tuple[tuple[float, float | None], ...]:
    stretches: list[tuple[float, float | None]] = []
    for at_s, text, _ in sorted(each for each in said if each[1] in (LEAD_OFF, LEAD_ON)):
        is_off = bool(stretches) and stretches[-1][1] is None
        if text == LEAD_OFF and not is_off:
            stretches.append((at_s, None))
        elif text == LEAD_ON and is_off:
            stretches[-1] = (stretches[-1][0], at_s)
    return tuple(stretches)
