FROM python:3.11-slim-bookworm AS build
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /requirements.txt

FROM python:3.11-slim-bookworm
# Without it previews leave Arabic and Hebrew titles out. A pinned version would vanish from the archive.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libfribidi0 && rm -rf /var/lib/apt/lists/*
# A volume that is mounted here for the first time takes over whose folder it is.
RUN useradd --system --uid 10001 better-share && install -d -o better-share /data /run/better-share
COPY --from=build /venv /venv
WORKDIR /srv
COPY config.py wsgi.py gunicorn.conf.py ./
COPY deploy/start.sh deploy/start.sh
COPY migrations migrations
COPY app app
COPY plugin/package.json plugin/README.md plugin/LICENSE plugin/
COPY plugin/dist plugin/dist
# The root file system may be read-only, so bytecode is made here; only /data and /tmp are written to.
RUN python -m compileall -q app config.py wsgi.py migrations
ENV PATH=/venv/bin:$PATH DATA_DIR=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["/srv/deploy/start.sh"]
CMD ["--bind", "0.0.0.0:8000"]
