import { fileURLToPath } from 'node:url';
import all from '../../jest.config.js';

const {
  globalSetup: _,
  globalTeardown: __,
  ...services
} = all.projects.find(({ displayName }) => displayName === 'services');

const rootDir = fileURLToPath(new URL('../..', import.meta.url));

/** Specs against real identity servers: minutes each, and a download. `npm test` leaves them out; `npm run test:identity-servers` runs them. */
export default {
  ...all,
  rootDir,
  testTimeout: 900_000,
  projects: [
    {
      ...services,
      rootDir,
      displayName: 'identity-servers',
      testMatch: ['<rootDir>/test/identity-servers/**/*.spec.ts'],
    },
  ],
};
