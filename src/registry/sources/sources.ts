import { randomUUID } from 'node:crypto';
import { RescindError } from '../../contracts/index.js';
import { storedProfile, type ControlState, type Source, type SourceRecord } from '../../control/index.js';
import { authoredRecord, type Actor, type Change } from '../authored.js';
import type { Edit, Edits } from '../edits.js';
import { SourceInput, SourceUpdate, createReader } from '../inputs.js';
import { checkSourceAmong, sourceRecord } from './source-check.js';
import { sourceView, type SourceView } from '../views.js';

const readSource = createReader(SourceInput);
const readUpdate = createReader(SourceUpdate);

export interface SourceCommands {
  /**
   * Creates a source and its topic. Rejects with `already-exists` if another source has the name or the URI, or another tenant has the
   * topic or an issuer.
   */
  createSource(actor: Actor, input: unknown): Promise<SourceView>;
  /**
   * Replaces all members but those that never change. `signature` and `disabled` stay as they are unless they are stated. Takes what `getSource` answers.
   */
  updateSource(actor: Actor, nameOrId: string, input: unknown): Promise<SourceView>;
  /** Disables a source: no further events are accepted and its keys verify nothing. Recorded events stay. */
  disableSource(actor: Actor, nameOrId: string): Promise<SourceView>;
  listSources(actor: Actor): readonly SourceView[];
  getSource(actor: Actor, nameOrId: string): SourceView;
}

interface Dependencies {
  readonly edits: Edits;
  readonly state: ControlState;
  readonly createTopic: ((topic: string) => Promise<void>) | undefined;
  /** Hosts whose `jwks_uri` may be http if they are loopback. */
  readonly jwksAllowedHosts: readonly string[];
}

export function createSourceCommands({ edits, state, createTopic, jwksAllowedHosts }: Dependencies): SourceCommands {
  const edit = (actor: Actor, record: SourceRecord, change: Change): Edit<SourceView> => ({
    record: authoredRecord(
      'source.changed',
      actor,
      actor.tenant,
      { ...record, profile: storedProfile(record.profile) },
      change,
    ),
    narrows: change !== 'created',
    result: sourceView({ ...record, tenant: actor.tenant }),
    // The topic is created before the record, because a consumer that subscribes to a missing topic fails.
    ...(createTopic && !record.disabled ? { prepare: () => createTopic(record.topic) } : {}),
  });

  return {
    async createSource(actor, input) {
      const { name, uri, ...rest } = readSource(input);
      const record = sourceRecord({ id: randomUUID(), name, uri }, rest, false, jwksAllowedHosts);
      return edits.commit(actor, (now) => {
        checkSourceAmong(now, actor.tenant, record);
        return edit(actor, record, 'created');
      });
    },
    async updateSource(actor, nameOrId, input) {
      const { disabled, ...update } = readUpdate(input);
      return edits.commit(actor, (now) => {
        const before = findSource(now, actor, nameOrId);
        requireUnchanged(sourceView(before), update);
        // A change that does not state `signature` must not take events unsigned that had to be signed.
        const { signature = before.signature ?? 'optional' } = update;
        const record = sourceRecord(before, { ...update, signature }, disabled ?? before.disabled, jwksAllowedHosts);
        checkSourceAmong(now, actor.tenant, record);
        return edit(actor, record, record.disabled && !before.disabled ? 'disabled' : 'updated');
      });
    },
    disableSource: (actor, nameOrId) =>
      edits.commit(actor, (now) => {
        const { tenant: _, ...record } = findSource(now, actor, nameOrId);
        return edit(actor, { ...record, disabled: true }, 'disabled');
      }),
    listSources: (actor) =>
      [...state.sources()]
        .filter(({ tenant }) => tenant === actor.tenant)
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .map(sourceView),
    getSource: (actor, nameOrId) => sourceView(findSource(state, actor, nameOrId)),
  };
}

/** Members of a source's view that never change. Stated in a change, each must be what it is. */
const FIXED = ['id', 'tenant', 'name', 'uri', 'audience'] as const;

function requireUnchanged(source: SourceView, update: SourceUpdate): void {
  const changed = FIXED.find((member) => (update[member] ?? source[member]) !== source[member]);
  if (changed !== undefined)
    throw new RescindError('inconsistent-request', { detail: `\`${changed}\` of a source cannot change` });
}

function findSource(state: ControlState, actor: Actor, nameOrId: string): Source {
  const source = state.sourceByName(nameOrId) ?? state.source(nameOrId);
  if (source?.tenant !== actor.tenant) throw new RescindError('not-found', { detail: 'no source of this name or id' });
  return source;
}
