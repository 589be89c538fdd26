# The image of `convox-bot serve`.
#
# The base is named by its tag, so that a rebuild takes in the security fixes of Debian and Python; whoever needs the
# same bytes again appends the digest that `docker buildx imagetools inspect` prints. Everything from PyPI is locked by hash.
# Not 3.13: it refuses cluster certificates without key identifiers (VERIFY_X509_STRICT), and many clusters have those.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
# `--build-arg PICTURES=1` adds what draws the pictures of rollouts (docs/operations.md): 140 MB of packages that nothing else needs.
ARG PICTURES=
# `--build-arg OTEL=1` adds what sends traces of promotions (docs/operations.md).
ARG OTEL=
# First what changes rarely: dependencies stay in their layer while the code changes.
COPY requirements.lock requirements-pictures.lock requirements-otel.lock requirements-build.lock ./
RUN python -m venv /opt/convox-bot \
 && /opt/convox-bot/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements${PICTURES:+-pictures}.lock \
 && { test -z "$OTEL" || /opt/convox-bot/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements-otel.lock; } \
 && pip install --no-cache-dir --no-deps --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE manifest.yml ./
COPY bot ./bot
COPY core ./core
COPY storage ./storage
COPY examples ./examples
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/convox-bot/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl \
 && /opt/convox-bot/bin/pip check \
 && /opt/convox-bot/bin/pip uninstall --yes pip

FROM python:3.12-slim-bookworm
# A numeric user: Kubernetes' runAsNonRoot cannot look up a name.
RUN install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/convox-bot /opt/convox-bot
ENV PATH=/opt/convox-bot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CONVOX_DATABASE=/data/convox.db
WORKDIR /data
USER 10001:10001
VOLUME ["/data"]
# 3000: /slack/events, in HTTP mode only. 3001: everything else; never put it on the internet.
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('API_PORT', '3001') + '/healthz', timeout=4)"]
ENTRYPOINT ["convox-bot"]
CMD ["serve"]
