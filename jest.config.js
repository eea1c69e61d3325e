/** @type {import('jest').Config} */
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

export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  // Modules of finished specs stay in a worker's memory, and with gigabytes of them it does little but collect garbage.
  workerIdleMemoryLimit: '1500MB',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{src,test/mutate}/**/*.spec.ts'] },
    { ...shared, displayName: 'architecture', testMatch: ['<rootDir>/test/architecture/**/*.spec.ts'] },
    {
      ...shared,
      displayName: 'services',
      testMatch: ['<rootDir>/test/{integration,suites,conformance,e2e,fault}/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/support/start-services.ts',
      globalTeardown: '<rootDir>/test/support/stop-services.ts',
    },
  ],
};
