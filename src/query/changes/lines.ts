import type { ChangeItem } from './answers.js';

/**
 * A line of the answer before its ids get names and its indexes times. Indexes are numbers: 2^53 entries are out of
 * reach.
 */
export interface Line {
  readonly kind: ChangeItem['kind'];
  readonly client: number;
  readonly res: number | null;
  readonly first: number;
  readonly last: number;
  readonly what: What;
}

type StateCode = 0 | 1 | 2;

export type What =
  | {
      readonly of: 'connection';
      readonly id: string;
      readonly idpClient: number;
      readonly before: StateCode | null;
      readonly after: StateCode;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly agent: number | null;
    }
  | { readonly of: 'pair' }
  | { readonly of: 'grants'; readonly grants: number; readonly added?: readonly string[]; readonly atLeast: boolean }
  | { readonly of: 'scopes'; readonly scopes: readonly { readonly scope: string; readonly ix: number }[] }
  | {
      readonly of: 'agents';
      readonly agents: readonly { readonly agent: number; readonly ix: number; readonly fresh: boolean }[];
    }
  | { readonly of: 'users'; readonly users: number }
  | {
      readonly of: 'use';
      readonly user: number | null;
      readonly agent: number | null;
      readonly at: number;
      readonly access: number;
      readonly lastAt: number;
      readonly uses: number;
      readonly tokens: number;
      /** There may be more uses, earlier ones. */
      readonly atLeast: boolean;
      readonly rule: string;
      readonly state: 'ordered' | 'lifted';
      /**
       * Set if some uses came after the block had ended: what ended it, when (epoch seconds), and the entry of the
       * enabling.
       */
      readonly ended:
        | { readonly by: 'enabling' | 'until'; readonly at: number; readonly entry: number | null }
        | undefined;
      readonly selector: Readonly<Record<string, unknown>>;
    };

export interface ConnectionChange {
  readonly id: string;
  readonly client: number;
  readonly idpClient: number;
  readonly res: number;
  readonly before: StateCode | null;
  readonly after: StateCode;
  readonly agentBefore: number | null;
  readonly agentAfter: number | null;
  readonly scopesBefore: readonly string[];
  readonly scopesAfter: readonly string[];
  /** Index of the entry that made the change. */
  readonly ix: number;
}

const DELETED = 0;

/** Describes one step of a connection; undefined if the step changed nothing. */
export function lineOfConnection(change: ConnectionChange): Line | undefined {
  const { before, after, scopesBefore, scopesAfter } = change;
  const stood = before !== null && before !== DELETED;
  const stands = after !== DELETED;
  const added = stands ? scopesAfter.filter((scope) => !stood || !scopesBefore.includes(scope)) : [];
  const removed = stood ? scopesBefore.filter((scope) => !stands || !scopesAfter.includes(scope)) : [];
  const same = before === after && added.length + removed.length === 0 && change.agentBefore === change.agentAfter;
  if (same) return undefined;
  const kind =
    stands === stood && before !== null
      ? 'connection-changed'
      : !stands
        ? 'connection-vanished'
        : before === null
          ? 'connection-appeared'
          : 'connection-returned';
  const { id, client, idpClient, res, agentAfter: agent, ix } = change;
  return {
    kind,
    client,
    res,
    first: ix,
    last: ix,
    what: { of: 'connection', id, idpClient, before, after, added, removed, agent },
  };
}

export interface OnceRow {
  readonly what: 'granted' | 'used' | 'unrecorded' | 'acting';
  readonly client: number;
  readonly res: number;
  readonly name: string | null;
  readonly id: number | null;
  readonly ix: number;
  readonly fresh: boolean;
}

const ONCE_KINDS = {
  granted: 'scopes-granted',
  used: 'scopes-used',
  unrecorded: 'unrecorded-appeared',
  acting: 'agents-appeared',
} as const;

/** Builds one line for each pair and kind, with all its scopes or agents. `rows` come in the order of their indexes. */
export function linesOfOnce(rows: readonly OnceRow[]): Line[] {
  const groups = new Map<string, OnceRow[]>();
  for (const row of rows) {
    const key = `${row.what} ${row.client} ${row.res}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group): Line => {
    const { what, client, res, ix: first } = group[0]!;
    return { kind: ONCE_KINDS[what], client, res, first, last: group.at(-1)!.ix, what: whatOfOnce(what, group) };
  });
}

function whatOfOnce(what: OnceRow['what'], group: readonly OnceRow[]): What {
  if (what === 'unrecorded') return { of: 'pair' };
  if (what === 'acting') return { of: 'agents', agents: group.map(({ id, ix, fresh }) => ({ agent: id!, ix, fresh })) };
  return { of: 'scopes', scopes: group.map(({ name, ix }) => ({ scope: name!, ix })) };
}

/** Sorts lines newest first; lines of one entry by kind, then by ids. */
export function sortLines(lines: readonly Line[], order: readonly ChangeItem['kind'][]): readonly Line[] {
  const place = new Map(order.map((kind, nth) => [kind, nth]));
  const nameOf = ({ what }: Line): string =>
    what.of === 'connection'
      ? what.id
      : what.of === 'use'
        ? `${what.rule} ${what.state} ${what.user} ${what.agent}`
        : '';
  return [...lines].sort(
    (one, other) =>
      other.last - one.last ||
      place.get(one.kind)! - place.get(other.kind)! ||
      one.client - other.client ||
      (one.res ?? 0) - (other.res ?? 0) ||
      (nameOf(one) < nameOf(other) ? -1 : 1),
  );
}
