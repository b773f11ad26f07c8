# Two images from one file: `--target api` (no torch) and `--target worker` (torch with CUDA).
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
RUN useradd --uid 10001 --create-home riffusion && mkdir /data && chown riffusion /data
WORKDIR /app

FROM base AS build
COPY locks/uv.txt locks/
RUN pip install --no-cache-dir --require-hashes -r locks/uv.txt && python -m venv /opt/venv

FROM build AS api-packages
COPY locks/api.txt locks/
RUN uv pip sync --no-cache --compile-bytecode --require-hashes --python /opt/venv/bin/python locks/api.txt

FROM build AS worker-packages
COPY locks/worker.txt locks/
RUN uv pip sync --no-cache --compile-bytecode --require-hashes --python /opt/venv/bin/python locks/worker.txt

FROM base AS api
COPY --from=api-packages /opt/venv /opt/venv
COPY riffusion riffusion
COPY api api
COPY web web
RUN python -m compileall -q .
USER riffusion
EXPOSE 8000
ENTRYPOINT ["python", "-m", "riffusion"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
# The image is read-only: compiled kernels are kept in the container's own /tmp.
ENV NUMBA_CACHE_DIR=/tmp/numba
COPY --from=worker-packages /opt/venv /opt/venv
COPY riffusion riffusion
COPY worker worker
RUN python -m compileall -q .
USER riffusion
ENTRYPOINT ["python", "-m", "riffusion"]
CMD ["worker"]
