export { isPublic } from './addresses.js';
export { createCheckedLookup, type LookupAll } from './checked-lookup.js';
export { createEgress, hostOf, type Destination, type Egress, type EgressOptions } from './egress.js';
export { EgressError, type EgressProblem } from './egress-error.js';
export { parseAllowed, type AllowList } from './allow-list.js';
export { requestOnce, type OutgoingRequest, type Received } from './request-once.js';
