import { Type, type Static } from 'typebox';
import {
  Author,
  Count,
  Index,
  MAX_IDENTIFIER_LENGTH,
  maybe,
  nameSchemas,
  NO_NUL,
  NOT_BLANK,
  strict,
  timeThat,
  Uuid,
} from '../contracts/index.js';

const MAX_REASON_LENGTH = 1_024;
const Name = Type.String({ minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NO_NUL });
const AskedUser = Type.Object({ iss: Name, tenant: Type.Optional(Name), sub: Name }, strict);

export const PreviewInput = Type.Object({ user: AskedUser }, strict);
export const ErasureInput = Type.Object(
  {
    user: AskedUser,
    reason: Type.String({
      minLength: 1,
      maxLength: MAX_REASON_LENGTH,
      pattern: NOT_BLANK,
      description: 'Kept in the ledger for ever. Must not name the person: name the request.',
    }),
    on_behalf_of: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_IDENTIFIER_LENGTH,
        pattern: NOT_BLANK,
        description: 'the person who orders it through the caller',
      }),
    ),
  },
  strict,
);
export type ErasureInput = Static<typeof ErasureInput>;

const positionThat = (description: string) => Type.String({ pattern: '^(?:0|[1-9][0-9]{0,18})$', description });

const Entries = Type.Object(
  {
    erased: Type.Integer({ minimum: 0, description: 'entries whose salt and bytes go' }),
    kept: Type.Integer({ minimum: 0, description: 'entries that name another person too, and keep their payload' }),
  },
  strict,
);

export const Erasure = Type.Object(
  {
    id: Uuid,
    person: Type.String({ description: 'a keyed hash of the name; the name itself is nowhere in the answer' }),
    shown: Type.String({ description: 'how answers show the person from now on' }),
    state: Type.Enum(['running', 'done']),
    step: Type.Enum(['entries', 'tables', 'archive', 'tell', 'done'], {
      description: 'what it does now: payloads, tables, files of the archive, the entry `person.erased`',
    }),
    below: positionThat('The person is erased from entries below this index. A later event with the name is new data.'),
    entries: Entries,
    reason: Type.String(),
    author: Author,
    asked_at: timeThat('when it was ordered'),
    done_at: maybe(timeThat('when it was done')),
    entry: maybe(Type.String({ description: 'index of its entry in the ledger' })),
  },
  strict,
);
export type Erasure = Static<typeof Erasure>;
export const ErasureList = Type.Object({ erasures: Type.Array(Erasure) }, strict);
export type ErasureList = Static<typeof ErasureList>;

const NamedUser = Type.Object({ iss: Type.String(), tenant: Type.Optional(Type.String()), sub: Type.String() }, strict);
export const ErasurePreview = Type.Object(
  {
    shown: Type.String({ description: 'how answers would show the person' }),
    names: Type.Array(NamedUser, { description: 'the names that are the person’s alone' }),
    shared_names: Type.Array(NamedUser, { description: 'names of the person that others have too: they stay' }),
    entries: Type.Object(
      {
        below: Index,
        read: positionThat('the index up to which the ledger was read'),
        complete: Type.Boolean({ description: 'whether the whole ledger was read; else the numbers are lower bounds' }),
        ...Entries.properties,
        kept_because: Type.String(),
        kept_first: Type.Array(Index, { description: 'the first hundred entries that keep their payload' }),
      },
      strict,
    ),
    tables: Type.Array(
      Type.Object({ table: Type.String(), rows: Count, does: Type.Enum(['replaces', 'deletes']) }, strict),
      { description: 'further rows that change or go' },
    ),
    archive_files: Type.Integer({ minimum: 0, description: 'files of names that are written anew' }),
    live_tokens: Type.Integer({
      minimum: 0,
      description: 'The person’s tokens that have not expired. Stop them first: their facts would lose the name.',
    }),
    stays: Type.Array(Type.Object({ what: Type.String(), count: Count }, strict), {
      description: 'names of other things that contain the person’s name',
    }),
    short_names: Type.Integer({ minimum: 0, description: 'names too short to be looked for inside texts' }),
    elsewhere: Type.Array(Type.Object({ place: Type.String(), ends: Type.String() }, strict), {
      description: 'copies that an erasure does not reach, and what ends each',
    }),
  },
  strict,
);
export type ErasurePreview = Static<typeof ErasurePreview>;

nameSchemas({ Erasure, ErasureList, ErasurePreview, ErasureInput, ErasurePreviewInput: PreviewInput });
