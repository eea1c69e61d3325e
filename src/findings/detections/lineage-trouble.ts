import { loadSql } from '../../platform/postgres/index.js';
import { COUNT_ARRIVED, type Prepared } from '../../projections/index.js';
import type { Detection, Evidence, Step } from '../detection.js';
import { bySql, prepared } from '../fresh.js';

const CONTRADICTED = bySql(prepared('lineage-trouble', loadSql(import.meta.url, 'lineage-trouble.sql')));
const NOBODYS: Prepared = {
  name: 'finding-lineage-nobodys',
  text: loadSql(import.meta.url, 'lineage-nobodys.sql'),
  uses: ([from, , to]) => [{ since: BigInt(from as string), index: to as string }],
};
const UNTOLD: Prepared = {
  name: 'finding-lineage-untold',
  text: loadSql(import.meta.url, 'lineage-untold.sql'),
};
const KIND = 'lineage-trouble';
const HOUR_MS = 3_600_000;
/** A use may wait for its token so long. */
const NOBODYS_MS = 5 * HOUR_MS;
/** A token may wait for its ID-JAG so long. */
const UNTOLD_MS = 24 * HOUR_MS;
/** An IdP tells of its ID-JAGs if it told of this share of those before, each of which weighs a hundredth less than the next. */
const TOLD_SHARE = 0.9;
const WEIGHT = 0.99;
/** The weight of the ID-JAGs before, below which an IdP is not known. */
const LEAST_WEIGHT = 10;

export const lineageTrouble: Detection = {
  kind: KIND,
  severity: 'medium',
  means: 'Nobody can say for certain whose a token is: events contradict each other, or one of them does not come.',
  next: 'Check the source that told of the token, and the one that did not. A token that is contradicted is never active again.',
  looks: `Two events that contradict each other about a token or an ID-JAG; tokens that state another user, session or agent than the IdP says of their ID-JAG; uses whose token had not come ${NOBODYS_MS / HOUR_MS} hours later; tokens whose ID-JAG had not come ${UNTOLD_MS / HOUR_MS} hours later, if their IdP told of ${TOLD_SHARE * 100} % before.`,
  stop: [['token']],
  see: 'access',
  says: ({ count, client, user, source, details }) =>
    ({
      nobody: `${count} uses at ${source} were nobody’s ${String(details['hours'])} hours later: their token had not come.`,
      untold: `${client} got a token of ${user} for an ID-JAG of which ${String(details['iss'])} did not tell.`,
      misstated: `${source} states ${String(details['stated'])} for a token of ${client}, whose ID-JAG is for ${user}.`,
      contradicted: `Events contradict each other about a token of ${client}.`,
    })[String(details['how'])] ?? '',
  find: async (step) => [...(await CONTRADICTED(step)), ...(await findNobodys(step)), ...(await findUntold(step))],
};

/** Returns the indexes of the entries that came so long before the step's end that their time to wait ran out within the step. */
async function waited({ snapshot, beforeMs, nowMs, to }: Step, waitMs: number): Promise<readonly [string, string]> {
  const counted = async (ms: number): Promise<string> =>
    (await snapshot.rows<{ index: string }>(COUNT_ARRIVED, [ms, String(to)]))[0]!.index;
  return [await counted(beforeMs - waitMs), await counted(nowMs - waitMs)];
}

async function findNobodys(step: Step): Promise<readonly Evidence[]> {
  const [from, to] = await waited(step, NOBODYS_MS);
  return from === to ? [] : step.snapshot.rows<Evidence>(NOBODYS, [from, to, String(step.to), NOBODYS_MS]);
}

interface Row extends Record<string, unknown> {
  readonly tok: string;
  readonly ix: string;
  readonly usr: number | null;
  readonly client: number;
  readonly agent: number | null;
  readonly res: number;
  readonly source: string;
  readonly iat: string;
  readonly iss: string;
  readonly jti: string | null;
  readonly told: boolean;
}

/** The ID-JAGs of an IdP that were looked at, and those of them that it told of. The older they are, the less they weigh. */
interface Told {
  readonly all: number;
  readonly told: number;
}

async function findUntold(step: Step): Promise<readonly Evidence[]> {
  const [from, to] = await waited(step, UNTOLD_MS);
  if (from === to) return [];
  const rows = await step.snapshot.rows<Row>(UNTOLD, [from, to, String(step.to), UNTOLD_MS]);
  const issuers = new Map(await step.memory.read<Told>(KIND));
  return rows.flatMap((row) => {
    const { all, told } = issuers.get(row.iss) ?? { all: 0, told: 0 };
    const next = { all: all * WEIGHT + 1, told: told * WEIGHT + (row.told ? 1 : 0) };
    issuers.set(row.iss, next);
    step.memory.keep(KIND, row.iss, next);
    return row.told || all < LEAST_WEIGHT || told < TOLD_SHARE * all ? [] : [untold(row)];
  });
}

const untold = ({ tok, ix, usr, client, agent, res, source, iat, iss, jti }: Row): Evidence => ({
  subject: `untold ${tok}`,
  usr,
  client,
  agent,
  res,
  tok,
  source,
  count: 1,
  first_at: iat,
  last_at: iat,
  entries: [ix],
  details: { how: 'untold', iss, jti },
});
