"""The board that the settings ask for, and who wears the electrodes if it is simulated.

numpy is imported for the simulator only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import SettingInvalid
from config.source import PlayOptions, SimulatedOptions, SourceOptions
from drivers.bus import Board

if TYPE_CHECKING:
    from drivers.waveforms import Electrodes
    from drivers.waveforms.playlist import Segment

HEART_S = 60.0


@dataclass(frozen=True, slots=True)
class Source:
    """A board, and what its simulated electrodes see; None for real ones."""

    board: Board
    electrodes: Electrodes | None


def open_source(options: SourceOptions, *, paced: bool = True) -> Source:
    """Open the board, or put a simulated one together.

    Args:
        options: which, and how.
        paced: for the simulator: True for the wall clock, False for a virtual one.

    Raises:
        DriverError: the board cannot be opened.
        RecordingError: a recording that is to be played cannot be read.
    """
    if options.source == "chip":
        from drivers.raspberry import open_board

        return Source(open_board(options.board), None)
    from drivers.simulator import open_simulated_board

    electrodes = play(options.simulated)
    board = open_simulated_board(electrodes, options.simulated.chip, paced=paced)
    return Source(board, electrodes)


def play(options: SimulatedOptions) -> Electrodes:
    """Return electrodes that see one entry of the play after another.

    Raises:
        RecordingError: a recording cannot be read.
        SettingInvalid: one has ended before the second to begin at.
    """
    from drivers.waveforms.playlist import Playlist

    return Playlist([_segment(entry, options) for entry in options.play], repeat=options.repeat)


def _segment(entry: PlayOptions, options: SimulatedOptions) -> Segment:
    from daemon.recordings.recording import read_recording
    from daemon.recordings.signal_file import Reading
    from drivers.waveforms.hearts import Heart
    from drivers.waveforms.playlist import electrodes_off, play_heart, play_recording

    if entry.pause is not None:
        return electrodes_off(entry.pause)
    if entry.heart is not None:
        heart = Heart(entry.heart, ventricular=entry.ventricular)
        return play_heart(heart, entry.seconds or HEART_S, entry.from_s, options.noise)
    reading = Reading(identity=Path(entry.identity) if entry.identity else None)
    recording = read_recording(str(entry.record), entry.signal, reading, with_respiration=True)
    try:
        return play_recording(
            recording.name,
            recording.ecg_mv,
            entry.seconds,
            entry.from_s,
            respiration_mv=recording.respiration_mv,
        )
    except ValueError as error:
        raise SettingInvalid(f"simulated.play: {entry.record}: {error}") from error
