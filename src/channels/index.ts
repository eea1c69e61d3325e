export type { ChannelKind, Message, Outcome, Sending, Target, Told } from './channel.js';
export { CHANNEL_ENTITIES, ChannelsModule } from './channels.module.js';
export { createDeliverer, DELIVERIES_KEPT_MS, type Deliverer, type DelivererOptions } from './deliver/deliverer.pg.js';
export { createSender, type Sender, type SenderOptions } from './deliver/sender.js';
export { CHANNEL_KINDS } from './kinds.js';
export { ChannelsSchema } from './migrations/1796000009000-schema.js';
export type { ChannelFacts } from './set/channels.service.js';
