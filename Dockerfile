# syntax=docker/dockerfile:1
# A worker, and every other command: docker run --rm nightmill --help
ARG NODE_IMAGE=node:26-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts scripts/build-page.ts scripts/
COPY docs/config.schema.json docs/manifest.schema.json docs/
COPY config config
COPY jobs jobs
COPY src src
COPY workers workers
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY bin bin
COPY docker/create-bucket.js docker/

# nightmill.yaml is looked for here; nothing else is written but temporary files.
WORKDIR /srv/nightmill
RUN chown node:node .
USER node
# Node is process 1 and handles the signals itself: SIGTERM drains, a second one forces. A worker listens on no port;
# `nightmill health` says whether it lives, see docker-compose.yml.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/nightmill.js"]
CMD ["worker"]
