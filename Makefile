# `make` alone says what there is to make.

PYTHON ?= python3
NEWER_PYTHON ?= $(lastword $(sort $(wildcard /usr/bin/python3.1[2-9] $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[2-9]*/bin/python3)))
PYTHONS ?= $(foreach minor,11 12 13,$(lastword $(sort $(wildcard /usr/bin/python3.$(minor) $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.$(minor).*/bin/python3))))
PIP := -m pip --disable-pip-version-check --quiet
# Python compiles what it imports by itself; all of TensorFlow, of which little is used, takes minutes.
INSTALL := $(PIP) install --no-compile
# Where this is set, as in many containers, each of the hundreds of processes that the tests start would
# compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# In the order of folders: by their number of tests, files of few and slow ones would come last, alone.
PYTEST := -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder
DEFAULT_TESTS := "not realtime and not system and not servers and not web and not train and not benchmark"
# The files with tests of these marks, so that a lane imports no others.
files_marked = $(shell grep --recursive --files-with-matches --extended-regexp --include='*.py' 'mark\.($(1))\b' tests)
# What may differ with the Python and the TFLite runtime: networks, the parser of the command line, types
# read at run time, processes, SQLite, numpy. Arithmetic on beats does not; of every other room, one file.
NEWER_TESTS := tests/test_*.py tests/config tests/model/test_*.py tests/daemon/test_*.py tests/daemon/service \
	tests/drivers/test_stream.py tests/dsp/test_front_end.py \
	$(addprefix tests/daemon/,acquisition/test_process.py wire/test_messages.py recordings/test_wfdb_record.py offline/test_analysis.py \
	apps/test_record.py doctor/test_software.py web/test_state.py commands/test_identify.py)

.PHONY: help demo test test-realtime test-system test-servers test-web test-deb test-arm64 test-train test-newer test-wheel \
	reliability deb wheel sbom install uninstall clean

help:
	@echo "make demo              see it work: synthetic hearts on a simulated chip, in a browser too, and a report (two minutes)"
	@echo "make demo DATA=folder  the same with the WFDB recordings of a folder"
	@echo "make test              lint, types and tests (some minutes)"
	@echo "make test-realtime     the tests that run by the wall clock, the whole service among them"
	@echo "sudo make test-system  boot a copy of this machine with the service, and with what make deb made; real spidev"
	@echo "sudo make test-servers open what it writes with other programs of Debian's (installs them)"
	@echo "sudo make test-web     drive the page in Debian's Chromium, and check its code (installs it, and npm packages)"
	@echo "sudo make test-deb     make the package in clean Debians, bookworm and trixie, and boot them with it"
	@echo "sudo make test-arm64   make the package for arm64 in an emulated Debian, and test it there (an hour); RELEASE=trixie"
	@echo "make test-train        the tests that train a network or run other detectors (installs them)"
	@echo "make test-newer        what a Python or the TFLite runtime can change, with 3.12 or newer"
	@echo "make test-wheel        install the wheel anew with each Python from 3.11 on that is here, and run it"
	@echo "make reliability       write docs/reliability.md anew from its tests"
	@echo "make deb               the Debian package for this machine's Debian and processor, in build"
	@echo "make wheel             the wheel and the source distribution, in build/wheel"
	@echo "make sbom              what is installed, as CycloneDX and with licences, in build"
	@echo "sudo make install      put the service into /opt/qrsd, for systemd"
	@echo "sudo make uninstall    take it away again; PURGE=1 with settings and enrolled people"
	@echo "make clean             remove what the others made here"
	@echo
	@echo "PYTHON=python3.13 chooses the Python to make environments from (now: $(PYTHON))."

demo: .venv/with-report
	@.venv/bin/qrsd demo --report build/demo $(if $(DATA),--data "$(DATA)")

test: .venv/with-tests
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/python $(PYTEST) -m $(DEFAULT_TESTS)

# A virtual machine whose host takes the processor away misses samples by the hundred: twice more, then.
test-realtime: .venv/with-tests
	.venv/bin/python $(PYTEST) -m "realtime and not system" --reruns 2 --reruns-delay 20 -raR $(call files_marked,realtime)

test-system: .venv/with-tests
	@sh tests/packages.sh system
	@.venv/bin/python $(PIP) install "spidev >= 3.6" || echo "Without spidev, its tests are skipped."
	.venv/bin/python -m pytest -m system -rP $(call files_marked,system)

