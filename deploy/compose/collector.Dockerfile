# The collector: its own packages and those it needs, nothing to build with.
# Context: the top of the repository.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.base.json ./
COPY packages/shared/package.json packages/shared/
COPY packages/agent/package.json packages/agent/
COPY packages/collector/package.json packages/collector/
COPY packages/cli/package.json packages/cli/
# TypeScript needs no install scripts; without them nothing is compiled or unpacked for other packages.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY packages/shared packages/shared
COPY packages/collector packages/collector
RUN npx tsc -b packages/collector

FROM node:20-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/shared/package.json packages/shared/
COPY packages/agent/package.json packages/agent/
COPY packages/collector/package.json packages/collector/
COPY packages/cli/package.json packages/cli/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace=@whokilled/collector --workspace=@whokilled/shared

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY packages/shared/package.json packages/shared/
COPY packages/collector/package.json packages/collector/
COPY packages/collector/migrations packages/collector/migrations
COPY --from=build /app/packages/shared/dist packages/shared/dist
COPY --from=build /app/packages/collector/dist packages/collector/dist
USER node
EXPOSE 9137
ENTRYPOINT ["node", "/app/packages/collector/dist/main.js"]
CMD ["run", "--migrate"]
