import { nameSchemas } from '../../contracts/index.js';
import { Type, type Static } from 'typebox';
import {
  AsOf,
  Count,
  Index,
  lowerBound,
  maybe,
  one,
  REASON,
  Source,
  strict,
  Time,
  TokenId,
} from '../ask/answer-parts.js';

/** Codes of findings, the most serious first: those that hide most of what happens. */
export const FINDING_CODES = [
  'never-heard',
  'silent-for',
  'gaps',
  'refusals',
  'tokens-without-lineage',
  'unattributed-uses',
  'clock-off',
  'never-sent',
] as const;

const Milliseconds = Type.Integer({ description: 'milliseconds' });
const Refusals = Type.Array(Type.Object({ code: Type.String(), count: Count, ...lowerBound }, strict), {
  description:
    'Records in quarantine that were refused in the 24 h before the moment of the answer, the most frequent reason first.',
});

export const Finding = Type.Object(
  {
    code: Type.Enum([...FINDING_CODES]),
    source: Source,
    says: Type.String({ description: 'text for people; the words may change, `code` does not' }),
  },
  strict,
);

export const Clock = Type.Object(
  {
    verdict: Type.Enum(['right', 'ahead', 'behind-or-late'], {
      description:
        'ahead: an event came before its own time. behind-or-late: no event came within 10 s of its own time, so the clock is behind or the events are late.',
    }),
    events: Type.Integer({ minimum: 1, description: 'events that came since the beginning of yesterday (UTC)' }),
    delay: Type.Object(
      { least: Milliseconds, mean: Milliseconds, most: Milliseconds },
      {
        ...strict,
        description:
          'Arrival minus the event’s own time. If it is negative, the clock is ahead. `least` is the best estimate of the clock’s error.',
      },
    ),
    ahead: Type.Integer({ minimum: 0, description: 'events whose own time is over 1 s later than their arrival' }),
    prompt: Type.Integer({ minimum: 0, description: 'events that came within 10 s of their own time' }),
  },
  strict,
);

export const CoverageItem = Type.Object(
  {
    source: Source,
    uri: Type.String(),
    disabled: Type.Boolean(),
    last: maybe(
      Type.Object(
        { index: Index, type: Type.String(), at: maybe(Time), arrival: Time },
        { ...strict, description: 'The last event. null: no event has come. `at` is the event’s own time.' },
      ),
    ),
    events: Count,
    types: Type.Array(Type.Object({ type: Type.String(), events: Count, last: maybe(Index) }, strict), {
      description: 'Event types that the source is registered for, and others that it once sent.',
    }),
    never_sent: Type.Array(Type.String(), {
      description: 'event types that the source is registered for and never sent',
    }),
    sequence: maybe(
      Type.Object(
        { first: Count, last: Count, missing: Count, repeated: Count, given_up: Count },
        {
          ...strict,
          description:
            'See /v1/sequences. null: the source does not number its events, or the answer is about the past, for which numbers are not kept.',
        },
      ),
    ),
    clock: maybe(Clock),
    tokens: Type.Object(
      {
        issued: Count,
        id_jag_arrived: Type.Integer({
          minimum: 0,
          description: 'tokens for which the IdP’s event about the ID-JAG has come too',
        }),
        id_jag_stated: Type.Integer({
          minimum: 0,
          description: 'tokens whose ID-JAG only the authorization server has stated',
        }),
        parent_only: Type.Integer({
          minimum: 0,
          description: 'tokens that name no ID-JAG, but the token that they came from',
        }),
        none: Count,
      },
      { ...strict, description: 'Tokens that the source issued, by what is known of their origin.' },
    ),
    uses: Type.Object(
      { count: Count, attributed: Count },
      {
        ...strict,
        description: 'Accesses that the source reported, and those of them whose user and client are known.',
      },
    ),
    refused: Refusals,
  },
  strict,
);

export const CoverageAnswer = Type.Object(
  {
    as_of: AsOf,
    findings: Type.Array(Finding, { description: 'findings of all sources, the most serious first, at most 100' }),
    findings_left_out: Count,
    items: Type.Array(CoverageItem),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
  },
  strict,
);

const Subject = Type.Record(Type.String(), Type.Unknown(), {
  description: 'the subject of the event as the event states it: {iss, jti}, {sha256}, {iss, sub}, …',
});

export const SourceCheckAnswer = one({
  source: Source,
  uri: Type.String(),
  disabled: Type.Boolean(),
  next_steps: Type.Array(Type.Object({ code: Type.String(), says: Type.String() }, strict), {
    description: 'next steps, in order',
  }),
  keys: Type.Object(
    {
      from: Type.Enum(['inline', 'jwks_uri', 'none']),
      usable: maybe(
        Type.Integer({
          minimum: 0,
          description: 'Number of keys that can verify the source’s tokens now. null: this process verifies no tokens.',
        }),
      ),
    },
    strict,
  ),
  partitions: maybe(
    Type.Array(
      Type.Object(
        {
          topic: Type.String(),
          partition: Type.Integer(),
          next_offset: Type.String(),
          stopped: maybe(Type.String()),
          lag: maybe(Type.String()),
        },
        strict,
      ),
      {
        description:
          'Partitions of the source’s topic. null: this process does not read Kafka, or the broker does not answer.',
      },
    ),
  ),
  types: Type.Array(
    Type.Object({ type: Type.String(), events: Count, last: maybe(Index), registered: Type.Boolean() }, strict),
  ),
  clock: maybe(Clock),
  events: Type.Array(
    Type.Object(
      {
        index: Index,
        type: Type.String(),
        at: maybe(Time),
        arrival: Time,
        delay_ms: maybe(Milliseconds),
        subject: maybe(Subject),
      },
      strict,
    ),
    {
      description:
        'The last 20 events, newest first. `subject` is null if it was erased; `at` and `delay_ms` are null if the event came before delays were kept.',
    },
  ),
  refused: Type.Array(
    Type.Object(
      {
        id: Type.String({ description: 'id for `/v1/quarantine/{id}`' }),
        at: Time,
        code: Type.String(),
        detail: Type.String(),
        door: Type.Enum(['kafka', 'http']),
        caller: maybe(Type.String()),
        position: maybe(
          Type.Object({ topic: Type.String(), partition: Type.Integer(), offset: Type.String() }, strict),
        ),
        replayed: Type.Boolean({ description: 'whether the record was replayed and refused again' }),
      },
      strict,
    ),
    { description: 'the last 20 refused records, newest first' },
  ),
  inactive: Type.Array(
    Type.Object(
      {
        ...REASON,
        count: Type.Integer({ minimum: 1, description: 'number of introspections' }),
        first: Time,
        last: Time,
        token: TokenId,
      },
      { ...strict, description: '`token` is the last token refused for this reason: see /v1/tokens/{id}.' },
    ),
    {
      description:
        'Why tokens of the source were not active when somebody asked, the latest reason first. Tokens that have expired or that a rule stops are not listed.',
    },
  ),
});

nameSchemas({ Finding, Clock, CoverageItem, CoverageAnswer, SourceCheckAnswer });

export type Finding = Static<typeof Finding>;
export type Clock = Static<typeof Clock>;
export type CoverageItem = Static<typeof CoverageItem>;
export type CoverageAnswer = Static<typeof CoverageAnswer>;
export type SourceCheckAnswer = Static<typeof SourceCheckAnswer>;
