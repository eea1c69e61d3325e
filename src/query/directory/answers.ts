import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import { ENTITY_KINDS, type EntityKind } from '../../projections/index.js';
import { findingsMember } from '../ask/open-findings.js';
import { EntityId, Index, maybe, one, page, strict, Time } from '../ask/answer-parts.js';
import { DIRECTORY_KINDS, type DirectoryKind } from './entry.js';

const Text = maybe(Type.String());

const entry = {
  display_name: Text,
  user_name: Text,
  emails: Type.Array(Type.String(), { description: 'email addresses in lower case' }),
  active: maybe(Type.Boolean({ description: 'as the directory states it; nothing is decided by it' })),
  owner: Text,
  team: Text,
  tags: Type.Array(Type.String(), { description: 'in alphabetical order' }),
  updated_at: Time,
  updated_by: Type.String({ description: 'id of the caller that wrote the entry' }),
};

const named = {
  kind: Type.Enum(Object.keys(DIRECTORY_KINDS) as DirectoryKind[]),
  iss: maybe(Type.String({ description: 'issuer that uses this name; null: a resource or a team' })),
  tenant: Type.Optional(Type.String()),
  name: Type.String({ description: '`sub`, `client_id`, id of the agent, URI of the resource, or name of the team' }),
};

export const DirectoryEntry = Type.Object({ ...named, ...entry }, strict);
export const DirectoryItem = Type.Object(
  { ...named, entity: maybe(EntityId), ...entry },
  { ...strict, description: '`entity` is null if no event has named this yet' },
);
export const DirectoryPage = page(DirectoryItem);

const EntityName = Type.Object(
  {
    entity: EntityId,
    iss: maybe(Type.String()),
    tenant: Type.Optional(Type.String()),
    name: Type.String({ description: '`sub`, `client_id`, id or URI' }),
    first_seen: Index,
    asserted_by: Type.Array(Type.Object({ entity: EntityId, index: Index }, strict), {
      description: 'the first event that states this name and the name of `entity` together, in one grant',
    }),
    weak: Type.Boolean({
      description:
        'true: only the directory ties this name, by the same email. Rules and filters never follow a weak name; ask about it by its own id.',
    }),
    shared: Type.Boolean({
      description:
        'whether grants state this name together with several names of the IdP, so that it does not belong to one person alone',
    }),
    directory: maybe(Type.Object(entry, strict)),
  },
  strict,
);

export const EntityAnswer = one({
  entity: EntityId,
  kind: Type.Enum(Object.keys(ENTITY_KINDS) as EntityKind[]),
  display_name: Type.Optional(Type.String()),
  names: Type.Array(EntityName, {
    description: 'the entity’s own name first, then names tied by grants, then weak names; at most 200',
  }),
  at_least: Type.Boolean({ description: 'whether there are more names than shown' }),
  ...findingsMember,
});

nameSchemas({ DirectoryEntry, DirectoryItem, DirectoryPage, EntityAnswer });

export type DirectoryEntry = Static<typeof DirectoryEntry>;
export type DirectoryItem = Static<typeof DirectoryItem>;
export type DirectoryPage = Static<typeof DirectoryPage>;
export type EntityAnswer = Static<typeof EntityAnswer>;
