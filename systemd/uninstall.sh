#!/bin/sh
# Take away what install.sh put in place; with PURGE=1 the settings and the enrolled people too.
set -eu
: "${PURGE:=}" "${DESTDIR:=}"

[ -n "$DESTDIR" ] || [ "$(id -u)" -eq 0 ] || {
    echo "Uninstalling from /opt and /etc needs root: sudo make uninstall" >&2
    exit 77
}
live=
[ -n "$DESTDIR" ] || [ ! -d /run/systemd/system ] || live=yes

units="qrsd-lsl qrsd-mqtt qrsd-web qrsd-notify qrsd-record qrsd"
for unit in $units; do
    if [ -n "$live" ] && [ -e "/etc/systemd/system/$unit.service" ]; then
        systemctl disable --now "$unit"
    fi
done
rm -rf "$DESTDIR/opt/qrsd"
for unit in $units; do
    rm -f "$DESTDIR/etc/systemd/system/$unit.service"
done
rm -f "$DESTDIR/usr/local/bin/qrsd" "$DESTDIR/etc/udev/rules.d/60-qrsd.rules"
[ -z "$live" ] || systemctl daemon-reload

if [ "$PURGE" = 1 ]; then
    rm -rf "$DESTDIR/etc/qrsd" "$DESTDIR/var/lib/qrsd" "$DESTDIR/var/lib/qrsd-record" \
        "$DESTDIR/var/lib/qrsd-web"
    for unit in $units; do
        rm -rf "$DESTDIR/etc/systemd/system/$unit.service.d" # by systemctl edit
    done
    rm -f "$DESTDIR/etc/credstore/qrsd.gallery-key"
    if [ -z "$DESTDIR" ] && id qrsd >/dev/null 2>&1; then
        userdel qrsd
    fi
    echo "qrsd is gone, with its settings, its recordings and everyone who was enrolled."
else
    echo "qrsd is gone. Kept: the settings in $DESTDIR/etc/qrsd, the enrolled people in" \
        "$DESTDIR/var/lib/qrsd, recordings in $DESTDIR/var/lib/qrsd-record, the page's tokens in" \
        "$DESTDIR/var/lib/qrsd-web, and the user qrsd," \
        "to whom they belong."
    echo "To remove these too: sudo make uninstall PURGE=1"
fi
