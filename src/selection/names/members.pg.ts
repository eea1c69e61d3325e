import type { Early } from '../../projections/index.js';
import { ruleKeyToBytes, selectorParts, type Dimension, type Selector } from '../../rules/index.js';
import { joinSeeds, NO_SEEDS, type Seeds } from './seeds.js';
import { findAllClients, findMember } from './start.pg.js';

/** From a dimension whose names leave the fewest tokens to those that leave the most. */
const NARROWEST: readonly Dimension[] = [
  'token',
  'id_jag',
  'session',
  'user',
  'agent',
  'client',
  'resource',
  'agent_type',
  'issuer',
];

/** The ids and seeds that the members of a selector name. */
export interface Members {
  readonly ids: ReadonlyMap<Dimension, MemberIds>;
  /** Seeds of the member that leaves the fewest tokens. */
  readonly seeds: Seeds;
}

export interface MemberIds {
  readonly key: Buffer;
  /** Small id of the name itself; undefined if it has none. */
  readonly id: number | undefined;
  /** Ids under which its rights are recorded: also those of names at RASs that belong to it alone. */
  readonly covered: readonly number[];
}

/** Finds the ids and seeds that the members of a selector name. A name that was never seen has no id. */
export async function findMembers(snapshot: Early, tenantKey: Uint8Array, selector: Selector): Promise<Members> {
  const dimensions = selectorParts(selector).map(([dimension]) => dimension);
  const narrowest = NARROWEST.find((dimension) => dimensions.includes(dimension));
  const [starts, all] = await Promise.all([
    Promise.all(dimensions.map((dimension) => findMember(snapshot, tenantKey, { [dimension]: selector[dimension] }))),
    narrowest === undefined ? findAllClients(snapshot) : undefined,
  ]);
  return {
    ids: new Map(
      starts.map(({ names, entities }, nth) => [
        dimensions[nth]!,
        { key: ruleKeyToBytes(names[0]!.key), id: entities[0], covered: entities },
      ]),
    ),
    seeds: all ?? starts[dimensions.indexOf(narrowest!)]!.seeds,
  };
}

/** The start of a search for uses of the tokens that a rule selects: uses have the columns of their tokens. */
export interface Beginning {
  readonly seeds: Seeds;
  /** Small id of the resource that the rule is on. The seeds are the clients that may use it. */
  readonly resource: number | undefined;
  /** True if no column leads to the tokens: a use of anybody may be one of theirs. */
  readonly everyone: boolean;
}

/** Finds where the search for uses of a rule's tokens begins: at the member that leaves the fewest. */
export async function findBeginning(snapshot: Early, tenantKey: Uint8Array, selector: Selector): Promise<Beginning> {
  const narrowest = NARROWEST.find((dimension) => selector[dimension] !== undefined);
  if (narrowest === undefined || narrowest === 'agent_type' || narrowest === 'issuer')
    return { seeds: NO_SEEDS, resource: undefined, everyone: true };
  const { ids, seeds } = await findMembers(snapshot, tenantKey, { [narrowest]: selector[narrowest] });
  return { seeds, resource: ids.get('resource')?.id, everyone: false };
}

/** Finds the seeds of a rule's tokens. */
export async function seedsOf(snapshot: Early, tenantKey: Uint8Array, selectors: readonly Selector[]): Promise<Seeds> {
  // Selectors of one rule differ in few members, so that most begin from the same name.
  const narrowed = new Map<string, Selector>();
  for (const selector of selectors) {
    const narrowest = NARROWEST.find((dimension) => selector[dimension] !== undefined);
    const one = narrowest === undefined ? {} : { [narrowest]: selector[narrowest] };
    narrowed.set(JSON.stringify(one), one);
  }
  const found = await Promise.all([...narrowed.values()].map((one) => findMembers(snapshot, tenantKey, one)));
  return joinSeeds(found.map(({ seeds }) => seeds));
}
