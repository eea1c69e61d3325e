import { readTimeAsked } from '../ask/window.js';
import { instantText, RescindError, secondsOf, timeText } from '../../contracts/index.js';
import { byteaArray, int8Array, loadSql } from '../../platform/postgres/index.js';
import {
  type Ask,
  COUNTING_TIMEOUT_MS,
  MAX_COUNTED,
  rulesAsOf,
  type RuleVersion,
  type Snapshot,
} from '../../projections/index.js';
import type { TokenKeys } from '../../rules/index.js';
import { DEFAULT_WINDOW_S } from '../access/filters.pg.js';
import { isCut } from '../ask/answer-parts.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import { operationOf, outcomeOf } from '../ask/entity-kinds.js';
import { orNull, readNames, type Names } from '../ask/names.pg.js';
import { inconsistent, need, readParameters } from '../ask/parameters.js';
import { findReachedTokens, seedsOf, type ReachedToken } from '../../selection/index.js';
import type { Reader } from '../ask/reader.js';
import type { IncidentReport } from './answers.js';
import { readFormat, type Format } from './format.js';
import { stoppedBy } from './stopped-by.js';

export const INCIDENT_PARAMETERS = ['rule', 'since', 'format', 'as_of'] as const;

const MAX_SHOWN = 100;
const USES = { name: 'incident-uses', text: loadSql(import.meta.url, 'incident-uses.sql') };
const CONFIRMATIONS = {
  name: 'confirmations',
  text: 'SELECT node, outcome, guards, at_ms FROM rule_confirmation WHERE seq = $2::bigint AND $1::uuid IS NOT NULL ORDER BY at_ms, node',
};

export interface Incident {
  readonly format: Format;
  readonly report: IncidentReport;
}

