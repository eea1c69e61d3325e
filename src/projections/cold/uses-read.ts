/** Values of a use's columns: any of the ids. A fact counts only if it was known below the index of the read. */
export interface UsesWhere {
  readonly usr?: readonly number[] | undefined;
  readonly client?: readonly number[] | undefined;
  readonly agent?: readonly number[] | undefined;
  readonly res?: readonly number[] | undefined;
  readonly op?: number | undefined;
  readonly outcome?: number | undefined;
  readonly route?: number | undefined;
  readonly scope?: number | undefined;
  readonly addr?: number | undefined;
}

/**
 * The uses that a statement may read: those that meet all of these conditions. A statement gets the same answer if every cold use that its
 * own conditions select is among them; more of them cost time alone, unless `most` is given.
 */
export interface UsesRead extends UsesWhere {
  /** Uses below this index, by the facts that were known below it. Default: all uses, by all facts. */
  readonly index?: bigint | string | undefined;
  /** Only uses that are attributed below the index. */
  readonly attributed?: boolean;
  readonly tok?: readonly Buffer[] | undefined;
  /** Single uses. */
  readonly entries?: readonly string[];
  /** Time of the use: from ≤ at < to, epoch seconds. */
  readonly from?: number | string | undefined;
  readonly to?: number | string | undefined;
  /** Uses that came, or were bound, at or above this index. */
  readonly since?: bigint | undefined;
  /** Blocks of `bound_ix` (16,384 indexes each). */
  readonly blocks?: readonly number[];
  /** Only uses whose agent became known after their user. */
  readonly lateAgents?: true;
  /** Uses whose entry has a higher index. */
  readonly behind?: bigint;
  /** Uses that stand behind this position of a list, newest first. */
  readonly position?: readonly [at: string, ix: string];
  /** So many uses suffice: the first in this order, of each value of a column, or of all. The conditions must then be the statement's own. */
  readonly most?: {
    readonly rows: number;
    readonly order: 'newest' | 'oldest' | 'ledger';
    readonly of?: 'usr' | 'client' | 'agent' | 'res';
  };
}

/** The bounds of a tenant's cold uses, as `access_cold` has them. */
export interface ColdBounds {
  readonly endIx: bigint;
  readonly endAt: bigint;
}

/** Whether a read may select cold uses. */
export function meetsCold({ endIx, endAt }: ColdBounds, read: UsesRead): boolean {
  const { from, to, since, blocks, entries } = read;
  if (from !== undefined && BigInt(from) >= endAt) return false;
  if (from !== undefined && to !== undefined && BigInt(from) >= BigInt(to)) return false;
  if (since !== undefined && since >= endIx) return false;
  if (read.behind !== undefined && read.behind + 1n >= endIx) return false;
  if (blocks?.every((block) => BigInt(block) << 14n >= endIx)) return false;
  if (entries?.every((entry) => BigInt(entry) >= endIx)) return false;
  return ![read.usr, read.client, read.agent, read.res, read.tok].some((ids) => ids?.length === 0);
}

type Rows = <R extends Record<string, unknown>>(sql: string, values?: readonly unknown[]) => Promise<R[]>;

/** Says which uses a statement reads with these values (`$2` and on). `rows` reads in the same snapshot. */
export type ReadsUses = (values: readonly unknown[], rows: Rows) => readonly UsesRead[] | Promise<readonly UsesRead[]>;

/** Reads uses that lie in the archive alone. `explore` does. */
export interface ColdUses {
  /** The most uses that one question may lay beside the others. */
  readonly most: number;
  /**
   * Reads the uses as lines of {@link COLD_COLUMNS}, a thousand lines a text. `rows` reads of the tenant in the snapshot of the question.
   * Rejects if there are more than `most`, and if a file of the archive is missing or damaged.
   */
  read(asked: {
    readonly tenant: string;
    readonly rows: Rows;
    readonly reads: readonly UsesRead[];
    readonly most: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<readonly ColdLines[]>;
}

export interface ColdLines {
  readonly lines: string;
  readonly uses: number;
}

/** Columns of a line, separated by `|`, in the text format of PostgreSQL; an empty one is null. */
export const COLD_COLUMNS = [
  ['ix', 'bigint'],
  ['bound_ix', 'bigint'],
  ['at', 'bigint'],
  ['until_at', 'bigint'],
  ['usr', 'int'],
  ['client', 'int'],
  ['agent', 'int'],
  ['res', 'int'],
  ['scopes', 'int[]'],
  ['op', 'smallint'],
  ['outcome', 'smallint'],
  ['status', 'int'],
  ['route', 'int'],
  ['addr', 'int'],
  ['source', 'uuid'],
  ['tok', 'bytea'],
  ['n', 'bigint'],
  ['records', 'bigint'],
  ['bytes', 'bigint'],
  ['agent_ix', 'bigint'],
  ['res_bound', 'boolean'],
  ['foreign_ix', 'bigint'],
] as const;
