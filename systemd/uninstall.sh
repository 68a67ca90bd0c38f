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

if [ -n "$live" ] && [ -e /etc/systemd/system/qrsd.service ]; then
    (cd /etc/systemd/system && systemctl disable --now qrsd*.service qrsd*.path)
fi
rm -rf "$DESTDIR/opt/qrsd"
rm -f "$DESTDIR"/etc/systemd/system/qrsd*.service "$DESTDIR"/etc/systemd/system/qrsd*.path
rm -f "$DESTDIR/usr/local/bin/qrsd" "$DESTDIR/etc/udev/rules.d/60-qrsd.rules"
[ -z "$live" ] || systemctl daemon-reload

if [ "$PURGE" = 1 ]; then
    DPKG_ROOT="$DESTDIR" sh "$(dirname "$0")/debian/postrm" purge
    echo "qrsd is gone, with its settings, its recordings and everyone who was enrolled."
else
    echo "qrsd is gone. Kept: the settings in $DESTDIR/etc/qrsd, the enrolled people in" \
        "$DESTDIR/var/lib/qrsd, recordings in $DESTDIR/var/lib/qrsd-record, the page's tokens in" \
        "$DESTDIR/var/lib/qrsd-web, what is known of a site in $DESTDIR/var/lib/qrsd-fleet," \
        "and the user qrsd, to whom they belong."
    echo "To remove these too: sudo make uninstall PURGE=1"
fi
