# Two images from one file: `--target api` (no torch) and `--target worker` (torch with CUDA); `make images` builds both.
ARG PYTHON_IMAGE=python:3.11-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY locks/uv.txt locks/
RUN pip install --no-cache-dir --require-hashes -r locks/uv.txt && uv venv /opt/venv

# The API only measures uploads: an ffmpeg with the decoders of riffusion/audio/ffmpeg.py and nothing else has 3 MB, that
# of the wheel imageio-ffmpeg 172. Debian's source gets Debian's security updates. docs/decisions/0090 has the choices.
FROM ${PYTHON_IMAGE} AS ffmpeg
WORKDIR /build
# hadolint ignore=DL3008
RUN sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources && apt-get update \
    && apt-get install --yes --no-install-recommends dpkg-dev gcc libc6-dev make nasm \
    && apt-get source ffmpeg && mv ffmpeg-*/ source
WORKDIR /build/source
RUN ./configure --disable-everything --disable-autodetect --disable-network --disable-doc --disable-debug \
        --disable-ffplay --disable-ffprobe --disable-avdevice --disable-swscale --enable-protocol=fd \
        --enable-demuxer=wav,w64,mp3,flac,ogg,mov,matroska,aiff \
        --enable-decoder=pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_u8,pcm_s8 \
        --enable-decoder=pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ms \
        --enable-decoder=mp3float,mp3,mp2,mp2float,mp1,mp1float,flac,vorbis,opus,speex,aac,alac,ac3,eac3 \
        --enable-parser=mpegaudio,flac,vorbis,opus,aac,ac3 --enable-filter=aformat,anull,aresample,asetnsamples,astats,atrim \
        --enable-encoder=pcm_s16le --enable-muxer=framecrc \
    && make --jobs="$(nproc)" ffmpeg \
    && install -D --strip ffmpeg /opt/ffmpeg/bin/ffmpeg \
    && install -D --mode 644 COPYING.LGPLv2.1 /opt/ffmpeg/share/doc/ffmpeg/COPYING

# The project itself, with its metadata and the command `riffusion`; apart from the packages, which change less often.
FROM build AS app
COPY locks/build.txt locks/
RUN uv pip sync --no-cache --require-hashes --python /opt/venv locks/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY riffusion riffusion
COPY api api
COPY web web
COPY worker worker
RUN uv pip install --no-cache --no-deps --no-build-isolation --compile-bytecode --python /opt/venv --target /opt/app .
# The API runs no model: the weights stay out of its image.
RUN cp -r /opt/app /opt/api-app && rm -r /opt/api-app/worker && find /opt/api-app -name '*.safetensors' -delete \
    && rm -r /opt/app/api /opt/app/web

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/app PATH=/opt/app/bin:/opt/venv/bin:$PATH
RUN pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && useradd --uid 10001 --create-home riffusion \
    && install --directory --owner riffusion --group riffusion /data /cache
WORKDIR /home/riffusion
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title=riffusion org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.licenses=MIT
ENTRYPOINT ["riffusion"]

FROM build AS api-packages
COPY locks/api.txt locks/
# Of the AWS clients that botocore describes, S3 and those that fetch credentials for it remain.
RUN uv pip sync --no-cache --compile-bytecode --require-hashes --python /opt/venv locks/api.txt \
    && rm /opt/venv/lib/python3.11/site-packages/imageio_ffmpeg/binaries/ffmpeg-* \
    && find /opt/venv/lib/python3.11/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name sts ! -name 'sso*' ! -name signin -exec rm -r {} +

FROM base AS api
LABEL org.opencontainers.image.description="Riffusion's API: takes requests, tells of jobs, serves the playground."
ENV IMAGEIO_FFMPEG_EXE=/usr/local/bin/ffmpeg
COPY --from=ffmpeg /opt/ffmpeg /usr/local
COPY --from=api-packages /opt/venv /opt/venv
COPY --from=app /opt/api-app /opt/app
USER 10001:10001
EXPOSE 8000
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]

FROM build AS worker-packages
COPY locks/worker.txt locks/
RUN uv pip sync --no-cache --compile-bytecode --require-hashes --python /opt/venv locks/worker.txt

FROM base AS worker
LABEL org.opencontainers.image.description="Riffusion's worker: runs the model, makes the sound, stores both."
# torch.compile needs a C compiler for what it generates; Debian's own, whichever is current.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
# All that is downloaded or compiled is kept in /cache, a volume: the rest is read-only, and Docker's /tmp not executable.
ENV HF_HOME=/cache/huggingface NUMBA_CACHE_DIR=/cache/numba TRITON_CACHE_DIR=/cache/triton \
    TORCHINDUCTOR_CACHE_DIR=/cache/inductor
VOLUME /cache
COPY --from=worker-packages /opt/venv /opt/venv
COPY --from=app /opt/app /opt/app
USER 10001:10001
CMD ["worker"]
