# Two images from one file: `--target api` (no torch) and `--target worker` (torch with CUDA); `make images` builds both.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY locks/uv.txt locks/
RUN pip install --no-cache-dir --require-hashes -r locks/uv.txt && uv venv /opt/venv

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
RUN uv pip sync --no-cache --compile-bytecode --require-hashes --python /opt/venv locks/api.txt

FROM base AS api
LABEL org.opencontainers.image.description="Riffusion's API: takes requests, tells of jobs, serves the playground."
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
