import type { Organisation } from '../organisation.js';
import type { SeedEvent } from '../seed-event.js';
import { bulkExport } from './bulk-export.js';
import { dormantConnection } from './dormant-connection.js';
import { createScene, type ExpectedAnswer, type Incident } from './incident.js';
import { lateLineage } from './late-lineage.js';
import { leaver } from './leaver.js';
import { lostEvents } from './lost-events.js';
import { probing } from './probing.js';
import { scopesThatGrew } from './scopes-that-grew.js';
import { secondHop } from './second-hop.js';
import { stolenAgentToken } from './stolen-agent-token.js';
import { useAfterRevocation } from './use-after-revocation.js';

export type { ExpectedAnswer } from './incident.js';

const INCIDENTS: readonly Incident[] = [
  stolenAgentToken,
  bulkExport,
  scopesThatGrew,
  useAfterRevocation,
  dormantConnection,
  secondHop,
  probing,
  leaver,
  lateLineage,
  lostEvents,
];

export interface DescribedIncident {
  readonly name: string;
  readonly happened: string;
  readonly answers: readonly ExpectedAnswer[];
}

/** Makes the events of all incidents in the week before `end` (epoch seconds). */
export function tellIncidents(organisation: Organisation, end: number): SeedEvent[] {
  const events: SeedEvent[] = [];
  for (const incident of INCIDENTS)
    incident.tell(createScene(organisation, end, incident.name, (event) => events.push(event)));
  return events;
}

/** Describes each incident: what happened, what to ask, and what must be answered. */
export function describeIncidents(organisation: Organisation, end: number): DescribedIncident[] {
  return INCIDENTS.map(({ name, happened, answers }) => ({
    name,
    happened,
    answers: answers(createScene(organisation, end, name)),
  }));
}
