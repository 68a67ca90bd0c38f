#!/bin/sh
# Put qrsd in place as a service; run it again to upgrade. DESTDIR stages the files elsewhere, as
# debian/build.sh does, which names its EXTRAS.
#
#   /opt/qrsd                         its own Python environment
#   /usr/local/bin/qrsd               the command
#   /etc/qrsd/qrsd.yaml               its settings, never overwritten
#   /etc/systemd/system/qrsd.service  the unit; off, those of the programs beside it
#   /etc/udev/rules.d/60-qrsd.rules   who may use the buses
#   the user qrsd, in the groups spi and gpio
set -eu
: "${PYTHON:=python3}" "${DESTDIR:=}" "${EXTRAS:=}"
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "$*"; }
fail() { status=$1; shift; say "$*" >&2; exit "$status"; }

[ -n "$DESTDIR" ] || [ "$(id -u)" -eq 0 ] ||
    fail 77 "Installing into /opt and /etc needs root: sudo make install"
[ -n "$DESTDIR" ] || [ ! -e /var/lib/dpkg/info/qrsd.prerm ] ||
    fail 78 "qrsd is here as a Debian package. First: sudo apt remove qrsd, which keeps settings and people."
"$PYTHON" -c "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))" 2>/dev/null ||
    fail 69 "$PYTHON is not a Python 3.11 or newer with venv: sudo apt install python3 python3-venv"
case $("$PYTHON" -c "import sys; print(sys.base_prefix)") in
    /home/* | /root/*)
        fail 78 "$PYTHON lives in a home directory, which the service cannot see:" \
            "sudo make install PYTHON=/usr/bin/python3" ;;
esac

# On a Pi, spidev, gpiozero and lgpio come compiled with the system; pip adds what is missing. A package
# brings all of it.
sees=
if [ -z "$EXTRAS" ] && grep -qs "Raspberry Pi" /proc/device-tree/model; then
    EXTRAS=pi,web sees=--system-site-packages
fi
say "Installing qrsd into $DESTDIR/opt/qrsd; the first time, this takes some minutes ..."
"$PYTHON" -m venv $sees "$DESTDIR/opt/qrsd"
# From a copy, since pip leaves a build folder behind, here one that belongs to root.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -C "$here/.." --exclude='./.*' --exclude=./build -cf - . | tar -C "$copy" --no-same-owner -xf -
(cd "$copy" && "$DESTDIR/opt/qrsd/bin/python" -m pip --disable-pip-version-check --quiet install ".[${EXTRAS:-web}]")

if [ -n "$DESTDIR" ]; then # scripts begin with the path of their Python: where it will be
    staged=$(cd "$DESTDIR/opt/qrsd" && pwd)
    grep -rIlZ -F "$staged" "$staged"/bin "$staged"/pyvenv.cfg 2>/dev/null |
        xargs -0 -r sed -i "s|$staged|/opt/qrsd|g"
fi

install -d "$DESTDIR/usr/local/bin"
ln -sfn /opt/qrsd/bin/qrsd "$DESTDIR/usr/local/bin/qrsd"
install -d "$DESTDIR/etc/systemd/system"
install -m 644 "$here"/qrsd*.service "$here"/qrsd*.path "$DESTDIR/etc/systemd/system"
install -D -m 644 "$here/qrsd.rules" "$DESTDIR/etc/udev/rules.d/60-qrsd.rules"
if [ -e "$DESTDIR/etc/qrsd/qrsd.yaml" ]; then
    say "Kept the settings in $DESTDIR/etc/qrsd/qrsd.yaml."
else
    install -D -m 644 "$here/../config/default.yaml" "$DESTDIR/etc/qrsd/qrsd.yaml"
fi
[ -z "$DESTDIR" ] || exit 0

SYSUSERS=$here/qrsd.sysusers sh "$here/debian/postinst" configure

say "qrsd is installed. What is left to do:"
[ -e /dev/spidev0.0 ] ||
    say "  sudo raspi-config nonint do_spi 0 && sudo reboot    enable SPI"
say "  sudo -u qrsd qrsd doctor                            board, chip, electrodes: fine, or what to do"
say "  sudo systemctl enable --now qrsd                    start, now and at each boot"
say "  sudo qrsd enroll NAME                               enrol whoever wears the electrodes"
say "  qrsd watch                                          see whose heart it is"
say "  sudo systemctl enable --now qrsd-record             record too: docs/recordings.md"
say "  sudo systemctl enable --now qrsd-web                see it in a browser: docs/web.md"
say "Settings are in /etc/qrsd/qrsd.yaml, wiring and troubleshooting in docs/hardware.md."
