# One image for all five services and for `clerk migrate`; what it does says the command (docker-compose.yml).
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/clerk && /opt/clerk/bin/pip install --no-cache-dir .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin clerk
COPY --from=build /opt/clerk /opt/clerk
ENV PATH=/opt/clerk/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/clerk
USER 10001:10001
EXPOSE 8470
ENTRYPOINT ["clerk"]
CMD ["--help"]
