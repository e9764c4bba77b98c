# Two images of one bot. `docker build -t mugmoji .` makes the one that serves, without TensorFlow;
# `docker build -t mugmoji-trainer --target trainer .` the one that trains whole networks. Both run as a user without
# rights, on a read-only file system with one writable volume, /data. docs/operations.md says how.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS serving-packages
COPY deploy/requirements-serving.txt /tmp/requirements.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON} AS trainer-packages
COPY deploy/requirements-training.txt /tmp/requirements.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON} AS program
RUN groupadd --gid 10001 mugmoji \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin mugmoji \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
WORKDIR /app
COPY LICENSE emoji_map.yaml ./
COPY recognizer recognizer
COPY db db
COPY bots bots
COPY training training
RUN python -m compileall -q .
# Everything that is written goes to /data: temporary files, and what settings name by a relative path, as .env.example
# does. No code is looked for there.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    TMPDIR=/data \
    DATA_DIR=/data \
    DATABASE_URL=sqlite:////data/mugmoji.db \
    LOG_FORMAT=json \
    WEB_HOST=0.0.0.0 \
    WEB_PORT=8080 \
    OPS_HOST=0.0.0.0 \
    OPS_PORT=9090
WORKDIR /data
VOLUME /data

FROM program AS trainer
COPY --from=trainer-packages /opt/venv /opt/venv
USER 10001:10001
CMD ["python", "-m", "training", "retrain"]

FROM program AS serving
COPY --from=serving-packages /opt/venv /opt/venv
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as web; port = os.environ.get('OPS_PORT') or os.environ.get('WEB_PORT') or 8080; web.urlopen(f'http://127.0.0.1:{port}/healthz', timeout=3)"]
CMD ["python", "-m", "bots"]
