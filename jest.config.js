// The CLI shows times in the local zone, and specs must read the same everywhere.
process.env.TZ = 'UTC';

const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  // `npm run pack` writes copies of the build there.
  modulePathIgnorePatterns: ['<rootDir>/packages/'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'es6' },
      },
    ],
  },
};
const withServices = {
  ...shared,
  globalSetup: '<rootDir>/test/support/start-services.ts',
  globalTeardown: '<rootDir>/test/support/stop-services.ts',
};

/** Specs outside `test/fault` that `npm run test:fault` runs and `npm test` leaves out, by the reason. */
export const SLOW_SPECS = {
  'needs a program that is not Node, Java or Maven': [
    'test/integration/log/strangers.spec.ts',
    'test/integration/platform/alerts.spec.ts',
    'test/integration/platform/forward-auth.spec.ts',
    'test/integration/platform/older-node.spec.ts',
    'test/integration/platform/proxy.spec.ts',
    'test/integration/platform/standby.spec.ts',
  ],
  'installs packages from the configured registry': [
    'test/e2e/packed-server.spec.ts',
    'test/e2e/readme.spec.ts',
    'test/integration/emit/packed.spec.ts',
    'test/integration/guard/packed.spec.ts',
  ],
  'starts, floods or kills servers and processes of its own': [
    'test/integration/archive/damaged.spec.ts',
    'test/integration/archive/killed.spec.ts',
    'test/integration/archive/service.spec.ts',
    'test/integration/archive/two-writers.spec.ts',
    'test/integration/control/database-faults.spec.ts',
    'test/integration/control/second-process.spec.ts',
    'test/integration/emit/kafka-outage.spec.ts',
    'test/integration/emit/killed.spec.ts',
    'test/integration/emit/outages.spec.ts',
    'test/integration/emit/traffic.spec.ts',
    'test/integration/feeds/findings-topic.spec.ts',
    'test/integration/feeds/siem.spec.ts',
    'test/integration/feeds/topics.spec.ts',
    'test/integration/feeds/topics-restore.spec.ts',
    'test/integration/feeds/topics-takeover.spec.ts',
    'test/integration/guard/faults.spec.ts',
    'test/integration/ingest/fuzz-http.spec.ts',
    'test/integration/ingest/kafka-pressure.spec.ts',
    'test/integration/ingest/pressure.spec.ts',
    'test/integration/platform/embedded-postgres.spec.ts',
    'test/integration/platform/kafka-security.spec.ts',
    'test/integration/platform/local-kafka.spec.ts',
    'test/integration/platform/process-group.spec.ts',
    'test/integration/platform/readiness.spec.ts',
    'test/integration/platform/record-sets.spec.ts',
    'test/integration/projections/rebuild.spec.ts',
    'test/integration/projections/rebuild-killed.spec.ts',
    'test/integration/projections/rebuild-service.spec.ts',
    'test/integration/query/busy-readers.spec.ts',
    'test/integration/query/reports-stream.spec.ts',
    'test/integration/registry/cli-export.spec.ts',
    'test/integration/registry/completion.spec.ts',
  ],
  'seeds an organisation, or visits all states or random histories of a model': [
    'src/lease/lease-model.spec.ts',
    'test/integration/log/two-keepers.spec.ts',
    'test/integration/explore/recount.spec.ts',
    'test/integration/query/as-of-property.spec.ts',
    'test/integration/query/blast-rule.spec.ts',
    'test/integration/query/cold-property.spec.ts',
    'test/integration/query/timeline-property.spec.ts',
    'test/integration/query/used-after-property.spec.ts',
    'test/integration/selection/reached-property.spec.ts',
    'test/integration/query/coverage.spec.ts',
    'test/integration/findings/seeded.spec.ts',
    'test/integration/seed/incidents.spec.ts',
    'test/integration/seed/questions-page.spec.ts',
    'test/integration/seed/seed.spec.ts',
  ],
};
/** Paths, which jest takes as patterns too. */
const slow = Object.values(SLOW_SPECS).flat();

/** @type {import('jest').Config} */
export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  // Modules of finished specs stay in a worker's memory, and with gigabytes of them it does little but collect garbage.
  workerIdleMemoryLimit: '1500MB',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{src,test/findings-eval,test/mutate,test/support}/**/*.spec.ts'],
      testPathIgnorePatterns: slow,
    },
    { ...shared, displayName: 'architecture', testMatch: ['<rootDir>/test/architecture/**/*.spec.ts'] },
    {
      ...withServices,
      displayName: 'services',
      testMatch: ['<rootDir>/test/{integration,conformance,e2e}/**/*.spec.ts'],
      testPathIgnorePatterns: slow,
    },
    {
      ...shared,
      displayName: 'console',
      testEnvironment: '<rootDir>/test/console/environment.ts',
      testMatch: ['<rootDir>/test/console/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/console/start-console.ts',
      globalTeardown: '<rootDir>/test/console/stop-console.ts',
    },
    {
      ...withServices,
      displayName: 'fault',
      testMatch: ['<rootDir>/test/fault/**/*.spec.ts', ...slow.map((path) => `<rootDir>/${path}`)],
    },
  ],
};
