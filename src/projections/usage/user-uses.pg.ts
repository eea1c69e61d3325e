import { int4Array, loadSql } from '../../platform/postgres/index.js';
import type { UsesRead } from '../cold/uses-read.js';
import { USER_BLOCK_BITS } from './blocks.js';
import type { UsageMoment } from './read.pg.js';

const USES = loadSql(import.meta.url, 'user-uses.sql');
const statementOf = (
  name: string,
  fill: Readonly<Record<'asked' | 'stored' | 'single', string>>,
): { readonly name: string; readonly text: string } => ({
  name,
  text: USES.replace('{asked}', fill.asked).replace('{stored}', fill.stored).replaceAll('{single}', fill.single),
});
const wanted = (of: string): string =>
  `($4::int[] IS NULL OR ${of}.client = ANY ($4)) AND ($5::int[] IS NULL OR ${of}.res = ANY ($5))`;
const OF_USERS = statementOf('uses-of-users', {
  asked: 'unnest($3::int[]) AS d (usr)',
  stored: `u.usr = d.usr AND ${wanted('u')}`,
  single: wanted('a'),
});
const OF_GRANTS = statementOf('uses-of-grants', {
  asked: 'unnest($3::int[], $4::int[], $5::int[]) AS d (usr, client, res)',
  stored: 'u.usr = d.usr AND u.client = d.client AND u.res = d.res',
  single: '((a.usr, a.client, a.res) IN (SELECT usr, client, res FROM asked)) IS TRUE',
});
const EVER = ['0', String(2n ** 63n - 1n)] as const;

interface Held {
  readonly usr: number;
  readonly client: number;
  readonly res: number;
}

export interface UserUses extends Held {
  readonly accesses: number;
  readonly allowed: number;
  /** Allowed uses from the first and from the second time of `UseTimes.since` on. */
  readonly since: readonly [number, number];
  /** Beginning of the first use, and `last`, end of the last: epoch seconds. */
  readonly first: number;
  readonly last: number;
  /** The same for allowed uses, with `lastUsed`; null if there are none. */
  readonly firstUsed: number | null;
  readonly lastUsed: number | null;
  readonly agents: readonly number[];
}

/** Limits by the time of access, epoch seconds: from ≤ at < to. `since`: two times from which allowed uses are also counted. */
export interface UseTimes {
  readonly window?: readonly [from: number | string, to: number | string];
  readonly since?: readonly [number, number];
}

interface UserFilter {
  readonly users: readonly number[];
  readonly clients?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
}

/** Reads the uses of some users as of the moment, in one statement. A client and resource that a user did not use have no row. */
export const readUsesOfUsers = (
  moment: UsageMoment,
  { users, clients, resources }: UserFilter,
  times: UseTimes = {},
): Promise<readonly UserUses[]> =>
  read(
    moment,
    { ...OF_USERS, whose: [users, clients, resources], single: { usr: users, client: clients, res: resources } },
    times,
  );

/** Reads the uses of some grants: each a user with one client at one resource. */
export const readUsesOfGrants = (
  moment: UsageMoment,
  grants: readonly Held[],
  times: UseTimes = {},
): Promise<readonly UserUses[]> =>
  read(
    moment,
    {
      ...OF_GRANTS,
      whose: [
        int4Array(grants.map(({ usr }) => usr)),
        int4Array(grants.map(({ client }) => client)),
        int4Array(grants.map(({ res }) => res)),
      ],
      single: {
        usr: distinct(grants.map(({ usr }) => usr)),
        client: distinct(grants.map(({ client }) => client)),
        res: distinct(grants.map(({ res }) => res)),
      },
    },
    times,
  );

const distinct = (ids: readonly number[]): readonly number[] => [...new Set(ids)];

interface Asked {
  readonly name: string;
  readonly text: string;
  /** `$3` to `$5`. */
  readonly whose: readonly unknown[];
  /** Names that the single uses have. */
  readonly single: Pick<UsesRead, 'usr' | 'client' | 'res'>;
}

async function read(
  moment: UsageMoment,
  { name, text, whose, single }: Asked,
  times: UseTimes,
): Promise<readonly UserUses[]> {
  const { window = EVER, since } = times;
  const statement = {
    name,
    text,
    uses: () => readsOf(moment, single, times),
  };
  const rows = await moment.rows<Row>(statement, [String(moment.index), ...whose, ...window, since?.[0], since?.[1]]);
  return rows.filter(({ accesses }) => accesses !== '0').map(usesOf);
}

/** The blocks of sums that a limit of time cuts, as in user-uses.sql. */
const CUT_BLOCKS = `
  SELECT DISTINCT blk FROM use_usr
  WHERE tenant = $1 AND usr = ANY ($2::int[]) AND blk < $3::int AND last_at >= $4::bigint AND first_at < $5::bigint
    AND (first_at < $4 OR last_at >= $5 OR coalesce(first_at < $6::bigint AND last_at >= $6, false) OR coalesce(first_at < $7::bigint AND last_at >= $7, false))`;

/** The single uses: those after the closed blocks, those of blocks that are cut, and those whose agent became known later. */
async function readsOf(
  { index, rows }: UsageMoment,
  single: Asked['single'],
  { window: [from, to] = EVER, since }: UseTimes,
): Promise<readonly UsesRead[]> {
  const block = index >> USER_BLOCK_BITS;
  const times = { index, from, to, ...single };
  const cut = await rows<{ blk: number }>(CUT_BLOCKS, [single.usr, Number(block), from, to, since?.[0], since?.[1]]);
  return [
    { ...times, since: block << USER_BLOCK_BITS },
    ...(cut.length === 0 ? [] : [{ ...times, blocks: cut.map(({ blk }) => blk) }]),
    { ...times, lateAgents: true },
  ];
}

const usesOf = ({
  usr,
  client,
  res,
  accesses,
  allowed,
  since_one,
  since_two,
  first,
  last,
  first_used,
  last_used,
  agents,
}: Row): UserUses => ({
  usr,
  client,
  res,
  accesses: Number(accesses),
  allowed: Number(allowed),
  since: [Number(since_one), Number(since_two)],
  first: Number(first),
  last: Number(last),
  firstUsed: numberOrNull(first_used),
  lastUsed: numberOrNull(last_used),
  agents: agents === null ? [] : [...new Set(agents.split(' ').map(Number))],
});

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));

interface Row {
  readonly [column: string]: unknown;
  readonly usr: number;
  readonly client: number;
  readonly res: number;
  readonly accesses: string;
  readonly allowed: string;
  readonly since_one: string;
  readonly since_two: string;
  readonly first: string;
  readonly last: string;
  readonly first_used: string | null;
  readonly last_used: string | null;
  /** Ids separated by spaces, with duplicates. */
  readonly agents: string | null;
}
