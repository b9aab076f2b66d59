import { defineConfig } from 'vitest/config'

/** Workspace sources run unbuilt through the `source` export condition. */
const resolve = { conditions: ['source', 'module', 'node', 'development|production'] }
const ssr = { resolve: { conditions: ['source', 'module', 'node', 'development|production'] } }

/** On a busy machine what is waited for may take a while. */
const expect = { poll: { timeout: 30_000 } }

/**
 * unit: pure; servers: real nats-server and Postgres; faults: what happens when they die; kernel: real SystemTap in a
 * virtual machine.
 */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'test/{ways/{recordings,causes-doc,lost-lines},comparison/*}.test.ts',
          ],
          expect,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'servers',
          include: ['packages/*/test/**/*.test.ts', 'test/*.test.ts', 'test/ways/live.test.ts'],
          exclude: ['test/tidy.test.ts', '**/node_modules/**'],
          expect,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'faults',
          include: ['test/faults/*.test.ts'],
          globalSetup: ['test/faults/ledger-book.ts'],
          expect,
          testTimeout: 240_000,
          hookTimeout: 60_000,
          // Most of the time they wait: for servers, and for what is delivered again.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      { resolve, ssr, test: { name: 'tidy', include: ['test/tidy.test.ts'] } },
      {
        resolve,
        ssr,
        test: {
          name: 'kernel',
          include: ['test/kernel/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
