import { loadSql } from '../../platform/postgres/index.js';
import type { Snapshot } from '../../projections/index.js';
import {
  createRuleIndex,
  isByIdentity,
  ruleKeyFromBytes,
  selectorKey,
  selectorParts,
  type RuleKey,
  type Selector,
} from '../../rules/index.js';
import { candidatesOf, type Candidates } from '../search/candidates.js';
import { leastOf, Parameters, statesValue } from './conditions.js';
import type { Control } from '../control.js';
import type { Members } from '../names/members.pg.js';
import { keepSelected } from './reached.pg.js';

const DECIDE = loadSql(import.meta.url, 'decide-found.sql').replace('{granted}', () => leastOf('iat'));
/** Bytes of a token's key. */
const KEY_BYTES = 16;

/** Limits a rule to a part of the tokens that its selector selects. */
export interface Before {
  /** The rule stops everything that was granted until then, epoch seconds. */
  readonly at: number;
  /** The rule also stops later grants to an older sign-in. */
  readonly reauthenticate: boolean;
  /** The largest clock skew of a source, seconds. */
  readonly maxSkew: number;
}

export interface Hit {
  readonly keys: readonly RuleKey[];
  /** There are more tokens than were looked at. */
  readonly atLeast: boolean;
}

/**
 * Finds the live tokens that a rule would stop now, whether or not another rule stops them. SQL decides what it can
 * decide for certain, since a wide rule hits too many tokens to read them all; `rules/` decides the rest.
 */
export async function findHit(
  snapshot: Snapshot,
  control: Control,
  selector: Selector,
  { seeds, ids }: Members,
  before: Before | undefined,
): Promise<Hit> {
  const tenantKey = control.tenantKey(snapshot.tenant);
  const search = candidatesOf(snapshot, seeds, { onlyLive: true, most: null });
  const limits = isByIdentity(selector) ? undefined : before;
  const [row] = await snapshot.rows<DecidedRow>(...decidedBy(search, selector, ids, limits));
  const { hit, unsure, cut_off: atLeast } = row!;
  const index = createRuleIndex();
  index.add({
    id: 'asked',
    seq: 0n,
    selector: selectorKey(tenantKey, selector),
    effect: limits === undefined ? 'block' : 'revoke',
    before: limits?.at ?? 0,
    asOfOrder: false,
    reauthenticate: limits?.reauthenticate ?? false,
  });
  const judged = await keepSelected(snapshot, control, keysIn(unsure), (keys) => index.isStopped(keys, snapshot.at));
  return { keys: [...keysIn(hit), ...judged], atLeast };
}

interface DecidedRow {
  readonly [column: string]: unknown;
  readonly cut_off: boolean;
  /** Keys one after the other; null if there are none. */
  readonly hit: Buffer | null;
  readonly unsure: Buffer | null;
}

const keysIn = (bytes: Buffer | null): RuleKey[] =>
  Array.from({ length: (bytes?.length ?? 0) / KEY_BYTES }, (_, nth) =>
    ruleKeyFromBytes(bytes!.subarray(nth * KEY_BYTES, (nth + 1) * KEY_BYTES)),
  );

function decidedBy(
  search: Candidates,
  selector: Selector,
  ids: Members['ids'],
  before: Before | undefined,
): [statement: string | { readonly name: string; readonly text: string }, values: readonly unknown[]] {
  const parameters = new Parameters(search.values);
  const members = selectorParts(selector);
  const conditions = members.map(([dimension, parts]) =>
    statesValue(parameters, dimension, parts, ids.get(dimension)!),
  );
  const then = DECIDE.replace('{selected}', () =>
    conditions.length === 0 ? 'true' : conditions.join('\n    AND '),
  ).replace('{timely}', () => (before === undefined ? 'true' : timely(parameters, before)));
  const text = search.text.replace('{then}', () => then);
  // Only frequent statements get a name; the others have too many texts to keep prepared.
  if (members.length > 1 || before !== undefined) return [text, parameters.values];
  const shape = members.map(([dimension, parts]) => {
    const stated = parts.map((part) => (part === null ? '-' : '+')).join('');
    return `${dimension}${stated}${ids.get(dimension)!.id === undefined ? '' : '#'}`;
  });
  return [{ name: `hit-${shape[0] ?? 'all'}-${search.name}`, text }, parameters.values];
}

/** Within the skew of the clocks after the moment, the sources of the token matter. */
function timely(parameters: Parameters, { at, reauthenticate, maxSkew }: Before): string {
  const [until, surely] = [parameters.add(at, 'bigint'), parameters.add(at + maxSkew, 'bigint')];
  const times = [leastOf('iat'), ...(reauthenticate ? [`coalesce(${leastOf('auth_time')}, 0)`] : [])];
  const isAny = (limit: string): string => times.map((time) => `${time} <= ${limit}`).join(' OR ');
  return `CASE WHEN ${isAny(until)} THEN true WHEN ${isAny(surely)} THEN NULL ELSE false END`;
}
