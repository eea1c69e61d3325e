import type { ChannelKind } from './channel.js';
import { pagerduty } from './kinds/pagerduty.js';
import { slack } from './kinds/slack.js';
import { teams } from './kinds/teams.js';
import { webhook } from './kinds/webhook.js';

/** Every kind of channel, in the order of the README. */
export const CHANNEL_KINDS: readonly ChannelKind[] = [webhook, slack, teams, pagerduty];

export const channelKind = (name: string): ChannelKind | undefined => CHANNEL_KINDS.find((kind) => kind.name === name);
