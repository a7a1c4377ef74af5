# Two stages: the first builds wheels and a virtual environment, the second carries only what runs.
# The tag is pinned to a minor version; a release pipeline pins the digest (`docker buildx imagetools inspect`).
FROM python:3.13-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/livecommerce
WORKDIR /source
COPY requirements.lock ./
# dependencies first: this layer changes only when the lock does
RUN /opt/livecommerce/bin/pip install --require-hashes -r requirements.lock
# the PostgreSQL driver, in the version and with the hashes that the full lock has
COPY requirements-dev.lock ./
RUN awk '/^asyncpg==/{take=1; print; next} take && /^[ ]+--hash/{print; next} take{exit}' requirements-dev.lock > asyncpg.lock \
    && /opt/livecommerce/bin/pip install --require-hashes --no-deps -r asyncpg.lock
# the fan-out's compiled core needs a compiler; without one it would be left out and Python would do its work
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY livecommerce livecommerce
COPY web web
RUN /opt/livecommerce/bin/pip install "hatchling>=1.27" \
    && /opt/livecommerce/bin/pip install --no-deps --no-build-isolation . \
    && /opt/livecommerce/bin/pip uninstall --yes hatchling

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="livecommerce" \
      org.opencontainers.image.description="A live-shopping server" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 livecommerce \
    && useradd --system --uid 10001 --gid livecommerce --home-dir /data --no-create-home livecommerce \
    && install --directory --owner livecommerce --group livecommerce --mode 0700 /data
COPY --from=build /opt/livecommerce /opt/livecommerce
ENV PATH=/opt/livecommerce/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LIVECOMMERCE_DATA_FOLDER=/data \
    LIVECOMMERCE_HTTP_HOST=0.0.0.0 \
    LIVECOMMERCE_LOG_FORMAT=json
USER livecommerce
VOLUME /data
# pages and sockets; video by UDP and, where UDP is blocked, by TCP
EXPOSE 8080/tcp 8189/udp 8189/tcp
STOPSIGNAL SIGTERM
# slim images carry no curl: our own command asks /health/ready of what runs in this container
HEALTHCHECK --interval=15s --timeout=8s --start-period=60s --retries=3 CMD ["livecommerce", "doctor", "--quick"]
ENTRYPOINT ["livecommerce"]
CMD ["serve"]
