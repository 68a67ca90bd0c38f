#!/bin/sh
# Install the Debian packages that `make test-system` needs, as root, or `make test-servers` or
# `make test-web`, whose name is given; without them it skips tests.
set -eu
missing=
needs() {
    sh -c "$1" >/dev/null 2>&1 || missing="$missing $2"
}
case $1 in
system)
    needs "command -v systemd-analyze" systemd
    needs "command -v systemd-nspawn" systemd-container
    needs "command -v nsenter" util-linux
    needs "/usr/bin/python3 -c 'import ensurepip'" python3-venv
    # To compile spidev and what stands in for its device.
    needs "command -v cc" gcc
    needs "echo '#include <linux/spi/spidev.h>' | cc -E -" libc6-dev
    needs "ls $(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" python3-dev
    # For the clients in C and in JavaScript.
    needs "echo '#include <zmq.h>' | cc -E -" libzmq3-dev
    needs "command -v npm" npm
    ;;
servers)
    needs "command -v edfbrowser" edfbrowser
    needs "command -v Xvfb" xvfb
    needs "command -v xdotool" xdotool
    needs "command -v age" age
    needs "command -v mosquitto || test -x /usr/sbin/mosquitto" mosquitto
    needs "command -v victoria-metrics" victoria-metrics
    ;;
web)
    needs "command -v chromium" chromium
    needs "command -v chromedriver" chromium-driver
    # Letters for the screenshots, where there is no screen.
    needs "fc-list | grep ." fonts-dejavu-core
    ;;
esac

if [ -z "$missing" ]; then
    exit 0
elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Some tests will be skipped; they need:$missing"
else
    echo "Installing$missing ..."
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $missing
fi
