# One image, three commands: `serve intake`, `serve routing`, `serve reporting`; and the operator's.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
COPY deploy/containers/build.lock deploy/containers/image.lock /
RUN pip install --require-hashes -r /build.lock \
 && pip wheel --no-deps --no-build-isolation --require-hashes -r /image.lock --wheel-dir /wheels \
 && python -m venv --without-pip /opt/langnghe \
 && pip --python /opt/langnghe/bin/python install --no-index --no-deps /wheels/*.whl \
 && find /opt/langnghe -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -rf {} +
COPY services /app/services
COPY shared /app/shared
COPY deploy /app/deploy
# Compiled here, once: nothing can be written where it runs, and every start would compile it again.
RUN PYTHONPATH=/app /opt/langnghe/bin/python -m deploy --help >/dev/null

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Langnghe" \
      org.opencontainers.image.description="Listens to what people say about public offices" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/langnghe /opt/langnghe
COPY --from=build /app /app
ENV PATH=/opt/langnghe/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANGNGHE_HTTP_HOST=0.0.0.0 \
    LANGNGHE_KEYS=/etc/langnghe
WORKDIR /app
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-m", "shared.runtime.alive"]
ENTRYPOINT ["python", "-m", "deploy"]
CMD ["--help"]
