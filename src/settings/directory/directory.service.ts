import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import {
  DIRECTORY_KINDS,
  entryOf,
  need,
  readParameters,
  type DirectoryEntry,
  type DirectoryKind,
} from '../../query/index.js';
import { ruleKey, ruleKeyToBytes, type Parts } from '../../rules/index.js';
import { SETTING_FACTS, type SettingFacts } from '../setting-facts.js';
import type { ImportAnswer } from './answers.js';
import { readDirectoryFile } from './import-file.js';
import { isNamedAlone, orInvalid, partsOf, readOwned, readRow, type DirectoryRow } from './rows.js';
import { readScimUser } from './scim-user.js';
import { StoredEntry } from './stored-entry.entity.js';

const USER_NAME_PARAMETERS = ['iss', 'tenant'];
const OTHER_NAME_PARAMETERS = ['iss'];
const PRIMARY_KEY = ['tenant', 'kind', 'key'];
/** Columns of which a change makes another entry. */
const SAID = ['display_name', 'user_name', 'emails', 'active', 'owner', 'team', 'tags'] as const;
/** Entries of a file that one statement takes. Between two statements other requests of the process run. */
const ENTRIES_A_STATEMENT = 1_000;
const saidOf = (table: string): string => SAID.map((column) => `${table}.${column}`).join(', ');
const WRITE_ENTRIES = loadSql(import.meta.url, 'write-entries.sql')
  .replaceAll('{said}', SAID.join(', '))
  .replaceAll('{given}', saidOf('g'))
  .replaceAll('{stored}', saidOf('d'))
  .replaceAll('{excluded}', saidOf('excluded'));

export interface Writer {
  readonly id: string;
  readonly tenant: string;
}

/** An entry as it is given. Tags that are not given are null. */
type Given = Omit<StoredEntry, 'tags'> & { readonly tags: readonly string[] | null };

/** Changes names, owners, teams and tags for people to read. No decision reads them. */
@Injectable()
export class DirectoryService {
  readonly #entries: Repository<StoredEntry>;
  readonly #facts: SettingFacts;

  constructor(
    @InjectRepository(StoredEntry) entries: Repository<StoredEntry>,
    @Inject(SETTING_FACTS) facts: SettingFacts,
  ) {
    this.#entries = entries;
    this.#facts = facts;
  }

  /** Creates or replaces one entry. An entry that says the same is not written. Rejects with `invalid-request`. */
  async put(writer: Writer, kind: DirectoryKind, id: string, query: unknown, body: unknown): Promise<DirectoryEntry> {
    const name = readName(kind, id, query);
    const row = orInvalid(() => readRow(kind, name, kind === 'user' ? readScimUser(body) : readOwned(kind, body)));
    const given = this.#toStore(writer, row);
    const before = await this.#find(given);
    const entry: StoredEntry = { ...given, tags: [...(given.tags ?? before?.tags ?? [])] };
    if (before !== null && saysTheSame(before, entry)) return entryOf(before);
    await this.#entries.upsert(entry, PRIMARY_KEY);
    return entryOf(entry);
  }

  /** Removes one entry and returns it. Rejects with `not-found`. */
  async remove({ tenant }: Writer, kind: DirectoryKind, id: string, query: unknown): Promise<DirectoryEntry> {
    const name = readName(kind, id, query);
    const parts = orInvalid(() => partsOf(kind, name));
    const entry = await this.#find({ tenant, kind: DIRECTORY_KINDS[kind], key: this.#keyOf(tenant, kind, parts) });
    if (entry === null) throw new RescindError('not-found', { detail: 'the directory has no such entry' });
    await this.#entries.delete(primaryKeyOf(entry));
    return entryOf(entry);
  }

  /**
   * Puts the entries of a file, all or none; entries that the file does not name stay. The same file again changes
   * nothing.
   */
  async importFile(writer: Writer, bytes: Uint8Array, mediaType: string): Promise<ImportAnswer> {
    const given = readDirectoryFile(bytes, mediaType).map((row) => this.#toStore(writer, row));
    // Two imports of the same entries take their rows in the same order, so that neither waits for the other for ever.
    given.sort((one, other) => Buffer.compare(one.key, other.key));
    const counts = { entries: given.length, created: 0, changed: 0, unchanged: 0 };
    await this.#entries.manager.transaction(async (manager) => {
      for (let from = 0; from < given.length; from += ENTRIES_A_STATEMENT) {
        const entries = given.slice(from, from + ENTRIES_A_STATEMENT);
        const written = await manager.query<{ created: boolean }[]>(WRITE_ENTRIES, [writer.tenant, toJson(entries)]);
        const created = written.filter((entry) => entry.created).length;
        counts.created += created;
        counts.changed += written.length - created;
        counts.unchanged += entries.length - written.length;
      }
    });
    return counts;
  }

  #find(entry: Pick<StoredEntry, 'tenant' | 'kind' | 'key'>): Promise<StoredEntry | null> {
    return this.#entries.findOneBy(primaryKeyOf(entry));
  }

  #keyOf(tenant: string, kind: DirectoryKind, parts: Parts): Buffer {
    return ruleKeyToBytes(ruleKey(this.#facts.tenantKey(tenant), kind, parts));
  }

  #toStore({ id, tenant }: Writer, { kind, parts, ...said }: DirectoryRow): Given {
    return {
      tenant,
      kind: DIRECTORY_KINDS[kind],
      key: this.#keyOf(tenant, kind, parts),
      parts,
      ...said,
      emails: [...said.emails],
      updated_at: this.#facts.now(),
      updated_by: id,
    };
  }
}

const toJson = (entries: readonly Given[]): string =>
  JSON.stringify(entries.map((entry) => ({ ...entry, key: entry.key.toString('base64') })));

const primaryKeyOf = ({ tenant, kind, key }: Pick<StoredEntry, 'tenant' | 'kind' | 'key'>) => ({ tenant, kind, key });

const saysTheSame = (one: StoredEntry, other: StoredEntry): boolean =>
  SAID.every((column) => JSON.stringify(one[column]) === JSON.stringify(other[column]));

function readName(kind: DirectoryKind, id: string, query: unknown) {
  if (isNamedAlone(kind)) {
    readParameters(query, []);
    return { id };
  }
  const parameters = readParameters(query, kind === 'user' ? USER_NAME_PARAMETERS : OTHER_NAME_PARAMETERS);
  return { iss: need(parameters, 'iss'), tenant: parameters.get('tenant'), id };
}
