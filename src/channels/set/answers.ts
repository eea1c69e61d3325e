import { Type, type Static } from 'typebox';
import { Count, maybe, nameSchemas, strict, timeThat, Uuid } from '../../contracts/index.js';
import { KINDS, NEWS, SEVERITIES } from '../../findings/index.js';
import { CHANNEL_KINDS } from '../kinds.js';

/** States of a delivery, by the number that the table has. */
export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;

const channel = {
  name: Type.String(),
  kind: Type.Enum(CHANNEL_KINDS.map(({ name }) => name)),
  target: Type.String({
    description: 'where messages go; the rest of the address is not answered, since it may be a secret',
  }),
  enabled: Type.Boolean(),
  severity: Type.Enum([...SEVERITIES]),
  kinds: maybe(Type.Array(Type.Enum([...KINDS]))),
  news: maybe(Type.Array(Type.Enum([...NEWS]))),
  tags: maybe(Type.Array(Type.String())),
  old_secret_until: maybe(timeThat('until when the secret before the present one signs too; null: it does not')),
  waiting: { ...Count, description: 'deliveries that wait for an attempt' },
  dead: { ...Count, description: 'deliveries that failed for good and were not replayed' },
  updated_at: timeThat('when somebody changed the channel last'),
  updated_by: Type.String({ description: 'id of the caller that changed it' }),
};

export const Channel = Type.Object(channel, strict);
const secret = Type.Optional(
  Type.String({
    description: 'The secret that signs messages, `whsec_…`. It is shown in this answer and never again.',
  }),
);
export const ChangedChannel = Type.Object({ ...channel, secret }, strict);
export const ChannelList = Type.Object({ channels: Type.Array(Channel) }, strict);
export const Tried = Type.Object(
  {
    delivered: Type.Boolean(),
    status: maybe(Type.Integer({ description: 'status of the receiver’s answer; null: none came' })),
    problem: maybe(Type.String({ description: 'says why the message was not delivered' })),
    answer: Type.String({ description: 'first bytes of the answer of the receiver' }),
    ms: Count,
  },
  strict,
);
export const Delivery = Type.Object(
  {
    id: Type.String({ description: 'the same in each attempt: receivers get it as `webhook-id`' }),
    finding: Uuid,
    type: Type.String({ description: 'as the message says it, such as finding.opened' }),
    at: timeThat('when the finding changed'),
    state: Type.Enum([...DELIVERY_STATES]),
    attempts: Count,
    next_at: maybe(timeThat('time of the next attempt; null: none will be made')),
    last_at: maybe(timeThat('time of the last attempt')),
    status: maybe(Type.Integer({ description: 'status of the last answer; null: none came' })),
    problem: maybe(Type.String({ description: 'why the last attempt failed' })),
    ms: maybe(Type.Integer({ description: 'milliseconds of the last attempt' })),
  },
  strict,
);
export const DeliveryPage = Type.Object(
  {
    items: Type.Array(Delivery),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last' })),
  },
  strict,
);
export const Replayed = Type.Object({ replayed: Count }, strict);

nameSchemas({ Channel, ChangedChannel, ChannelList, TriedChannel: Tried, Delivery, DeliveryPage, Replayed });

export type Channel = Static<typeof Channel>;
export type ChangedChannel = Static<typeof ChangedChannel>;
export type ChannelList = Static<typeof ChannelList>;
export type Tried = Static<typeof Tried>;
export type Delivery = Static<typeof Delivery>;
export type DeliveryPage = Static<typeof DeliveryPage>;
export type Replayed = Static<typeof Replayed>;
