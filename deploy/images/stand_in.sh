#!/bin/sh
# Makes an image that stands in for python:3.11-slim-trixie on a machine without an image registry, from Debian's
# packages and this machine's own Python 3.11. Needs root, debootstrap and a Docker engine.
#   make stand-ins images PYTHON_IMAGE=riffusion-python DOCKER_BUILD="--network host"
set -eu
tag=${1:?name of the image}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
prefix=$(python3.11 -c 'import sys; print(sys.base_prefix)')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# What python:slim adds to Debian's minbase, and the libraries that Python is linked with.
packages=ca-certificates,netbase,tzdata,libssl3t64,libsqlite3-0,libffi8,libbz2-1.0,liblzma5,libreadline8t64,libncursesw6,libuuid1,libexpat1
debootstrap --variant=minbase --include="$packages" trixie "$root" "$mirror"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/locale \
    "$root"/usr/share/man "$root"/etc/apt/sources.list
cat > "$root/etc/apt/sources.list.d/debian.sources" <<END
Types: deb
URIs: $mirror
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: $mirror-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
# As in the real image, apt leaves nothing in a layer.
cat > "$root/etc/apt/apt.conf.d/docker-clean" <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END

mkdir -p "$root/usr/local/bin" "$root/usr/local/include" "$root/usr/local/lib"
cp -a "$prefix"/bin/python3* "$root/usr/local/bin/"
cp -a "$prefix"/include/python3.11 "$root/usr/local/include/"
cp -a "$prefix"/lib/libpython3* "$root/usr/local/lib/"
tar -C "$prefix/lib" --exclude=site-packages --exclude=test --exclude=__pycache__ --exclude='config-3.11-*' \
    -c python3.11 | tar -C "$root/usr/local/lib" -x
find "$root/usr/local" -name '*.so*' -type f -exec strip --strip-unneeded {} +  # as those of the real image are
ln -sf python3.11 "$root/usr/local/bin/python"
ln -sf python3.11 "$root/usr/local/bin/python3"

# This machine's certificates and package index, so that builds reach what it reaches. They stay in the stand-in.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
chroot "$root" ldconfig
chroot "$root" python -m ensurepip --upgrade > /dev/null
ln -sf pip3 "$root/usr/local/bin/pip"
tar -C "$root" -c . | docker import --change "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" \
    --change "ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt" --change "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
    --change 'CMD ["python3"]' - "$tag"
