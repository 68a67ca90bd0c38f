"""Reading one signal of a WFDB record, PhysioNet's format of a header beside its data files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from daemon.recordings.errors import MalformedRecording, RecordingNotFound, RecordsExtraMissing
from daemon.recordings.raw_signal import RawSignal, pick_signal

MV_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "v": 1e3}


def read_wfdb(path: Path, signal: str) -> RawSignal:
    """Read one signal of a record in mV, with NaN for the samples that the record marks invalid.

    Args:
        path: the record, with or without ``.hea``.
        signal: its name, whatever the case, or its number from 0.

    Raises:
        RecordingNotFound: there is no header, or a data file that it names is missing.
        MalformedRecording: header or data cannot be read, or the signal is no voltage.
        SignalNotFound: the record has no such signal.
        RecordsExtraMissing: the wfdb package is not installed.
    """
    record = path.with_suffix("") if path.suffix == ".hea" else path
    if not record.with_name(record.name + ".hea").is_file():
        raise RecordingNotFound(_nothing_there(path))
    wfdb = _import_wfdb(path)
    try:
        header = wfdb.rdheader(str(record))
        names = [name or f"signal {number}" for number, name in enumerate(header.sig_name)]
        rate_hz = float(header.fs)
    except Exception as error:  # the parser raises whatever it trips over
        raise MalformedRecording(f"{record}.hea is not a WFDB header: {error}.") from error
    if not rate_hz > 0:
        raise MalformedRecording(f"{record}.hea gives a rate of {rate_hz} Hz.")
    number = pick_signal(names, signal, path)
    try:
        read = wfdb.rdrecord(str(record), channels=[number])
    except FileNotFoundError as error:
        missing = error.filename or error
        raise RecordingNotFound(f"{path} names a data file that is missing: {missing}.") from error
    except Exception as error:  # as above
        raise MalformedRecording(f"The data of {path} do not fit its header: {error}.") from error
    unit = str(read.units[0])
    if unit.casefold() not in MV_PER_UNIT:
        raise MalformedRecording(f"Signal {signal!r} of {path} is in {unit}, not in mV, uV or V.")
    mv = np.asarray(read.p_signal[:, 0], dtype=np.float64) * MV_PER_UNIT[unit.casefold()]
    return RawSignal(rate_hz, mv)


def _import_wfdb(path: Path) -> ModuleType:
    try:
        import wfdb
    except ImportError as error:
        raise RecordsExtraMissing(
            f"Reading {path} needs the wfdb package: pip install 'qrsd[records]'."
        ) from error
    module: ModuleType = wfdb
    return module


def _nothing_there(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a WFDB record or a .csv file in it."
    if path.is_file():
        return f"{path} is neither a .csv file nor a WFDB record with a header (.hea)."
    return f"There is no recording {path}: expected a WFDB record or a .csv file."
