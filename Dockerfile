# Two images: `simulator` (Python and tests/sim) and, as the default, the program itself.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      build-essential busybox-static ca-certificates cmake ninja-build pkg-config \
      libcurl4-openssl-dev libjson-c-dev libpq-dev libyaml-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json README.md CHANGELOG.md ./
COPY cmake cmake
COPY include include
COPY src src
COPY schemas schemas
COPY docs docs
COPY packaging packaging
COPY replications replications
RUN cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=/usr && cmake --build --preset release \
    && DESTDIR=/out cmake --install build/release --strip
# What the program needs and nothing else: libraries, certificates, a user, and a shell for those who start it with one.
RUN mkdir -p /image/usr/bin /image/bin /image/etc && cp /out/usr/bin/gorgias-replicate /image/usr/bin/ \
    && ldd /image/usr/bin/gorgias-replicate | grep -o '/[^ ]*' | xargs cp -L --parents -t /image \
    && cp --parents /etc/ssl/certs/ca-certificates.crt /image && cp -r replications /image/replications \
    && echo 'nobody:x:65534:65534:nobody:/nonexistent:/bin/sh' >/image/etc/passwd && echo 'nogroup:x:65534:' >/image/etc/group \
    && cp /bin/busybox /image/bin/ && for name in sh sleep ls cat; do ln -s busybox "/image/bin/$name"; done

FROM debian:bookworm-slim AS simulator
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY tests/sim /sim
USER nobody
EXPOSE 8080
# 0.0.0.0: other containers come in from outside.
ENTRYPOINT ["python3", "-B", "/sim/gorgias_sim.py", "--host", "0.0.0.0", "--port", "8080"]

FROM scratch AS gorgias-replicate
COPY --from=build /image /
ENV PATH=/usr/bin:/bin
USER 65534:65534
ENTRYPOINT ["gorgias-replicate"]
CMD ["--help"]
