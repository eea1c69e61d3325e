import { int4Array, loadSql } from '../../platform/postgres/index.js';
import type { UsageMoment } from './read.pg.js';

const USES = loadSql(import.meta.url, 'user-uses.sql');
const statementOf = (name: string, fill: Readonly<Record<'asked' | 'stored' | 'single', string>>): { readonly name: string; readonly text: string } => ({
  name,
  text: USES.replace('{asked}', fill.asked).replace('{stored}', fill.stored).replaceAll('{single}', fill.single),
});
const wanted = (of: string): string => `($4::int[] IS NULL OR ${of}.client = ANY ($4)) AND ($5::int[] IS NULL OR ${of}.res = ANY ($5))`;
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
  /** Allowed ones from the first and from the second of the times that were given. */
  readonly since: readonly [number, number];
  /** Epoch seconds: the first beginning and the last end. */
  readonly first: number;
  readonly last: number;
  /** Of allowed uses; null: there is none. */
  readonly firstUsed: number | null;
  readonly lastUsed: number | null;
  readonly agents: readonly number[];
}

/** By the time of access, epoch seconds: from ≤ at < to. */
export interface UseTimes {
  readonly window?: readonly [from: number | string, to: number | string];
  readonly since?: readonly [number, number];
}

interface UserFilter {
  readonly users: readonly number[];
  readonly clients?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
}

/** All that some users did, as of the moment: one statement. What was not used has no row. */
export const readUsesOfUsers = (moment: UsageMoment, { users, clients, resources }: UserFilter, times: UseTimes = {}): Promise<readonly UserUses[]> =>
  read(moment, OF_USERS, [users, clients, resources], times);

/** The same of some users, each with one client at one resource. */
export const readUsesOfGrants = (moment: UsageMoment, grants: readonly Held[], times: UseTimes = {}): Promise<readonly UserUses[]> =>
  read(moment, OF_GRANTS, [int4Array(grants.map(({ usr }) => usr)), int4Array(grants.map(({ client }) => client)), int4Array(grants.map(({ res }) => res))], times);

async function read(moment: UsageMoment, statement: typeof OF_USERS, whose: readonly unknown[], { window = EVER, since }: UseTimes): Promise<readonly UserUses[]> {
  const rows = await moment.rows<Row>(statement, [String(moment.index), ...whose, ...window, since?.[0], since?.[1]]);
  return rows.filter(({ accesses }) => accesses !== '0').map(usesOf);
}

const usesOf = ({ usr, client, res, accesses, allowed, since_one, since_two, first, last, first_used, last_used, agents }: Row): UserUses => ({
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
  /** Words, some of them more than once. */
  readonly agents: string | null;
}
