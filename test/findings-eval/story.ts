import { createRandom, type SeedEvent } from '../../src/seed/index.js';
import { DAY_S, isWeekend, SPAN_S } from './calendar.js';
import { afterSilence, bulkExport, newAtSensitive, refusals, scopesGrew } from './incidents/access.js';
import { administration, idleRule, issuedWhileDisabled, placeAll, useAfterRule } from './incidents/rules.js';
import { createScene, type Scene } from './incidents/scene.js';
import { applyTroubles, drawTroubled, numberEvents, planTrouble } from './incidents/sources.js';
import { anotherClient, lineage, longLived, replayed, secondHop, twoNetworks } from './incidents/tokens.js';
import { tellMachines } from './machines.js';
import { tellPeople, type Life } from './noise.js';
import { planAdministration, planOffice, planRenewals, tellOffice } from './office.js';
import { createOrganisation, type Organisation } from './organisation.js';
import { createTeller } from './teller.js';
import type { Act, Story } from './truth.js';

/** Kinds of incidents that people and clients are in; those of sources are planned apart. */
const MAKERS: readonly ((scene: Scene, nth: number) => void)[] = [
  useAfterRule,
  issuedWhileDisabled,
  twoNetworks,
  anotherClient,
  bulkExport,
  scopesGrew,
  afterSilence,
  newAtSensitive,
  refusals,
  secondHop,
  replayed,
  lineage,
  longLived,
  idleRule,
  administration,
];

export interface ToldStory extends Story {
  readonly organisation: Organisation;
  /** The day on which nobody works. */
  readonly holiday: number;
}

/** Makes an organisation and what happens in it, with the truth beside it. The same seed tells the same story, moved to `start`. */
export function tellStory(seed: string, start: number): ToldStory {
  const organisation = createOrganisation(seed);
  const random = createRandom(`${seed} story`);
  const teller = createTeller(organisation, random, start);
  const { scene, acts, truth } = createScene(organisation, random, teller);
  const holiday = holidayOf(random.below(20));
  const troubles = drawTroubled(random, organisation).map((app) => planTrouble(scene, app, holiday));
  for (const make of MAKERS) for (let nth = 0, size = 2 + random.below(4); nth < size; nth++) make(scene, nth);
  const fresh = (operations: readonly ('read' | 'write')[]) =>
    scene.fresh(random.pick(organisation.clients), operations);
  const { leavers, created } = planOffice(organisation, random, scene.isCast, () => fresh(['read', 'write']));
  const narrowed = planRenewals(organisation, random, scene.isTouched);
  const life: Life = { organisation, random, teller, holiday, narrowed };
  tellOffice(life, leavers, created);
  tellPeople(life);
  tellMachines(life);
  acts.push(...planAdministration(life, scene.isCast));
  placeAll(scene);
  const end = start + SPAN_S;
  const sent = applyTroubles(teller.events, start, troubles)
    .filter(({ arrives }) => arrives < end)
    .map((event, nth) => ({ event, nth }))
    .sort((one, other) => one.event.arrives - other.event.arrives || one.nth - other.nth)
    .map(({ event }) => event);
  return {
    organisation,
    holiday,
    start,
    end,
    events: numberEvents(organisation, sent, start, troubles) satisfies readonly SeedEvent[],
    acts: acts.map((act): Act => ({ ...act, at: act.at + start })).sort((one, other) => one.at - other.at),
    truth,
  };
}

/** The day on which nobody works: a weekday of the story. */
function holidayOf(drawn: number): number {
  const days = Array.from({ length: SPAN_S / DAY_S }, (_, day) => day).filter((day) => day > 2 && !isWeekend(day));
  return days[drawn % days.length]!;
}
