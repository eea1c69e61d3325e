import { setTimeout as delay } from 'node:timers/promises';
import {
  authorOf,
  instantText,
  RescindError,
  timeText,
  type FindingChanged,
  type Person,
} from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import { readPage, readParameters } from '../../query/index.js';
import type { FindingChanges as StoredChanges, StoredChange } from '../../settings/index.js';
import type { FindingChanges, FindingItem, FindingState } from '../ask/answers.js';
import type { Current, Findings } from '../ask/findings.pg.js';
import { tellOfChange } from '../news/tell.pg.js';
import { readChange, type Change, type SaidName } from './change-input.js';

/** Pause before entries that could not be written are tried again. */
const RETRY_MS = 10_000;

/** The part of a caller that decides what it may say. */
export interface Sayer {
  readonly id: string;
  readonly tenant: string;
  readonly person?: Person;
  readonly roles: { readonly revoke?: object };
}

/** Writes a change to the ledger; resolves to its index when it is durable. A change that is told again under its id has the same entry. */
export type TellChange = (change: {
  readonly tenant: string;
  readonly id: string;
  readonly atMs: number;
  readonly data: FindingChanged;
}) => Promise<bigint>;

export interface FindingStates {
  /** Changes the state of a finding. Resolves when the change is stored and in the ledger. What was said already is not said again. */
  change(caller: Sayer, id: string, body: unknown): Promise<FindingState>;
  /** Lists the changes of a finding. */
  changes(tenant: string, id: string, query: unknown): Promise<FindingChanges>;
  /** Writes the entries that a process which ended has left unwritten. */
  start(): void;
  stop(): Promise<void>;
}

export interface FindingStatesOptions {
  readonly findings: Findings;
  readonly stored: StoredChanges;
  readonly tell: TellChange;
  readonly tenants: () => Iterable<{ readonly id: string; readonly key: Uint8Array }>;
  readonly log: Log;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
}

/** The changes of findings by people. The row of a change comes first and counts at once; its ledger entry follows before the answer. */
export function createFindingStates(options: FindingStatesOptions): FindingStates {
  const { findings, stored, tell, tenants, log, now = Date.now } = options;
  const ending = new AbortController();
  let paying: Promise<void> | undefined;

  async function tellRow(row: StoredChange): Promise<StoredChange> {
    const entry = await tell({ tenant: row.tenant, id: `finding-change-${row.nth}`, atMs: row.at_ms, data: row.said });
    await stored.told(row, entry);
    return { ...row, entry: String(entry) };
  }

  async function payOwed(): Promise<void> {
    for (const { id } of tenants())
      for (let owed = await stored.owed(id); owed.length > 0 && !ending.signal.aborted; owed = await stored.owed(id))
        for (const row of owed) await tellRow(row);
  }

  async function keepPaying(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        return await payOwed();
      } catch (err) {
        log.warn({ err, retry_ms: RETRY_MS }, 'cannot write ledger entries of findings; retrying');
      }
      await delay(RETRY_MS, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
    }
  }

  const pay = (): void => {
    paying ??= keepPaying().finally(() => (paying = undefined));
  };

  return {
    async change(caller, id, body) {
      requireRight(caller);
      const change = readChange(body, Math.floor(now() / 1_000));
      const current = await findings.current(caller.tenant, id);
      requireSense(change, current);
      const finding = { tenant: caller.tenant, finding: id };
      const before = await stored.newest(finding);
      if (before !== null && saysTheSame(before, change, current)) {
        const told = before.entry === null ? await tellRow(before) : before;
        return stateOf(current.item, told.entry);
      }
      if (before === null && change.state === 'open' && change.same.length === 0) return stateOf(current.item, null);
      const atMs = now();
      const row = await stored.add(rowOf(caller, change, current, atMs), (client) =>
        tellOfChange(client, { tenant: caller.tenant, finding: id, nowMs: atMs, what: 'state-changed' }),
      );
      try {
        const { entry } = await tellRow(row);
        return stateOf((await findings.current(caller.tenant, id)).item, entry);
      } catch (error) {
        pay();
        throw error;
      }
    },
    async changes(tenant, id, query) {
      const parameters = readParameters(query, ['limit', 'cursor']);
      await findings.current(tenant, id);
      const key = [...tenants()].find((one) => one.id === tenant)!.key;
      const page = readPage(`finding-changes ${id}`, key, parameters);
      const rows = await stored.list(
        { tenant, finding: id },
        { below: Number(page.after?.[0] ?? 2 ** 31 - 1), limit: page.limit + 1 },
      );
      const { shown, next } = page.cut(rows, (last) => [String(last.nth)]);
      return { items: shown.map(changeOf), ...next };
    },
    start: pay,
    async stop() {
      ending.abort();
      await paying;
    },
  };
}

