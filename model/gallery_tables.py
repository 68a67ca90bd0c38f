"""The gallery's tables as SQL, and how it behaves as a file."""

from __future__ import annotations

APPLICATION_ID = int.from_bytes(b"qrsd")  # in the file's header: what kind of database it is
SCHEMA = 2

TABLES = (
    """CREATE TABLE person (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_utc TEXT NOT NULL,
        consent_utc TEXT)""",
    """CREATE TABLE template (
        id INTEGER PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
        model_sha256 TEXT NOT NULL,
        embedding BLOB NOT NULL,
        beats INTEGER NOT NULL,
        created_utc TEXT NOT NULL,
        source TEXT NOT NULL)""",
    SEAL_TABLE := "CREATE TABLE seal (salt BLOB NOT NULL, proof BLOB NOT NULL)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA}",
)

FROM_SCHEMA_1 = (
    "ALTER TABLE person ADD COLUMN consent_utc TEXT",
    SEAL_TABLE,
    f"PRAGMA user_version = {SCHEMA}",
)

SETTINGS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = EXTRA",  # with FULL, a power cut may bring the journal back: undone
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten with zeros
    "PRAGMA temp_store = MEMORY",  # VACUUM would leave a copy on the disk
)
