import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import type { EntityKind } from '../../projections/index.js';
import { Index, maybe, one, strict } from '../ask/answer-parts.js';

/** Kinds of entities that are searched, in the order in which they are shown. */
export const SEARCHED = [
  'user',
  'client',
  'agent',
  'agent_type',
  'resource',
  'route',
  'address',
] as const satisfies readonly EntityKind[];
/** Kinds of results. */
export const FOUND = [...SEARCHED, 'token', 'id_jag', 'rule', 'entry', 'source'] as const;

export const SearchItem = Type.Object(
  {
    kind: Type.Enum(FOUND),
    match: Type.Enum(['exact', 'prefix', 'part', 'directory', 'lineage'], {
      description:
        'exact: found by its id, digest, `jti` or whole name. prefix: the name begins with the text. part: the text is within the name. directory: found by its name in the directory. lineage: a token that came from the ID-JAG that was asked for.',
    }),
    id: Type.String({ description: 'id of the entity, token, rule, entry or source, for use in other questions' }),
    name: Type.String({
      description: '`sub`, `client_id`, id, URI, `jti`, digest, type of the entry or name of the source',
    }),
    iss: maybe(Type.String()),
    tenant: Type.Optional(Type.String()),
    display_name: Type.Optional(Type.String()),
    first_seen: maybe(Index),
    see: Type.String({
      description:
        'path of the next question to ask, which has an answer: for a user, client, agent or resource its timeline, for a type of agent its blast radius, for a route or address its accesses',
    }),
  },
  strict,
);

export const SearchAnswer = one({
  items: Type.Array(SearchItem, { description: 'exact matches first, then by kind and name' }),
  at_least: Type.Boolean({ description: 'whether there are more results than shown: type more of the name' }),
});

nameSchemas({ SearchItem, SearchAnswer });

export type SearchItem = Static<typeof SearchItem>;
export type SearchAnswer = Static<typeof SearchAnswer>;
