# syntax=docker/dockerfile:1
ARG PYTHON=3.13

# ---- build: wheels of the hub and of everything it needs, in an environment that is copied as it stands
FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/hub
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY hub hub
COPY plugins plugins
RUN /opt/hub/bin/pip install ".[speed]" && /opt/hub/bin/python -m compileall -q /opt/hub/lib

# ---- run: no compiler, no pip cache, no root
FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="ocpi-hub" \
      org.opencontainers.image.description="An asynchronous OCPI roaming hub" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/ocpi-hub --create-home --shell /usr/sbin/nologin hub \
    && chmod 700 /var/lib/ocpi-hub
COPY --from=build /opt/hub /opt/hub
COPY config/hub.toml /etc/ocpi-hub/hub.toml

# The hub writes to its data folder alone: run it with --read-only and a volume there.
ENV PATH=/opt/hub/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OCPI_HUB_HOST=0.0.0.0 \
    OCPI_HUB_PORT=8080 \
    OCPI_HUB_DATA_DIR=/var/lib/ocpi-hub
VOLUME /var/lib/ocpi-hub
WORKDIR /var/lib/ocpi-hub
USER hub
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['OCPI_HUB_PORT']}/healthz\", timeout=2)"]
ENTRYPOINT ["ocpi-hub"]
CMD ["serve", "--config", "/etc/ocpi-hub/hub.toml"]
