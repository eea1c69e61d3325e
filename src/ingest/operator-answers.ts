import { LEDGER_STATES, nameSchemas } from '../contracts/index.js';
import { Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const id = Type.String({ description: 'id of the record in quarantine' });
const position = Type.String({ pattern: '^(0|[1-9][0-9]*)$' });

const outcomes = [
  { index: position, state: Type.Enum([...LEDGER_STATES]) },
  { duplicate: Type.Literal(true), index: position },
  { error: Type.String(), detail: Type.Optional(Type.String()) },
] as const;
export const ReplayedAnswer = Type.Union([
  ...outcomes.map((outcome) => Type.Object({ id, ...outcome }, closed)),
  Type.Object(
    {
      id,
      batch: Type.Array(Type.Union(outcomes.map((outcome) => Type.Object(outcome, closed))), {
        description:
          'a signed batch that was refused whole: the outcome of each of its events, in order. It has left quarantine; an event that is refused again is a record of its own',
      }),
    },
    closed,
  ),
]);
export const ReplayPage = Type.Object(
  {
    items: Type.Array(ReplayedAnswer),
    next: Type.Optional(Type.String({ description: 'value for `after` of the next call' })),
  },
  closed,
);

const partition = {
  topic: Type.String(),
  partition: Type.Integer({ minimum: 0 }),
  next_offset: position,
  stopped: Type.Union([Type.String({ description: 'a code, a colon, and text for people' }), Type.Null()]),
  lag: Type.Union([position, Type.Null()], {
    description: 'number of records not stored yet; null while the broker does not answer',
  }),
};
export const PartitionList = Type.Object({ partitions: Type.Array(Type.Object(partition, closed)) }, closed);
export const ResumedAnswer = Type.Object(
  {
    ...partition,
    skipped: Type.Union([Type.Object({ from_offset: position, to_offset: position }, closed), Type.Null()]),
  },
  closed,
);

nameSchemas({ ReplayedAnswer, ReplayPage, PartitionList, ResumedAnswer });
