import { createHash, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from '../../contracts/index.js';
import { UsageError } from '../terminal.js';

/** A preview is forgotten after this time: what an order hits changes meanwhile. */
const PREVIEW_MS = 10 * 60_000;
/** Previews that are remembered; the oldest one is forgotten first, and is asked for again. */
const MAX_PREVIEWS = 256;

export type OrderBody = Readonly<Record<string, unknown>>;

/** Remembers what was previewed, because nothing is ordered before somebody could see what it hits. */
export interface Previews {
  /** Remembers that the holder of this key has seen what the selection hits. */
  saw(key: string, body: OrderBody): void;
  /**
   * Returns an idempotency key, the same for the same order after the same preview: a repeated call waits for the same rule. Throws
   * `UsageError` if the selection was not previewed with this key.
   */
  orderKey(key: string, body: OrderBody): string;
  /** Forgets a preview whose order is in force: the next order, perhaps after a lift, is a new one. */
  ordered(key: string, body: OrderBody): void;
}

export function createPreviews(): Previews {
  const seen = new LRUCache<string, string>({ max: MAX_PREVIEWS, ttl: PREVIEW_MS });
  return {
    saw: (key, body) => void seen.set(selectionOf(key, body), randomUUID()),
    orderKey(key, body) {
      const preview = seen.get(selectionOf(key, body));
      if (preview === undefined)
        throw new UsageError(
          'nothing was ordered: preview it first with revocations_preview and the same members but `reason` and `confirm`. A preview holds for ten minutes',
        );
      return digest(preview, body);
    },
    ordered: (key, body) => void seen.delete(selectionOf(key, body)),
  };
}

function selectionOf(key: string, body: OrderBody): string {
  const { reason: _, confirm: __, on_behalf_of: ___, ...selection } = body;
  return digest(key, selection);
}

const digest = (text: string, body: OrderBody): string =>
  createHash('sha256')
    .update(`${text}\n${canonicalJson(body as never)}`)
    .digest('base64url');
