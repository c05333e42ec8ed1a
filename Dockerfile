# The updater as an image: non-root, and its root file system may be read-only. Everything written
# lies in the volume /var/lib/updater. To pin the base, give it by digest:
#   docker build --build-arg BASE=python:3.11-slim@sha256:... -t updater .
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
RUN python3 -m venv /venv \
    && /venv/bin/python -m pip install --require-hashes -r requirements.txt \
    && python3 -m venv /tools \
    && /tools/bin/python -m pip install --require-hashes -r requirements-build.txt
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY updater ./updater
COPY templates ./templates
# No build isolation: the build tools are the locked ones. Nothing that installs stays in the image.
RUN /tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /venv/bin/python -m pip install --no-deps /wheels/*.whl \
    && /venv/bin/python -m pip check \
    && /venv/bin/python -m pip uninstall --yes setuptools pip

FROM ${BASE}
LABEL org.opencontainers.image.title="gitops-updater" \
      org.opencontainers.image.description="Turns a built image into a commit in the config repo, byte-exactly" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/updater --shell /usr/sbin/nologin updater \
    && install -d -o updater -g updater -m 0750 /var/lib/updater
COPY --from=build /venv /venv
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/updater \
    TMPDIR=/var/lib/updater \
    UPDATER_DATA=/var/lib/updater \
    UPDATER_LISTEN=0.0.0.0:8080 \
    UPDATER_LOG=json
USER 10001:10001
WORKDIR /var/lib/updater
VOLUME /var/lib/updater
EXPOSE 8080
# 503 there means that requests cannot be stored; a remote that is away does not make it unhealthy.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import os, http.client as c; h = c.HTTPConnection('127.0.0.1', int(os.environ['UPDATER_LISTEN'].rpartition(':')[2]), timeout=4); h.request('GET', '/readyz'); raise SystemExit(h.getresponse().status != 200)"]
ENTRYPOINT ["updater"]
CMD ["serve"]
