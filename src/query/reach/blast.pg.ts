import { readTimeAsked } from '../ask/window.js';
import { RescindError, secondsOf, timeText } from '../../contracts/index.js';
import { type Ask, COUNTING_TIMEOUT_MS, type Snapshot } from '../../projections/index.js';
import { defaultEffect, type Effect, type Selector } from '../../rules/index.js';
import { DEFAULT_WINDOW_S } from '../access/filters.pg.js';
import { isCut } from '../ask/answer-parts.js';
import { asOfOf, readAsOf } from '../ask/as-of.js';
import type { Asker } from '../ask/documented.controller.js';
import { orNull, readNames, type Names } from '../ask/names.pg.js';
import { inconsistent, need, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { BlastAnswer } from './answers.js';
import { readHeld, GROUPS, MAX_SHOWN, type Held } from './held.pg.js';
import { BLAST_PARAMETERS, REACH_PARAMETERS, readStart, readWantsPreview } from './parameters.js';
import {
  findReachedTokens,
  findStart,
  reachedBy,
  type ReachedToken,
  type ReachedTokens,
  type Start,
  type StartName,
} from '../../selection/index.js';
import { isAttributed, readTotals, readUsed, type Used } from './used.pg.js';
import { byResource, usageOf } from './volumes.js';

/** The answer of `POST /v1/revocations/preview` to an order. */
type PreviewAnswer = NonNullable<BlastAnswer['rules'][number]['preview']>;

/** Previews an order for a caller; rejects with a `RescindError`. `revocation` implements it. */
export type PreviewOrder<C extends Asker = Asker> = (caller: C, order: ProposedOrder) => Promise<PreviewAnswer>;

export interface ProposedOrder {
  readonly selector: Selector;
  readonly effect: Effect;
}

export interface BlastQuestions {
  /** Finds what something compromised reaches, and the rule that stops exactly that. */
  blast(caller: Asker, query: unknown): Promise<BlastAnswer>;
  /** Finds who reaches a resource, and how. */
  reach(caller: Asker, query: unknown): Promise<BlastAnswer>;
}

export function createBlastQuestions(options: {
  readonly ask: Ask;
  readonly reader: Reader;
  readonly previewOrder: PreviewOrder | undefined;
}): BlastQuestions {
  const { ask, reader, previewOrder } = options;

  async function answer(
    caller: Asker,
    query: unknown,
    known: readonly string[],
    required?: string,
  ): Promise<BlastAnswer> {
    const parameters = readParameters(query, known);
    if (required !== undefined) need(parameters, required);
    const asked = readStart(parameters);
    const since = readTimeAsked(parameters, 'since');
    const wantsPreview = readWantsPreview(parameters);
    const tenantKey = reader.tenantKey(caller.tenant);
    const { rules, ...said } = await ask(
      caller.tenant,
      async (snapshot, start: Start) => {
        const from = since ? secondsOf('since', since, snapshot.at) : snapshot.at - DEFAULT_WINDOW_S;
        if (from > snapshot.at) throw inconsistent('`since` lies after the moment that is asked about');
        // Usage of a user, client, agent or resource is attributed to it, so live tokens are enough. Usage of
        // anything else comes from its tokens, which may have expired.
        const ofThemselves = isAttributed(start);
        const [reached, usedThemselves, totals] = await Promise.all([
          findReachedTokens(snapshot, reader, {
            seeds: start.seeds,
            onlyLive: ofThemselves,
            select: (keys) => reachedBy(start, keys),
            stopped: true,
          }),
          ofThemselves ? readUsed(snapshot, start, [], from) : undefined,
          readTotals(snapshot, start, from),
        ]);
        const [held, used] = await Promise.all([
          readHeld(
            snapshot,
            start,
            reached.tokens.filter((token) => token.live),
          ),
          usedThemselves ?? readUsed(snapshot, start, reached.tokens, from),
        ]);
        return describe(snapshot, { start, since: from, reached, held, used: { ...used, totals } });
      },
      readAsOf(parameters),
      { early: (early) => findStart(early, tenantKey, asked), plans: 'generic', timeoutMs: COUNTING_TIMEOUT_MS },
    );
    const proposed = await Promise.all(
      rules.map(async (rule, nth) => ({
        ...rule,
        preview:
          wantsPreview && previewOrder && (nth === 0 || rule.live_tokens > 0)
            ? await previewOf(previewOrder, caller, rule.order as ProposedOrder)
            : null,
      })),
    );
    return { ...said, rules: proposed };
  }

  return {
    blast: (caller, query) => answer(caller, query, BLAST_PARAMETERS),
    reach: (caller, query) => answer(caller, query, REACH_PARAMETERS, 'resource'),
  };
}

/** The rest of the answer is valid without the preview. */
async function previewOf(
  previewOrder: PreviewOrder,
  caller: Asker,
  order: ProposedOrder,
): Promise<PreviewAnswer | null> {
  try {
    return await previewOrder(caller, order);
  } catch (error) {
    if (error instanceof RescindError && error.code === 'filter-too-wide') return null;
    throw error;
  }
}

type Reached = ReachedToken<StartName>;

interface Found {
  readonly start: Start;
  readonly since: number;
  readonly reached: ReachedTokens<StartName>;
  readonly held: Held;
  readonly used: Used;
}

async function describe(snapshot: Snapshot, { start, since, reached, held, used }: Found) {
  const live = reached.tokens.filter((token) => token.live);
  const newest = live.slice(0, MAX_SHOWN);
  const resources = byResource(used.rows);
  const naming = readNames(snapshot, [
    ...start.others.map(({ id }) => id),
    ...GROUPS.flatMap((group) => held.groups[group].shown.map(({ id }) => id)),
    ...newest.flatMap((token) => [token.user, token.client, token.agent, ...token.resources]),
    ...resources.slice(0, MAX_SHOWN).map(({ res }) => res),
  ]);
  snapshot.ends();
  const names = await naming;
  const cut = reached.atLeast;
  const group = <T>(
    of: (typeof GROUPS)[number],
    name: (id: number) => T,
    idsOf: (token: Reached) => readonly (number | null)[],
  ) => groupOf(held, of, name, countTokens(live, idsOf), cut);
  return {
    as_of: asOfOf(snapshot),
    start: {
      kind: start.kind,
      selector: { ...start.names[0]!.selector },
      other_names: start.others.map(({ id, covered }) => ({
        entity: id,
        name: start.kind === 'user' ? names.user(id) : names.client(id),
        covered,
      })),
    },
    since: timeText(since),
    reachable: {
      users: group('users', names.user, ({ user }) => [user]),
      clients: group('clients', names.client, ({ client }) => [client]),
      agents: group('agents', names.agent, ({ agent }) => [agent]),
      resources: group('resources', names.resource, (token) => token.resources),
    },
    grants: { count: held.grants, ...isCut(held.atLeast || cut) },
    tokens: {
      live: live.length,
      stopped: reached.tokens.filter((token) => token.stopped).length,
      newest: newest.map((token) => tokenOf(token, names)),
      left_out: live.length - newest.length,
      ...isCut(cut),
    },
    usage: usageOf(used, resources, names, cut && !isAttributed(start)),
    rules: proposedRules(start, live, cut).map(({ selector, tokens }) => ({
      order: { selector: { ...selector }, effect: defaultEffect(selector) },
      live_tokens: tokens,
      ...isCut(cut),
    })),
  };
}

/**
 * Proposes a rule on the name that was asked for, and one on each other name by which alone some live token is reached.
 * If not all tokens were looked at, it proposes a rule on every name.
 */
function proposedRules(
  { names }: Start,
  live: readonly Reached[],
  atLeast: boolean,
): readonly { readonly selector: Selector; readonly tokens: number }[] {
  const count = (name: StartName): number => live.filter(({ by }) => by === name).length;
  return names
    .map((name) => ({ selector: name.selector, tokens: count(name) }))
    .filter(({ tokens }, nth) => nth === 0 || tokens > 0 || atLeast);
}

function countTokens(
  live: readonly Reached[],
  idsOf: (token: Reached) => readonly (number | null)[],
): ReadonlyMap<number | null, number> {
  const counts = new Map<number | null, number>();
  for (const token of live) for (const id of idsOf(token)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function groupOf<T>(
  held: Held,
  group: (typeof GROUPS)[number],
  name: (id: number) => T,
  tokens: ReadonlyMap<number | null, number>,
  tokensCut: boolean,
) {
  const { count, shown } = held.groups[group];
  const cut = isCut(held.atLeast || tokensCut);
  const liveOf = (ids: readonly number[]): number => ids.reduce((sum, id) => sum + (tokens.get(id) ?? 0), 0);
  return {
    count,
    top: shown.map(({ id, grants, ids }) => ({ item: name(id), grants, live_tokens: liveOf(ids), ...cut })),
    left_out: count - shown.length,
    ...cut,
  };
}

const tokenOf = (token: Reached, names: Names) => ({
  id: token.key.toString('base64url'),
  index: String(token.index),
  kind: token.kind,
  user: orNull(token.user, names.user),
  client: names.client(token.client),
  agent: orNull(token.agent, names.agent),
  resources: token.resources.map(names.resource),
  issued_at: timeText(token.iat),
  expires_at: orNull(token.exp, timeText),
});
