import { instantText, timeText } from '../../contracts/index.js';
import type { FindingItem } from '../../findings/index.js';

/** A finding about nobody, by which a channel is tried. `id`: the same for each trial of a channel, so that a receiver can tell that they belong together. */
export const TEST_FINDING = (nowMs: number, id: string): FindingItem => {
  const now = timeText(Math.floor(nowMs / 1_000));
  return {
    id,
    kind: 'administration',
    severity: 'info',
    state: 'open',
    state_by: null,
    state_at: null,
    reason: null,
    muted_until: null,
    says: 'This is a test of a channel. Nothing was found.',
    means: 'Somebody tried whether this channel arrives.',
    next: 'Nothing is to be done.',
    first_seen: now,
    last_seen: now,
    found_at: instantText(nowMs),
    closed_at: null,
    count: 1,
    user: null,
    client: null,
    agent: null,
    resource: null,
    token: null,
    source: null,
    entries: [],
    details: {},
    see: '/v1/channels',
    stop: null,
    action: null,
  };
};
