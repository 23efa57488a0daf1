# Two images: `simulator` (Python and tests/sim) and, as the default, the program itself.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      build-essential cmake ninja-build pkg-config libcurl4-openssl-dev libjson-c-dev libpq-dev libyaml-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY include include
COPY src src
COPY schemas schemas
RUN cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=/usr && cmake --build --preset release \
    && DESTDIR=/out cmake --install build/release --strip

FROM debian:bookworm-slim AS simulator
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY tests/sim /sim
USER nobody
EXPOSE 8080
# 0.0.0.0: other containers come in from outside.
ENTRYPOINT ["python3", "-B", "/sim/gorgias_sim.py", "--host", "0.0.0.0", "--port", "8080"]

FROM debian:bookworm-slim AS gorgias-replicate
RUN apt-get update && apt-get install -y --no-install-recommends libcurl4 libjson-c5 libpq5 libyaml-0-2 ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/usr /usr
COPY replications /replications
USER nobody
ENTRYPOINT ["gorgias-replicate"]
CMD ["--help"]
