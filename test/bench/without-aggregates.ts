import type { Pool, PoolClient } from '../../src/platform/postgres/index.js';

type Replacement = string | undefined;

/** Replacements of the statements that write aggregates, each found by a part of its text. Undefined: the batch sends nothing instead. */
const REPLACEMENTS: readonly (readonly [known: string, replace: (text: string) => Replacement])[] = [
  ['INSERT INTO use_total', usesAlone],
  ['INSERT INTO edge_grant', () => undefined],
  ['INSERT INTO client_user', () => undefined],
  ['INSERT INTO edge_seen', () => undefined],
  ['INSERT INTO source_count', () => undefined],
  ['INSERT INTO use_usr (', () => undefined],
];

/** Binding and writing uses, and `first_use`: what the statement was before there were aggregates. */
function usesAlone(text: string): string {
  const part = (from: string, to: string): string => {
    const [start, end] = [text.indexOf(from), text.indexOf(to)];
    if (start === -1 || end < start)
      throw new Error(`the statement that writes uses has no \`${from}\` before \`${to}\``);
    return text.slice(start, end);
  };
  const firstUse = part('INSERT INTO first_use', '),\nedge_scope_used_kept');
  return `${part('WITH bound', 'counted AS MATERIALIZED')}${part('used AS MATERIALIZED', ',\nfirst_use_kept')}${firstUse}`;
}

/**
 * Lets the sessions of a pool, and the benchmark's alone, leave out what writes aggregates. Answers with a check that each statement was
 * met: one that goes by another name now would be measured on both sides.
 */
export function leaveOutAggregates(pool: Pool): () => void {
  const met = new Set<string>();
  pool.on('connect', (client: PoolClient) => {
    const send = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((text: unknown, ...rest: unknown[]) => {
      const found = typeof text === 'string' ? REPLACEMENTS.find(([known]) => text.includes(known)) : undefined;
      if (found === undefined) return send(text, ...rest);
      met.add(found[0]);
      const replacement = found[1](text as string);
      return replacement === undefined ? Promise.resolve({ rows: [], rowCount: 0 }) : send(replacement, ...rest);
    }) as typeof client.query;
  });
  return () => {
    const missed = REPLACEMENTS.filter(([known]) => !met.has(known));
    if (missed.length > 0) throw new Error(`no batch sent: ${missed.map(([known]) => known).join(', ')}`);
  };
}
