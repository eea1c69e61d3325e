export {
  DEFAULT_DAYS,
  DEFAULT_SEED,
  MIN_DAYS,
  seedOrganisation,
  type Seeded,
  type SeedOptions,
  type SeedProgress,
} from './seed-organisation.js';
export { runSeed } from './run-seed.js';
export { findInSeeded, type Found } from './found.js';
export { describeIncidents, type DescribedIncident } from './incidents/index.js';
export { createOrganisation, type Organisation } from './organisation.js';
export { makeHistory, type HistoryOptions } from './history.js';
export type { SeedEvent } from './seed-event.js';
export { openPast, type Past } from './past/past.js';
export { registerParties } from './parties.js';
export { createRandom, type Random } from './random.js';
export { IDP } from './seed-event.js';
