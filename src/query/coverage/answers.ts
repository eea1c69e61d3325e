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
    'records in quarantine that were refused in the 24 h before the moment of the answer, the most frequent reason first',
});

export const Finding = Type.Object(
  {
    code: Type.Enum([...FINDING_CODES]),
    source: Source,
    says: Type.String({ description: 'for people; the words may change, the code does not' }),
  },
  strict,
);

export const Clock = Type.Object(
  {
    verdict: Type.Enum(['right', 'ahead', 'behind-or-late'], {
      description:
        'ahead: an event came before its own time. behind-or-late: not one came within 10 s of its own time; which of the two cannot be told',
    }),
    events: Type.Integer({ minimum: 1, description: 'that came since the day before began (UTC)' }),
    delay: Type.Object(
      { least: Milliseconds, mean: Milliseconds, most: Milliseconds },
      {
        ...strict,
        description:
          'arrival less the event’s own time; below zero the clock is ahead. The least is the best estimate of how far it is off',
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
        { ...strict, description: 'the last event; null: not one has come. `at` is its own time' },
      ),
    ),
    events: Count,
    types: Type.Array(Type.Object({ type: Type.String(), events: Count, last: maybe(Index) }, strict), {
      description: 'what it is registered for, and what else it once sent',
    }),
    never_sent: Type.Array(Type.String(), { description: 'what it is registered for and never sent' }),
    sequence: maybe(
      Type.Object(
        { first: Count, last: Count, missing: Count, repeated: Count, given_up: Count },
        {
          ...strict,
          description:
            'see /v1/sequences; null: it does not number its events, or the answer is about the past, of which numbers are not kept',
        },
      ),
    ),
    clock: maybe(Clock),
    tokens: Type.Object(
      {
        issued: Count,
        id_jag_arrived: Type.Integer({ minimum: 0, description: 'the IdP’s event on its ID-JAG has come too' }),
        id_jag_stated: Type.Integer({ minimum: 0, description: 'there is only the word of its authorization server' }),
        parent_only: Type.Integer({ minimum: 0, description: 'names no ID-JAG, but the token that it came from' }),
        none: Count,
      },
      { ...strict, description: 'tokens that it issued, by what is known of where they come from' },
    ),
    uses: Type.Object(
      { count: Count, attributed: Count },
      { ...strict, description: 'accesses that it reported, and those whose user and client are known' },
    ),
    refused: Refusals,
  },
  strict,
);

export const CoverageAnswer = Type.Object(
  {
    as_of: AsOf,
    findings: Type.Array(Finding, { description: 'of all sources, the most serious first, at most 100' }),
    findings_left_out: Count,
    items: Type.Array(CoverageItem),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
  },
  strict,
);

const Subject = Type.Record(Type.String(), Type.Unknown(), {
  description: 'what the event is about, in its own words: {iss, jti}, {sha256}, {iss, sub}, …',
});

export const SourceCheckAnswer = one({
  source: Source,
  uri: Type.String(),
  disabled: Type.Boolean(),
  next_steps: Type.Array(Type.Object({ code: Type.String(), says: Type.String() }, strict), {
    description: 'what to do next, in order',
  }),
  keys: Type.Object(
    {
      from: Type.Enum(['inline', 'jwks_uri', 'none']),
      usable: maybe(
        Type.Integer({
          minimum: 0,
          description: 'keys that its tokens can be verified with now; null: this process verifies none',
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
      { description: 'of its topic; null: this process does not read Kafka, or the broker does not answer' },
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
        'the last 20, newest first; `subject` null: erased; `at` and `delay_ms` null: it came before delays were kept',
    },
  ),
  refused: Type.Array(
    Type.Object(
      {
        id: Type.String({ description: 'see /v1/quarantine/{id}' }),
        at: Time,
        code: Type.String(),
        detail: Type.String(),
        door: Type.Enum(['kafka', 'http']),
        caller: maybe(Type.String()),
        position: maybe(
          Type.Object({ topic: Type.String(), partition: Type.Integer(), offset: Type.String() }, strict),
        ),
        replayed: Type.Boolean({ description: 'it was taken up again and refused again' }),
      },
      strict,
    ),
    { description: 'the last 20, newest first' },
  ),
  inactive: Type.Array(
    Type.Object(
      {
        ...REASON,
        count: Type.Integer({ minimum: 1, description: 'introspections' }),
        first: Time,
        last: Time,
        token: TokenId,
      },
      { ...strict, description: '`token`: the last one, see /v1/tokens/{id}' },
    ),
    {
      description:
        'why tokens that its events announced were not active when somebody asked, the latest reason first; a token that has expired or that a rule stops is as it should be and not here',
    },
  ),
});

nameSchemas({ Finding, Clock, CoverageItem, CoverageAnswer, SourceCheckAnswer });

export type Finding = Static<typeof Finding>;
export type Clock = Static<typeof Clock>;
export type CoverageItem = Static<typeof CoverageItem>;
export type CoverageAnswer = Static<typeof CoverageAnswer>;
export type SourceCheckAnswer = Static<typeof SourceCheckAnswer>;