/** Reports what a rule hit, what was done before it and tried after it, and who confirmed it when. */
export function createIncidentReport({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return async (tenant: string, query: unknown): Promise<Incident> => {
    const parameters = readParameters(query, INCIDENT_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const format = readFormat(parameters);
    const id = need(parameters, 'rule');
    const since = readTimeAsked(parameters, 'since');
    const report = await ask(
      tenant,
      async (snapshot, versions: readonly RuleVersion[]) => {
        const [rule] = versions;
        if (!rule) throw new RescindError('not-found', { detail: 'no rule of this id had been recorded' });
        const orderedAt = Math.floor(rule.orderedMs / 1000);
        const countsFrom = Math.floor(rule.sinceMs / 1000);
        const from = since ? secondsOf('since', since, snapshot.at) : countsFrom - DEFAULT_WINDOW_S;
        if (from > countsFrom) throw inconsistent('`since` lies after the order');
        return describe(snapshot, reader, tenantKey, { rule, versions, orderedAt, countsFrom, since: from });
      },
      readAsOf(parameters),
      // A rule looked up by id is returned even if it has expired.
      {
        early: ({ rows, index }) => rulesAsOf(rows, { index, at: 0 }, { rule: id }),
        plans: 'generic',
        timeoutMs: COUNTING_TIMEOUT_MS,
      },
    );
    return { format, report };
  };
}

interface Told {
  readonly rule: RuleVersion;
  /** The rule once for each of its selectors. */
  readonly versions: readonly RuleVersion[];
  readonly orderedAt: number;
  /** Time of the event that ordered the rule, else of its order. */
  readonly countsFrom: number;
  readonly since: number;
}

async function describe(
  snapshot: Snapshot,
  reader: Reader,
  tenantKey: Uint8Array,
  { rule, versions, orderedAt, countsFrom, since }: Told,
): Promise<IncidentReport> {
  const selectors = versions.map(({ selector }) => selector);
  const [ordered, seeds, confirmed] = await Promise.all([
    // The rule as it was ordered. If an event ordered it, an enabling may have changed it since.
    rule.cause === undefined
      ? versions
      : rulesAsOf(snapshot.rows, { index: rule.ix + 1n, at: orderedAt }, { rule: rule.rule }),
    seedsOf(snapshot, tenantKey, selectors),
    snapshot.rows<ConfirmationRow>(CONFIRMATIONS, [String(rule.terms.seq)]),
  ]);
  const stops = stoppedBy(tenantKey, ordered);
  const told = await snapshot.asOf({ index: rule.ix, at: orderedAt });
  const ended = endOf(rule, snapshot.at);
  const stopsOn = stoppedBy(tenantKey, versions);
  /**
   * When the rule stops counting for a token: at its end, unless it still stopped the token then, or at its lift.
   * Undefined: never.
   */
  const endFor = (keys: TokenKeys): number | undefined =>
    least(ended === null || stopsOn(keys, ended.at) ? undefined : ended.at, rule.lift?.at);
  const hit = await findReachedTokens(told, reader, {
    seeds,
    onlyLive: true,
    select: (keys) => (stops(keys, orderedAt) ? true : undefined),
  });
  const known = await findReachedTokens(snapshot, reader, {
    seeds,
    onlyLive: false,
    select: (keys) => (stops(keys, orderedAt) ? { end: endFor(keys) } : undefined),
  });
  const keys = known.tokens.map(({ key }) => key);
  const uses =
    keys.length === 0
      ? []
      : await snapshot.rows<UsesRow>({ ...USES, uses: () => [{ index: snapshot.index, tok: keys, from: since }] }, [
          String(snapshot.index),
          byteaArray(keys),
          since,
          countsFrom,
          MAX_COUNTED,
          MAX_SHOWN,
          int8Array(known.tokens.map(({ by }) => by.end)),
        ]);

  const newest = uses.find(({ after }) => after)?.newest ?? [];
  const shown = hit.tokens.slice(0, MAX_SHOWN);
  const naming = readNames(snapshot, [
    ...shown.flatMap(({ user, client, agent }) => [user, client, agent]),
    ...newest.map(({ res }) => res),
  ]);
  snapshot.ends();
  const names = await naming;
  const atLeast = known.atLeast || uses.reduce((sum, { rows }) => sum + Number(rows), 0) >= MAX_COUNTED;
  const volumes = (after: boolean) =>
    volumesOf(
      uses.find((row) => row.after === after),
      atLeast,
    );
  return {
    as_of: asOfOf(snapshot),
    rule: {
      id: rule.rule,
      entry: String(rule.ix),
      seq: String(rule.terms.seq),
      selector: { ...rule.selector },
      ...(selectors.length > 1 ? { others: selectors.slice(1).map((selector) => ({ ...selector })) } : {}),
      effect: rule.effect,
      ordered_at: instantText(rule.orderedMs),
      counts_from: instantText(rule.sinceMs),
      recorded_at: instantText(rule.arrivalMs),
      reason: rule.reason,
      author: rule.author,
      cause: rule.cause ?? null,
      ended: ended && { ...ended, at: timeText(ended.at) },
      lifted: rule.lift ? { entry: String(rule.lift.ix), at: timeText(rule.lift.at), resume: rule.lift.resume } : null,
    },
    hit: {
      live_tokens: hit.tokens.length,
      newest: shown.map((token) => tokenOf(token, names)),
      left_out: hit.tokens.length - shown.length,
      ...isCut(hit.atLeast),
    },
    since: timeText(since),
    before: volumes(false),
    after: {
      ...volumes(true),
      newest: newest.map((use) => useOf(use, names)),
      left_out: Number(uses.find(({ after }) => after)?.rows ?? 0) - newest.length,
    },
    confirmations: {
      known: confirmed.length > 0,
      // Names of nodes name hosts and processes, which are the operator's.
      nodes: confirmed.map(({ node, outcome, guards, at_ms: at }) => ({
        node,
        outcome,
        guards,
        at: instantText(Number(at)),
      })),
    },
  };
}

/** How a block ended; `at` in epoch seconds. */
type Ended = Omit<NonNullable<IncidentReport['rule']['ended']>, 'at'> & { readonly at: number };

/** Says how the block had ended by a moment; null if it had not. */
function endOf({ effect, terms, turned }: RuleVersion, at: number): Ended | null {
  if (turned) return { by: 'enabling', at: Math.floor(turned.atMs / 1000), entry: String(turned.ix), resume: false };
  if (effect !== 'block' || terms.until === undefined || terms.until > at) return null;
  return { by: 'until', at: terms.until, entry: null, resume: terms.resume === true };
}

const least = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);

function volumesOf(row: UsesRow | undefined, atLeast: boolean) {
  return {
    allowed: Number(row?.allowed ?? 0),
    denied: Number(row?.denied ?? 0),
    records: Number(row?.records ?? 0),
    bytes: Number(row?.bytes ?? 0),
    first: row ? timeText(Number(row.first)) : null,
    last: row ? timeText(Number(row.last)) : null,
    ...isCut(atLeast),
  };
}

const tokenOf = (token: ReachedToken<unknown>, names: Names) => ({
  id: token.key.toString('base64url'),
  index: String(token.index),
  user: orNull(token.user, names.user),
  client: names.client(token.client),
  agent: orNull(token.agent, names.agent),
  issued_at: timeText(token.iat),
  expires_at: orNull(token.exp, timeText),
});

const useOf = (use: UsesRow['newest'][number], names: Names) => ({
  index: use.ix,
  at: timeText(use.at),
  count: use.n,
  outcome: outcomeOf(use.outcome),
  operation: orNull(use.op, operationOf),
  resource: orNull(use.res, names.resource),
  token: Buffer.from(use.tok, 'hex').toString('base64url'),
});

interface UsesRow {
  readonly [column: string]: unknown;
  readonly after: boolean;
  readonly rows: string;
  readonly allowed: string;
  readonly denied: string;
  readonly records: string;
  readonly bytes: string;
  readonly first: string;
  readonly last: string;
  readonly newest: readonly {
    ix: string;
    at: number;
    n: number;
    outcome: number;
    op: number | null;
    res: number | null;
    tok: string;
  }[];
}

interface ConfirmationRow {
  readonly [column: string]: unknown;
  readonly node: string;
  readonly outcome: 'confirmed' | 'expired';
  readonly guards: number;
  readonly at_ms: string;
}
