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
    needs "command -v ip" iproute2
    ;;
web)
    needs "command -v chromium" chromium
    needs "command -v chromedriver" chromium-driver
    # Letters for the screenshots, where there is no screen.
    needs "fc-list | grep ." fonts-dejavu-core
    ;;
esac

if [ -z "$missing" ]; then
    :
elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Some tests will be skipped; they need:$missing"
else
    echo "Installing$missing ..."
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $missing
fi

# A nats-server that can sync always, 2.10.20 or newer: Debian 12 has none, so Debian 13's, unpacked
# into a folder of our own by an apt that knows this system's sources no more than they know it.
if [ "$1" = servers ] && ! [ -x build/nats/usr/sbin/nats-server ]; then
    mkdir -p build/nats/lists/partial build/nats/cache/archives/partial
    cd build/nats
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >trixie.list
    apt_of_trixie() {
        TMPDIR=$PWD apt-get -qq -o APT::Sandbox::User="$(id -un)" -o Dir::State::lists="$PWD/lists" \
            -o Dir::Cache="$PWD/cache" -o Dir::Etc::sourcelist="$PWD/trixie.list" -o Dir::Etc::sourceparts=- "$@"
    }
    apt_of_trixie update
    apt_of_trixie download nats-server
    dpkg-deb -x nats-server_*.deb .
    rm -r lists cache
fi
