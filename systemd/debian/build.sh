#!/bin/sh
# Make build/qrsd_VERSION-REVISION~SYSTEM_ARCHITECTURE.deb for this machine's Debian and processor: make deb
#
# It has what `make install` puts in place, moved to where packages have it. An environment is made for
# one minor version of Python, so each release of Debian has a package of its own.
# REVISION tells packages of one version apart; TOOLS is where cyclonedx-py and pip-licenses are.
set -eu
: "${PYTHON:=/usr/bin/python3}" "${REVISION:=1}" "${TOOLS:?}"
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build
umask 022

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
architecture=$(dpkg --print-architecture)
# What the programs of every unit need but Lab Streaming Layer's library, which not all processors have in a wheel.
extras=web,mqtt,fleet,metrics,encryption,notify
[ "$architecture" != arm64 ] || extras=pi,$extras
EXTRAS=$extras PYTHON=$PYTHON DESTDIR=$stage sh "$here/../install.sh"
environment=$stage/opt/qrsd
version=$("$environment/bin/python" -c "from importlib.metadata import version; print(version('qrsd'))")
minor=$("$environment/bin/python" -c "import sys; print(sys.version_info.minor)")
release=$(. /etc/os-release && echo "$ID$VERSION_ID")
name=qrsd_$version-$REVISION~$release\_$architecture
recommends=
if [ "$architecture" = arm64 ] && ! "$environment/bin/python" -c "import lgpio" 2>/dev/null; then
    # No wheel for this Python: the system's serves, which the environment has to see.
    sed -i 's/^\(include-system-site-packages\).*/\1 = true/' "$environment/pyvenv.cfg"
    recommends=python3-lgpio
fi

rm -f "$environment/.gitignore" # which venv makes since Python 3.13

cd "$stage"
mkdir -p usr/bin usr/lib/systemd usr/lib/udev usr/lib/sysusers.d usr/share/lintian/overrides DEBIAN
mv usr/local/bin/qrsd usr/bin/qrsd
mv etc/systemd/system usr/lib/systemd/system
mv etc/udev/rules.d usr/lib/udev/rules.d
rmdir usr/local/bin usr/local etc/systemd etc/udev
install -m 644 "$here/../qrsd.sysusers" usr/lib/sysusers.d/qrsd.conf
install -m 644 "$here/lintian-overrides" usr/share/lintian/overrides/qrsd

doc=usr/share/doc/qrsd
# In folders as in the checkout, so that the pages' links lead to them.
mkdir -p "$doc/examples" "$doc/systemd"
cp -R "$here/../../docs" "$doc/docs"
cp -R "$here/../user-data" "$here/../fleet" "$doc/systemd"
install -m 644 "$here/copyright" "$here/../../README.md" "$doc"
install -m 644 "$here"/../../examples/*.* "$doc/examples"
maintainer=$(sed -n 's/^Maintainer: //p' "$here/control")
printf 'qrsd (%s) unstable; urgency=medium\n\n  * What changed is in changelog.gz.\n\n -- %s  %s\n' \
    "$version-$REVISION~$release" "$maintainer" "$(date -R)" | gzip -9n >"$doc/changelog.Debian.gz"
gzip -9nc "$here/../../CHANGELOG.md" >"$doc/changelog.gz"
PATH="$TOOLS:$PATH" sh "$here/../sbom.sh" "$environment" "$doc"

install -m 755 "$here/preinst" "$here/postinst" "$here/prerm" "$here/postrm" DEBIAN
echo /etc/qrsd/qrsd.yaml >DEBIAN/conffiles
sed -e "s/@VERSION@/$version-$REVISION~$release/" -e "s/@ARCHITECTURE@/$architecture/" \
    -e "s/@RECOMMENDS@/$recommends/" -e "s/@MINOR@/$minor/" -e "s/@NEXT@/$((minor + 1))/" \
    -e "s/@SIZE@/$(du -sk --exclude=DEBIAN . | cut -f1)/" -e '/^[A-Za-z-]*: $/d' "$here/control" >DEBIAN/control
find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums
chmod -R u=rwX,go=rX .

mkdir -p "$out"
dpkg-deb --root-owner-group -Zzstd --build . "$out/$name.deb"
