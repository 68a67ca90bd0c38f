"""The packages: who owns their names, that all are installed, and who may import whom."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INSTALLED = ("dsp", "drivers", "model", "config", "daemon")
PACKAGES = (*INSTALLED, "benchmarks")
OF_A_CHECKOUT = ("benchmarks", "model.training")  # a wheel has neither
#: Each room, and the rooms that it may import besides itself. A folder that is not named belongs to
#: the room above it. ``daemon`` stands for its own files only: errors and the journal.
GROUND = {"dsp", "drivers", "model", "config", "daemon"}
BELOW = {
    "dsp": set[str](),
    "drivers": set[str](),
    "model": {"dsp"},
    "config": {"model", "dsp", "drivers"},
    "daemon": set[str](),
    "daemon.recordings": {"dsp", "drivers", "daemon", "model"},  # whose folder_owner root writes by
    "daemon.acquisition": {"drivers", "config", "daemon", "daemon.recordings"},
    "daemon.wire": {"drivers", "model", "config", "daemon"},
    "daemon.offline": GROUND | {"daemon.recordings"},
    "daemon.service": GROUND | {"daemon.recordings", "daemon.acquisition", "daemon.wire"},
    "daemon.paper": GROUND | {"daemon.recordings"},
    "daemon.apps": GROUND | {"daemon.recordings", "daemon.wire"},
    "daemon.web": GROUND | {"daemon.recordings", "daemon.wire", "daemon.fleet", "daemon.doctor"},
    "daemon.fleet": GROUND | {"daemon.wire", "daemon.apps"},
    "daemon.doctor": GROUND
    | {"daemon.recordings", "daemon.acquisition", "daemon.wire", "daemon.service"},
}
BELOW["daemon.commands"] = set(BELOW)
BELOW["daemon.__main__"] = set(BELOW)
BELOW["benchmarks"] = set(BELOW)
#: The modules of each room that other rooms may import; the others are its insides. Benchmarks,
#: which nothing imports, may look inside.
DOORS = {
    "daemon.recordings": {
        "annotations",
        "bdf_repair",
        "durable_file",
        "edf_file",
        "edf_header",
        "edf_writer",
        "encryption",
        "errors",
        "origin",
        "ours",
        "person_folders",
        "public_data",
        "reading_order",
        "record_names",
        "recorded",
        "recording",
        "replay",
        "sample_clock",
        "signal_file",
        "writers",
    },
    "daemon.acquisition": {"handle", "realtime", "sources"},
    "daemon.wire": {
        "addresses",
        "answers",
        "api",
        "binding",
        "client",
        "codec",
        "connection_limit",
        "control",
        "curve_gate",
        "errors",
        "json_schema",
        "keys",
        "messages",
        "publisher",
        "status",
    },
    "daemon.offline": {
        "analysis",
        "beat_table",
        "commentary",
        "converting",
        "drawing",
        "errors",
        "evaluation",
        "evaluation_figures",
        "evaluation_picture",
        "excerpt",
        "explaining",
        "explaining_kinds",
        "explanation_picture",
        "labels",
        "measuring",
        "recognition",
        "report_page",
        "reporting",
        "results",
        "rhythm",
        "rhythm_picture",
        "scoring",
    },
    "daemon.paper": {"digitizing", "errors", "page", "pulse", "writing"},
    "daemon.service": {"assembly", "errors"},
    "daemon.apps": {
        "demo",
        "demo_plan",
        "errors",
        "figures",
        "home_assistant",
        "http_post",
        "influx",
        "lsl",
        "mqtt",
        "notify",
        "outbox",
        "record",
        "scene",
        "watch",
        "ways",
    },
    "daemon.doctor": {"checks", "visit", "walk"},
    "daemon.fleet": {
        "app",
        "digest",
        "errors",
        "link",
        "listing",
        "live",
        "local_people",
        "model_files",
        "model_switch",
        "people",
        "roll_out",
        "site",
        "site_folder",
        "telling",
    },
    "daemon.web": {"certificate", "context", "server", "tokens"},
    "daemon.commands": {"exit_codes"},
}
RUNTIMES = {"tflite_runtime", "ai_edge_litert"}


def imports_of(source: Path) -> Iterator[str]:
    """Name every module that a file imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def texts_of(source: Path) -> set[str]:
    """Return a file's strings, since a module can be imported by a name in a string too."""
    nodes = ast.walk(ast.parse(source.read_text()))
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room_of(module: str) -> str:
    """Name the room that a module is in; empty for another project's."""
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in BELOW), "")


def is_of_a_checkout(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in OF_A_CHECKOUT)


