import { Type, type Static } from 'typebox';
import {
  Author,
  Agent,
  Client,
  Count,
  FINDING_NAMES,
  FINDING_STATES,
  Index,
  maybe,
  nameSchemas,
  Resource,
  Source,
  strict,
  timeThat,
  TokenId,
  User,
  Uuid,
} from '../../contracts/index.js';
import { EvidenceFile } from '../../query/index.js';
import { FindingAction } from '../actions/shown.pg.js';
import { KINDS, SEVERITIES } from '../detection.js';

/** Names a caller, and the person for whom it acted. */

const State = Type.Enum([...FINDING_STATES], {
  description:
    '`resolved`: a person said so, or the cause has ended (`closed_at`). `muted`: a person mutes it, or its kind for its names, until `muted_until`.',
});
const said = {
  state: State,
  state_by: maybe(Author),
  state_at: maybe(timeThat('when a person said so; null: the state is that of the evidence')),
  reason: maybe(Type.String()),
  muted_until: maybe(timeThat('until when it does not come up as open')),
};

const Stop = Type.Object(
  {
    selector: Type.Unsafe<object>({ type: 'object', description: 'as `POST /v1/revocations` takes it' }),
    preview: Type.Object(
      { method: Type.Literal('POST'), path: Type.Literal('/v1/revocations/preview') },
      { ...strict, description: 'Shows what the rule would hit: send `{"selector": …}`.' },
    ),
    command: Type.String({ description: 'orders the rule' }),
  },
  { ...strict, description: 'The smallest rule that stops what was found.' },
);

export const FindingItem = Type.Object(
  {
    id: Uuid,
    kind: Type.Enum([...KINDS]),
    severity: Type.Enum([...SEVERITIES]),
    ...said,
    says: Type.String({ description: 'says what was found' }),
    means: Type.String({ description: 'says what that means' }),
    next: Type.String({ description: 'says what to do next' }),
    first_seen: timeThat('time of the first event of the evidence'),
    last_seen: timeThat('time of the last event of the evidence'),
    found_at: timeThat('when the finding was written; a restore finds and writes it anew'),
    closed_at: maybe(timeThat('since when the cause has ended; null: it has not')),
    count: Count,
    user: maybe(User),
    client: maybe(Client),
    agent: maybe(Agent),
    resource: maybe(Resource),
    token: maybe(TokenId),
    source: maybe(Source),
    entries: Type.Array(Index, {
      description: 'the first entries of the evidence, at most 20, for `/v1/entries/{index}`',
    }),
    evidence: Type.Optional(
      Type.Array(EvidenceFile, {
        description:
          'with `evidence=true`: the evidence files of `entries` that a published checkpoint covers. They prove what was recorded; the finding is what Rescind makes of it.',
      }),
    ),
    details: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      description:
        'Values that the sentence is made of, by kind. Networks are null, and words in the sentence, for callers with `audit: {payloads: false}`.',
    }),
    see: Type.String({ description: 'the question that shows the evidence' }),
    stop: maybe(Stop),
    action: maybe(FindingAction),
  },
  strict,
);

export const FindingPage = Type.Object(
  {
    as_of: Type.Object(
      { index: Index },
      {
        ...strict,
        description:
          'The detections have read every entry of the ledger with a lower index, or had at the moment of `as_of`.',
      },
    ),
    items: Type.Array(FindingItem),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
  },
  strict,
);

export const FindingState = Type.Object(
  {
    id: Uuid,
    ...said,
    entry: maybe(Index),
  },
  { ...strict, description: '`entry`: the ledger entry of the newest change; null: nobody has changed the state.' },
);

export const FindingChanges = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          nth: Type.Integer({ minimum: 1, description: 'counts the changes of all findings' }),
          state: Type.Enum([...FINDING_STATES]),
          reason: maybe(Type.String()),
          until: maybe(timeThat('end of a mute')),
          same: Type.Array(Type.Enum([...FINDING_NAMES]), {
            description: 'the change counts for each finding of the kind that has these names too; empty: for this one',
          }),
          by: Author,
          at: timeThat('when it was said'),
          entry: maybe(Index),
        },
        strict,
      ),
      { description: 'The newest first. `entry` is the ledger entry of a change; null: it is not written yet.' },
    ),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
  },
  strict,
);

nameSchemas({ FindingAction, FindingItem, FindingPage, FindingState, FindingChanges });

export type FindingItem = Static<typeof FindingItem>;
export type FindingPage = Static<typeof FindingPage>;
export type FindingState = Static<typeof FindingState>;
export type FindingChanges = Static<typeof FindingChanges>;