test-servers: .venv/with-tests
	@sh tests/packages.sh servers || echo "Without these programs, their tests are skipped."
	.venv/bin/python -m pytest --numprocesses=3 --dist=loadfile -m servers --reruns 2 --reruns-delay 10 -raR $(call files_marked,servers)

test-web: .venv/with-web-tests
	@sh tests/packages.sh web || echo "Without Chromium, the tests in it are skipped."
	.venv/bin/python -m pytest -m web -raR $(call files_marked,web)

test-deb: .venv/with-tests
	@sh tests/debian.sh bookworm amd64
	@sh tests/debian.sh trixie amd64

test-arm64:
	@sh tests/debian.sh $(or $(RELEASE),bookworm) arm64

test-train: .venv-train/with-tests
	.venv-train/bin/python $(PYTEST) -m "train or benchmark" $(call files_marked,train|benchmark)

ifdef NEWER_PYTHON
test-newer: .venv-newer/with-tests
	.venv-newer/bin/python $(PYTEST) -m $(DEFAULT_TESTS) -k "not streams_and_home and not kill_9" $(NEWER_TESTS)
else
test-newer:
	@echo "There is no Python 3.12 or newer here: NEWER_PYTHON=... says where one is."
endif

reliability: .venv/with-tests
	.venv/bin/python -m pytest tests/reliability --write-page

deb: .venv-package/with-tools
	@TOOLS="$(CURDIR)/.venv-package/bin" REVISION="$(REVISION)" sh systemd/debian/build.sh

wheel: .venv-package/with-tools
	@rm -rf build/wheel
	.venv-package/bin/python -m build --outdir build/wheel
	.venv-package/bin/twine check --strict build/wheel/*

# In a folder without a checkout, whose packages would hide those of the wheel.
test-wheel: wheel
	@for python in $(PYTHONS); do \
		echo "$$python:" && $$python -m venv --clear build/of-wheel && \
		build/of-wheel/bin/python $(INSTALL) build/wheel/*.whl && \
		build/of-wheel/bin/python -m pip check && \
		(cd build/of-wheel && bin/qrsd --version && bin/qrsd demo --no-web) || exit 1; \
	done

sbom: .venv-package/with-tools
	@PATH="$(CURDIR)/.venv-package/bin:$$PATH" sh systemd/sbom.sh $(firstword $(wildcard /opt/qrsd) .venv) build
	@echo "build/sbom.cdx.json and build/licences.txt tell what is in $(firstword $(wildcard /opt/qrsd) .venv)."

install:
	@PYTHON="$(PYTHON)" DESTDIR="$(DESTDIR)" sh systemd/install.sh

uninstall:
	@PURGE="$(PURGE)" DESTDIR="$(DESTDIR)" sh systemd/uninstall.sh

clean:
	rm -rf .venv .venv-* build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Each with-... is an empty file that is newer than setup.cfg once its extras are installed.
.venv/with-report: extras := records,report,web
.venv/with-tests .venv-newer/with-tests: extras := records,test
.venv/with-web-tests: extras := records,report,test,web-test
.venv-train/with-tests: extras := train,benchmark,cluster,test

.venv/with-report .venv/with-tests .venv/with-web-tests: .venv/bin/pip
.venv-train/with-tests: .venv-train/bin/pip
.venv-newer/with-tests: .venv-newer/bin/pip
.venv-newer/bin/pip: PYTHON := $(NEWER_PYTHON)

.venv/with-report .venv/with-tests .venv/with-web-tests .venv-train/with-tests .venv-newer/with-tests: setup.cfg pyproject.toml
	@echo "Installing qrsd[$(extras)] into $(@D); the first time, this takes some minutes ..."
	@$(@D)/bin/python $(INSTALL) --editable ".[$(extras)]"
	@touch $@

# What packages are made with: nothing of it is installed with qrsd.
.venv-package/with-tools: .venv-package/bin/pip
	@$(@D)/bin/python $(INSTALL) build cyclonedx-bom pip-licenses twine
	@touch $@

# pip is the last thing that venv puts in, so an interrupted venv is made again.
%/bin/pip:
	@$(PYTHON) -c "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || { \
		echo "$(PYTHON) is not a Python 3.11 or newer with venv. Install one and try again:"; \
		echo "  sudo apt install python3 python3-venv"; \
		exit 1; }
	@$(PYTHON) -m venv --clear $*
