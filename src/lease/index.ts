export { createLeaseClock, MISSED_STOP_MS, type ClockSources, type Moment } from './clock.js';
export {
  confirmedFor,
  createLease,
  LEASE_FRACTION,
  MAX_GRANTS,
  type Confirmation,
  type GrantAnswer,
  type GrantRefusal,
  type Lease,
  type LeaseSnapshot,
} from './lease.js';
export type { Seq } from './seq.js';
export {
  hear,
  isOver,
  judge,
  newWait,
  observe,
  rowConfirmed,
  type Acknowledgement,
  type Confirmed,
  type NodeRow,
  type SeenCounter,
  type Wait,
} from './waiting.js';
