#!/bin/sh
# Make qrsd's package in a clean Debian of another release or processor, and test it there.
#
#   sudo sh tests/debian.sh bookworm amd64 [PYTEST ARGUMENTS]
#   sudo sh tests/debian.sh trixie arm64 [PYTEST ARGUMENTS]
#
# Of this machine's processor, the system is booted: install, upgrade from the commit PREVIOUS (the one
# before), remove, purge, first boot. Another one, a Pi 4's for arm64, is emulated by qemu-user, which
# boots no system: there the package is installed, the fast tests run with its Python, and it is purged.
# FOLDER=... keeps the systems for the next time.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
release=$1 architecture=$2
# With the SVE of qemu's own choice, the OpenBLAS of numpy 1.26 multiplies wrongly.
export QEMU_CPU=cortex-a72
# qemu-user holds nobody to a limit of memory, takes more itself and is slow; of a TCP connection it
# does not tell how much has come (TCP_INFO).
BEYOND_QEMU="
tests/daemon/recordings/test_memory.py
tests/daemon/web/test_children.py::test_whatever_becomes_of_it_is_a_problem_with_the_file[memory]
tests/daemon/wire/test_connection_limit.py::test_a_message_without_a_last_frame_is_bounded_in_memory
tests/daemon/wire/test_publisher.py::test_a_flood_neither_holds_up_nor_fills_the_memory
tests/model/test_gallery_database.py::test_ten_thousand_people_are_there_within_two_seconds
"
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

[ "$(id -u)" -eq 0 ] || { echo "Making another system needs root: sudo make test-deb"; exit 77; }
# All mounts are gone when it ends.
[ -n "${UNSHARED:-}" ] || UNSHARED=yes exec unshare --mount --propagation private sh "$0" "$@"
shift 2

emulated=
[ "$(dpkg --print-architecture)" = "$architecture" ] || emulated="qemu-user-static arch-test binfmt-support"
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -qq --yes --no-install-recommends mmdebstrap lintian $emulated
if [ -n "$emulated" ]; then
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    arch-test "$architecture" >/dev/null || update-binfmts --enable qemu-aarch64
    arch-test "$architecture"
fi

if [ -z "${FOLDER:-}" ]; then
    FOLDER=$(mktemp -d)
    trap 'umount --lazy "$FOLDER"/*/proc "$FOLDER"/*/dev || true; rm -rf --one-file-system "$FOLDER"' EXIT
fi
clean=$FOLDER/$release-$architecture builder=$FOLDER/$release-$architecture-builder
# CI: hypothesis then has no deadlines, which an emulated processor would miss.
in_there() { root=$1 && shift && chroot "$root" env --unset=TMPDIR HOME=/root CI=true sh -c "cd /home/pi/qrsd && $*"; }
system() { # at $1, with packages $2
    [ -e "$1/bin" ] || mmdebstrap --mode=root --architectures="$architecture" --variant=minbase \
        --include="python3,ca-certificates,curl,systemd-sysv,dbus,$2" "$release" "$1"
    mkdir -p "$1/home/pi/qrsd"
}
working() { # with what programs need in it
    mount --rbind /proc "$1/proc"
    mount --rbind /dev "$1/dev"
    cp -L /etc/resolv.conf /etc/hosts "$1/etc"
    cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs" # whom this machine trusts
}
packaged() { # the files that come as tar, as revision $1
    in_there "$builder" rm -rf build
    tar -C "$builder/home/pi/qrsd" --no-same-owner -xf -
    in_there "$builder" make deb "REVISION=$1" >&2
    mkdir -p "$here/build"
    cp "$builder"/home/pi/qrsd/build/qrsd_*.deb "$here/build"
    (cd "$builder/home/pi/qrsd" && ls "$PWD"/build/qrsd_*.deb) | sed "s|.*/|$here/build/|"
}
this() { tar -C "$here" --exclude='./.*' --exclude=./build -cf - .; }

system "$clean" cloud-init
system "$builder" make,python3-venv,python3-dev,gcc,libc6-dev
working "$builder"
package=$(this | packaged 1)
lintian --fail-on error,warning "$package"

if [ -n "$emulated" ]; then
    working "$clean"
    this | tar -C "$clean/home/pi/qrsd" --no-same-owner -xf -
    cp "$package" "$clean/home/pi/qrsd.deb"
    in_there "$clean" apt-get install --yes --no-install-recommends ../qrsd.deb
    in_there "$clean" qrsd --version
    in_there "$clean" "/opt/qrsd/bin/python -m pip --quiet install --no-compile '.[records,test]'"
    for test in $BEYOND_QEMU; do set -- --deselect "'$test'" "$@"; done
    in_there "$clean" /opt/qrsd/bin/python -m pytest --numprocesses=auto --dist=loadfile \
        -m "'not realtime and not system and not servers and not web and not train and not benchmark'" "$@"
    in_there "$clean" apt-get purge --yes qrsd
    in_there "$clean" "! ls -d /opt/qrsd /etc/qrsd /var/lib/qrsd"
else
    previous=$(git -C "$here" archive "${PREVIOUS:-HEAD~1}" | packaged 0)
    touch "$package" # of those for this system, the newest is tested
    cd "$here"
    QRSD_BASE=$clean QRSD_PREVIOUS=$previous .venv/bin/python -m pytest \
        -m system -rP tests/systemd/test_deb.py tests/systemd/test_first_boot.py "$@"
fi
