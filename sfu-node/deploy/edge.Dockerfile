# The edge on one machine, for compose.yaml: the Worker as it is deployed, in workerd. In production it is Cloudflare's.
# From the project's root:
#   docker build -f sfu-node/deploy/edge.Dockerfile -t switchboard-edge .
FROM node:24.21.0-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin switchboard
WORKDIR /switchboard
COPY package.json package-lock.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY wrangler.toml tsconfig.json ./
COPY schema schema
COPY client client
COPY web web
COPY workers workers
COPY tools tools
# What builds the Worker at each start writes beside the sources and into its home.
RUN npm run build:web \
 && mkdir /data .wrangler \
 && chown 10001:10001 /data .wrangler
ENV DATA_DIR=/data HOME=/data
VOLUME /data
USER 10001:10001
# Of /health, what is this container's own affair: whether nodes have registered is not.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "--input-type=module", "-e", "const answer = await fetch(`http://127.0.0.1:${process.env.PORT || 8787}/health`); const { services } = await answer.json(); process.exit(services.postgres.status === 'ok' && services.websocket.status === 'ok' ? 0 : 1)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/node", "tools/edge/serve.ts"]
