import { timeText } from '../../contracts/index.js';
import { isCut } from '../ask/answer-parts.js';
import { connectionStateOf } from '../ask/entity-kinds.js';
import { namesOf, orNull, type EntityRow } from '../ask/names.pg.js';
import { READ_NAMES, type Snapshot } from '../../projections/index.js';
import type { ChangeItem } from './answers.js';
import type { Line } from './lines.js';

/** Reads names and arrivals in one round trip. */
const WORDS = {
  name: 'changes-words',
  text: `SELECT (SELECT json_agg(n) FROM (${READ_NAMES.text}) n) AS names,
    (SELECT json_agg(json_build_array(ix, arrival)) FROM entry WHERE tenant = $1 AND ix = ANY ($4::bigint[])) AS arrivals`,
};

/**
 * Describes lines: gives ids their names and indexes their arrivals. Ends the snapshot: nothing can be read from it
 * afterwards.
 */
export async function describeLines(snapshot: Snapshot, lines: readonly Line[]): Promise<ChangeItem[]> {
  if (lines.length === 0) return [];
  const ids = new Set(lines.flatMap(entitiesOf).filter((id) => id !== null));
  const reading = snapshot.rows<WordsRow>(WORDS, [
    [...ids],
    String(snapshot.index),
    [...new Set(lines.flatMap(indexesOf))],
  ]);
  snapshot.ends();
  const [row] = await reading;
  const names = namesOf(row!.names);
  const arrivals = new Map(row!.arrivals.map(([ix, arrival]) => [ix, timeText(Math.floor(arrival / 1_000))]));
  const point = (ix: number) => ({ index: String(ix), at: arrivals.get(ix)! });

  return lines.map((line): ChangeItem => {
    const { kind, what } = line;
    const made = {
      kind,
      first: point(line.first),
      last: point(line.last),
      client: names.client(line.client),
      ...(line.res === null ? {} : { resource: names.resource(line.res) }),
    };
    switch (what.of) {
      case 'connection':
        return {
          ...made,
          idp_client: names.client(what.idpClient),
          connection: what.id,
          before: what.before === null ? null : connectionStateOf(what.before),
          after: connectionStateOf(what.after),
          scopes_added: [...what.added],
          scopes_removed: [...what.removed],
          agent: orNull(what.agent, names.agent),
        } as ChangeItem;
      case 'pair':
        return made as ChangeItem;
      case 'grants':
        return {
          ...made,
          grants: what.grants,
          ...(what.added ? { scopes_added: [...what.added] } : {}),
          ...isCut(what.atLeast),
        } as ChangeItem;
      case 'scopes':
        return { ...made, scopes: what.scopes.map(({ scope, ix }) => ({ scope, ...point(ix) })) } as ChangeItem;
      case 'agents':
        return {
          ...made,
          agents: what.agents.map(({ agent, ix, fresh }) => ({ agent: names.agent(agent), ...point(ix), new: fresh })),
        } as ChangeItem;
      case 'users':
        return { ...made, users: what.users } as ChangeItem;
      case 'use':
        return {
          ...made,
          user: orNull(what.user, names.user),
          agent: orNull(what.agent, names.agent),
          at: timeText(what.at),
          access: String(what.access),
          last_at: timeText(what.lastAt),
          uses: what.uses,
          tokens: what.tokens,
          ...isCut(what.atLeast),
          rule: what.rule,
          rule_state: what.state,
          ...(what.ended
            ? { rule_ended: { ...what.ended, at: timeText(what.ended.at), entry: orNull(what.ended.entry, String) } }
            : {}),
          selector: what.selector,
        } as ChangeItem;
    }
  });
}

interface WordsRow {
  readonly [column: string]: unknown;
  readonly names: readonly EntityRow[];
  readonly arrivals: readonly (readonly [ix: number, arrival: number])[];
}

function entitiesOf({ client, res, what }: Line): (number | null)[] {
  const more =
    what.of === 'connection'
      ? [what.idpClient, what.agent]
      : what.of === 'agents'
        ? what.agents.map(({ agent }) => agent)
        : what.of === 'use'
          ? [what.user, what.agent]
          : [];
  return [client, res, ...more];
}

function indexesOf({ first, last, what }: Line): number[] {
  const more = what.of === 'scopes' ? what.scopes : what.of === 'agents' ? what.agents : [];
  return [first, last, ...more.map(({ ix }) => ix)];
}
