import { authorOf, instantText, RescindError, type DetectionChanged, type Person } from '../../contracts/index.js';
import type { Log } from '../../platform/log/index.js';
import type { DetectionChanges, StoredDetectionChange } from '../../settings/index.js';
import type { Detection } from '../detection.js';
import { DETECTIONS } from '../detections.js';
import { readAction, type ActionInput } from './action-input.js';
import type { DetectionItem, DetectionList } from './answers.js';

/** Times that a change is numbered anew because another one came first. */
const MAX_ATTEMPTS = 20;

/** Writes a change to the ledger; resolves to its index when it is durable. What is told again under an id has the same entry. */
export type TellDetection = (change: {
  readonly tenant: string;
  readonly id: string;
  readonly atMs: number;
  readonly data: DetectionChanged;
}) => Promise<bigint>;

/** The part of a caller that a change needs. */
export interface Setter {
  readonly id: string;
  readonly tenant: string;
  readonly person?: Person;
}

export interface DetectionActions {
  list(tenant: string): Promise<DetectionList>;
  /** Sets the action of a detection. Resolves when the change is stored and in the ledger. What is set already is not set again. */
  set(caller: Setter, kind: string, body: unknown): Promise<DetectionItem>;
  /** Writes the ledger entries that a process which ended has left owing. */
  payOwed(): Promise<void>;
}

export interface DetectionActionsOptions {
  readonly stored: Pick<DetectionChanges, 'add' | 'newest' | 'owed' | 'told'>;
  readonly tell: TellDetection;
  readonly tenants: () => Iterable<{ readonly id: string }>;
  readonly log: Log;
  /** Returns epoch milliseconds. */
  readonly now?: () => number;
}

/** The actions of detections, as administrators set them. The row of a change comes first; a detection acts by it once the ledger tells it. */
export function createDetectionActions({
  stored,
  tell,
  tenants,
  log,
  now = Date.now,
}: DetectionActionsOptions): DetectionActions {
  async function tellRow(row: StoredDetectionChange): Promise<StoredDetectionChange> {
    const id = `detection-${row.kind}-${row.nth}`;
    const entry = await tell({ tenant: row.tenant, id, atMs: row.at_ms, data: row.said });
    await stored.told(row, entry);
    return { ...row, entry: String(entry) };
  }

  async function payOwedOf(tenant: string): Promise<void> {
    for (let owed = await stored.owed(tenant); owed.length > 0; owed = await stored.owed(tenant))
      for (const row of owed) await tellRow(row);
  }

  async function newestOf(tenant: string, kind: string): Promise<StoredDetectionChange | undefined> {
    return (await stored.newest(tenant)).find((row) => row.kind === kind);
  }

  return {
    async list(tenant) {
      const newest = new Map((await stored.newest(tenant)).map((row) => [row.kind, row]));
      return { items: DETECTIONS.map((detection) => itemOf(detection, newest.get(detection.kind))) };
    },

    async set(setter, kind, body) {
      const { tenant } = setter;
      const detection = DETECTIONS.find((one) => one.kind === kind);
      if (detection === undefined)
        throw new RescindError('not-found', { detail: 'there is no detection of this kind' });
      const { on_behalf_of, ...input } = readAction(detection, body);
      await payOwedOf(tenant);
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
        const before = await newestOf(tenant, kind);
        if (before !== undefined && saysTheSame(before.said, input)) return itemOf(detection, await told(before));
        const nth = (before?.nth ?? 0) + 1;
        const said = { kind, nth, ...input, author: authorOf(setter, { on_behalf_of }) };
        const row: StoredDetectionChange = { tenant, kind, nth, at_ms: now(), said, entry: null };
        if (await stored.add(row)) return itemOf(detection, await tellRow(row));
      }
      throw new RescindError('edit-conflict', { retryable: true });
    },

    async payOwed() {
      for (const { id } of tenants())
        await payOwedOf(id).catch((err: unknown) =>
          log.warn({ err }, 'cannot write ledger entries of detections; the next change of one tries again'),
        );
    },
  };

  async function told(row: StoredDetectionChange): Promise<StoredDetectionChange> {
    return row.entry === null ? tellRow(row) : row;
  }
}

const saysTheSame = ({ action, cap }: DetectionChanged, wanted: Pick<ActionInput, 'action' | 'cap'>): boolean =>
  action === wanted.action &&
  cap.users === wanted.cap.users &&
  cap.tokens === wanted.cap.tokens &&
  cap.per_hour === wanted.cap.per_hour;

const itemOf = (
  { kind, severity, means, next, looks, stop }: Detection,
  row: StoredDetectionChange | undefined,
): DetectionItem => ({
  kind,
  severity,
  means,
  next,
  looks,
  stopped_by: [...(stop[0] ?? [])],
  action: row?.said.action ?? 'off',
  cap: row?.said.cap ?? null,
  set_by: row?.said.author ?? null,
  set_at: row === undefined ? null : instantText(row.at_ms),
  entry: row?.entry ?? null,
});
