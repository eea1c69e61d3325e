import { timeText } from '../../contracts/index.js';
import { orNull, type Names } from '../ask/names.pg.js';
import { outcomeOf } from '../ask/entity-kinds.js';
import type { Reader } from '../ask/reader.js';
import { reasonOf } from '../lists/inactive.pg.js';
import type { TimelineItem } from './answers.js';
import type { GrantRow, IssuedRow, Line, RunRow, SaidRow } from './lines.js';

const timeOf = (ms: number | string): string => timeText(Math.floor(Number(ms) / 1_000));
/** The ids of a folded line are 0 if it has none. */
const known = (id: number | null): number | null => (id === 0 ? null : id);

/** Lists the ids whose names a line shows. */
export function entitiesOf({ kind, row }: Line): readonly (number | null)[] {
  switch (kind) {
    case 'rule':
      return [];
    case 'account':
    case 'connection':
    case 'denial':
      return [row.usr, row.client, row.agent, ...row.res];
    case 'conflict':
    case 'refusal':
      return [row.usr, row.client];
    case 'issued':
      return [row.usr, row.client, row.agent, ...row.res];
    case 'name':
      return [row.id];
    case 'grant':
    case 'use':
      return [row.usr, row.client, known(row.agent), row.res];
  }
}

/** Gives the ids of a line their names. */
export function describeLine(line: Line, names: Names, reader: Reader): TimelineItem {
  const { kind, row } = line;
  const at = timeOf(line.atMs);
  switch (kind) {
    case 'rule': {
      const { what, rule, effect, selector, reason, resumes, author: by } = row;
      return {
        kind,
        at,
        index: orNull(row.ix, String),
        what,
        rule,
        effect,
        selector: { ...selector },
        reason,
        resumes,
        by,
      };
    }
    case 'account':
    case 'connection':
    case 'denial':
      return { kind, at, ...saidOf(row, names, reader) } as TimelineItem;
    case 'conflict':
      return {
        kind,
        at,
        index: String(row.ix),
        of: row.of,
        id: idOf(row.key),
        user: orNull(row.usr, names.user),
        client: names.client(row.client),
      };
    case 'refusal':
      return {
        kind,
        at,
        index: null,
        token: idOf(row.key),
        source: reader.source(row.source),
        user: orNull(row.usr, names.user),
        client: names.client(row.client),
        ...reasonOf(row),
      };
    case 'issued':
      return { kind, at, ...issuedOf(row, names, reader) };
    case 'name':
      return {
        kind,
        at,
        index: String(row.ix),
        user: line.of === 'user' ? names.user(row.id) : null,
        client: line.of === 'client' ? names.client(row.id) : null,
        agent: line.of === 'agent' ? names.agent(row.id) : null,
        resource: line.of === 'resource' ? names.resource(row.id) : null,
      };
    case 'grant':
      return { kind, at, ...grantOf(row, names) };
    case 'use':
      return { kind, at, ...runOf(row, names) };
  }
}

const idOf = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');

const issuedOf = (
  { ix, of, key, source, usr, client, agent, res, scope }: IssuedRow,
  names: Names,
  reader: Reader,
) => ({
  index: String(ix),
  of,
  id: idOf(key),
  source: reader.source(source),
  user: orNull(usr, names.user),
  client: names.client(client),
  agent: orNull(agent, names.agent),
  resources: res.map(names.resource),
  ...(scope === null ? {} : { scope }),
});

const saidOf = ({ ix, name, source, usr, client, agent, res, details }: SaidRow, names: Names, reader: Reader) => ({
  index: String(ix),
  event: name,
  source: reader.source(source),
  user: orNull(usr, names.user),
  client: orNull(client, names.client),
  agent: orNull(agent, names.agent),
  resources: res.map(names.resource),
  ...details,
});

const grantOf = ({ ix, again, n, usr, client, agent, res, added, first_ms, at_ms }: GrantRow, names: Names) => ({
  index: String(ix),
  what: again ? ('grew' as const) : ('granted' as const),
  user: orNull(usr, names.user),
  client: names.client(client),
  agent: orNull(known(agent), names.agent),
  resource: names.resource(res),
  grants: n,
  scopes_added: [...new Set(added.flatMap((scopes) => JSON.parse(scopes) as string[]))].sort(),
  first: timeOf(first_ms),
  last: timeOf(at_ms),
});

const runOf = (row: RunRow, names: Names) => ({
  index: String(row.ix),
  outcome: outcomeOf(row.outcome),
  user: orNull(row.usr, names.user),
  client: orNull(row.client, names.client),
  agent: orNull(row.agent, names.agent),
  resource: orNull(row.res, names.resource),
  accesses: row.n,
  operations: {
    read: row.reads,
    write: row.writes,
    delete: row.deletes,
    export: row.exports,
    admin: row.admins,
  },
  records: row.records,
  bytes: row.bytes,
  first: timeText(row.first),
  last: timeText(row.last),
});