def module_of(source: Path) -> str:
    parts = source.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of names that import each other, directly or by way of others."""
    reached = {name: set(imported) for name, imported in imports.items()}
    for middle in imports:
        for onwards in reached.values():
            onwards.update(reached[middle] if middle in onwards else ())
    on_a_circle = [name for name in imports if name in reached[name]]
    return [
        {other for other in on_a_circle if name in reached[other] and other in reached[name]}
        for name in on_a_circle
    ]


@pytest.mark.parametrize("package", INSTALLED)
def test_each_top_level_name_has_one_owner(package: str) -> None:
    # Twice the same owner: an editable install leaves a second record in the checkout.
    assert set(packages_distributions()[package]) == {"qrsd"}


def test_every_package_is_installed_but_those_of_a_checkout() -> None:
    listed = setup()["options"]["packages"].split()

    found = [
        ".".join(source.parent.relative_to(ROOT).parts)
        for package in PACKAGES
        for source in sources(package)
        if source.name == "__init__.py"
    ]

    assert sorted(listed) == sorted(name for name in found if not is_of_a_checkout(name))


def test_what_is_installed_does_not_import_what_is_not() -> None:
    asking = {
        str(source.relative_to(ROOT))
        for package in INSTALLED
        for source in sources(package)
        if not is_of_a_checkout(module_of(source))
        and any(map(is_of_a_checkout, imports_of(source)))
    }

    assert asking == set()


def test_no_module_and_no_room_is_on_an_import_circle() -> None:
    files = {module_of(source): source for package in PACKAGES for source in sources(package)}
    modules = {name: {*imports_of(file)} & files.keys() - {name} for name, file in files.items()}
    rooms: dict[str, set[str]] = {room: set() for room in BELOW}
    for name, imported in modules.items():
        rooms[room_of(name)] |= {*map(room_of, imported)} - {room_of(name)}

    assert circles(modules) == []
    assert circles(rooms) == []


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}})[0] == {"b", "c"}


def test_imports_run_downwards_only() -> None:
    upwards = [
        f"{source.relative_to(ROOT)} imports {name}"
        for package in PACKAGES
        for source in sources(package)
        for room in [room_of(module_of(source))]
        for name in imports_of(source)
        if room_of(name) not in BELOW[room] | {room, ""}
    ]

    assert upwards == []


def test_no_room_of_the_daemon_imports_anothers_insides() -> None:
    inside = [
        f"{source.relative_to(ROOT)} imports {name}"
        for source in sources("daemon")
        for name in imports_of(source)
        for room in [room_of(name)]
        if room in DOORS and room != room_of(module_of(source))
        for module in name.removeprefix(room).split(".")[1:2]
        if module not in DOORS[room]
    ]

    assert inside == []


def test_nobody_imports_what_a_module_keeps_for_itself() -> None:
    private = [
        f"{source.relative_to(ROOT)} imports {name}"
        for package in PACKAGES
        for source in sources(package)
        for name in imports_of(source)
        if room_of(name) and re.search(r"\._[a-z]", name)
    ]

    assert private == []


def test_every_file_that_is_not_python_is_installed() -> None:
    patterns = setup()["options.package_data"]

    forgotten = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
        if not any(map(path.match, patterns.get(package, "").split(", ")))
    ]

    assert forgotten == []


def test_the_newest_version_that_the_changes_tell_of_is_the_one_that_is_made() -> None:
    told = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert told[0] == setup()["metadata"]["version"]


def test_the_version_stands_in_one_place_from_which_the_command_has_it() -> None:
    made = setup()["metadata"]["version"]
    texts = (path for folder in (*PACKAGES, "systemd") for path in (ROOT / folder).rglob("*"))
    # "mitdb/1.0.0" is PhysioNet's version of its own data.
    repeated = re.compile(rf"(?<![\d.])(?<!db/){re.escape(made)}(?![\d.])")

    told = subprocess.run(
        [sys.executable, "-m", "daemon", "--version"], capture_output=True, text=True, check=True
    )

    assert told.stdout == f"qrsd {made}\n", "after another version, install the checkout anew"
    assert [
        str(path)
        for path in (*texts, ROOT / "Makefile", ROOT / "pyproject.toml")
        if path.suffix in {"", ".py", ".sh", ".toml", ".service"} and path.is_file()
        if repeated.search(path.read_text())
    ] == []


def test_only_the_network_knows_the_tflite_runtimes() -> None:
    knowing = {
        str(source.relative_to(ROOT))
        for package in PACKAGES
        for source in sources(package)
        if RUNTIMES & ({name.split(".")[0] for name in imports_of(source)} | texts_of(source))
    }

    assert knowing == {"model/network.py"}


def test_reading_the_chip_needs_no_numpy() -> None:
    program = (
        "import sys, daemon.acquisition.process, drivers.ads1292r, drivers.raspberry;"
        "print(*({'numpy', 'scipy'} & set(sys.modules)))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == ""
