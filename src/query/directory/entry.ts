import { timeText } from '../../contracts/index.js';
import { ENTITY_KINDS } from '../../projections/index.js';
import type { DirectoryEntry } from './answers.js';

/** Codes of the kinds that the directory has entries for. */
export const DIRECTORY_KINDS = {
  user: ENTITY_KINDS.user,
  client: ENTITY_KINDS.client,
  agent: ENTITY_KINDS.agent,
  resource: ENTITY_KINDS.resource,
  /** No entity: events name no teams. */
  team: 100,
} as const;
export type DirectoryKind = keyof typeof DIRECTORY_KINDS;

const KIND_NAMES: ReadonlyMap<number, DirectoryKind> = new Map(
  (Object.entries(DIRECTORY_KINDS) as [DirectoryKind, number][]).map(([name, code]) => [code, name]),
);

/** Columns of the table `directory` that people read. */
export interface DirectoryColumns {
  readonly display_name: string | null;
  readonly user_name: string | null;
  readonly emails: string[];
  readonly active: boolean | null;
  readonly owner: string | null;
  readonly team: string | null;
  readonly tags: string[];
  readonly updated_at: string | number;
  readonly updated_by: string;
}

export interface DirectoryNameColumns {
  readonly kind: number;
  readonly parts: readonly (string | null)[];
}

export function nameOf({ kind: code, parts }: DirectoryNameColumns) {
  const kind = KIND_NAMES.get(code)!;
  const tenant = kind === 'user' ? parts[1] : null;
  return { kind, iss: parts.length > 1 ? parts[0]! : null, ...(tenant == null ? {} : { tenant }), name: parts.at(-1)! };
}

export const columnsOf = ({
  display_name,
  user_name,
  emails,
  active,
  owner,
  team,
  tags,
  updated_at,
  updated_by,
}: DirectoryColumns) => ({
  display_name,
  user_name,
  emails,
  active,
  owner,
  team,
  tags,
  updated_at: timeText(Number(updated_at)),
  updated_by,
});

/** Shows an entry as it is stored. */
export const entryOf = (row: DirectoryNameColumns & DirectoryColumns): DirectoryEntry => ({
  ...nameOf(row),
  ...columnsOf(row),
});