/** Begins from no: a caller that may stop anything in the tenant may say what needs no stopping. */
function requireRight({ roles: { revoke } }: Sayer): void {
  if (revoke === undefined || !('tenant' in revoke))
    throw new RescindError('forbidden', {
      detail: 'the state of a finding is changed by a caller that may revoke for the whole tenant',
    });
}

function requireSense({ state, same }: Change, { item, muted }: Current): void {
  const unnamed = same.find((name) => item[name] === null);
  if (unnamed !== undefined) throw inconsistent(`the finding names no ${unnamed}`);
  if (same.length > 0) return;
  if (item.closed_at !== null && state !== 'false-alarm' && state !== 'resolved')
    throw inconsistent(`its cause ended at ${item.closed_at}; new evidence opens it again`);
  if (state === 'open' && muted.length > 0)
    throw inconsistent(`its kind is muted for the same ${muted.join(', ')}; send that as \`same\` to end the mute`);
}

/** Whether a change says what was said last, and what was said still counts. */
function saysTheSame({ said, until_at, wide }: StoredChange, change: Change, { item }: Current): boolean {
  return (
    said.state === change.state &&
    said.reason === change.reason &&
    until_at === (change.until ?? null) &&
    (said.same ?? []).join() === change.same.join() &&
    (wide || item.state === change.state)
  );
}

function rowOf(
  sayer: Sayer,
  { state, reason, until, same, on_behalf_of }: Change,
  { item, read }: Current,
  atMs: number,
): Omit<StoredChange, 'nth'> {
  const entity = (name: Exclude<SaidName, 'source'>): number | null =>
    same.includes(name) ? (item[name]?.entity ?? null) : null;
  return {
    tenant: sayer.tenant,
    finding: item.id,
    kind: item.kind,
    state,
    until_at: until ?? null,
    wide: same.length > 0,
    usr: entity('user'),
    client: entity('client'),
    agent: entity('agent'),
    res: entity('resource'),
    source: same.includes('source') ? (item.source?.id ?? null) : null,
    read_ix: read,
    at_ms: atMs,
    said: {
      finding: item.id,
      nth: 0,
      kind: item.kind,
      about: aboutOf(item),
      ...(same.length > 0 ? { same: [...same] } : {}),
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(until === undefined ? {} : { until }),
      read,
      author: authorOf(sayer, { on_behalf_of }),
    },
    entry: null,
  };
}

/** Names whom a finding is about, as the ledger does. */
function aboutOf({ user, client, agent, resource, source }: FindingItem): FindingChanged['about'] {
  return {
    ...(user === null
      ? {}
      : { user: { iss: user.iss, ...(user.tenant === undefined ? {} : { tenant: user.tenant }), sub: user.sub } }),
    ...(client === null ? {} : { client: { iss: client.iss, client_id: client.client_id } }),
    ...(agent === null ? {} : { agent: { iss: agent.iss, id: agent.id } }),
    ...(resource === null ? {} : { resource: resource.uri }),
    ...(source === null ? {} : { source: source.id }),
  };
}

const stateOf = (
  { id, state, state_by, state_at, reason, muted_until }: FindingItem,
  entry: string | null,
): FindingState => ({ id, state, state_by, state_at, reason, muted_until, entry });

const changeOf = ({ nth, state, until_at, at_ms, said, entry }: StoredChange): FindingChanges['items'][number] => ({
  nth,
  state,
  reason: said.reason ?? null,
  until: until_at === null ? null : timeText(until_at),
  same: said.same ?? [],
  by: said.author,
  at: instantText(at_ms),
  entry,
});

const inconsistent = (detail: string): RescindError => new RescindError('inconsistent-request', { detail });
