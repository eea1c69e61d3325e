import type { TokenSeen } from '../contracts/index.js';
import type { Tenant } from '../control/index.js';
import { createRestraint, type RestraintLimits } from '../platform/bounds/index.js';
import { ruleKeyToBytes, type RuleKey } from '../rules/index.js';
import { inTime } from './in-time.js';

/** Limits of one caller for questions that record a token at first sight. */
const RECORDINGS: RestraintLimits = { burst: 500, perSecond: 500, maxQueued: 2_000, maxWaitMs: 2_000 };

/** A write that takes longer is not waited for: the caller is better served by a 503 that it can repeat. */
const WRITE_TIMEOUT_MS = 2_000;

/** Records a token at first sight. True when it is durable, false where its claims can be no facts; rejects where nothing is known of it. */
export type OnSeen = (seen: {
  readonly tenant: string;
  readonly key: string;
  readonly data: TokenSeen;
}) => Promise<boolean>;

export interface Recordings {
  /** In the caller's turn; as `onSeen` answers. Rejects with `TooManyWaiting`, too. */
  record(token: FirstSeen, caller: string): Promise<boolean>;
}

/** A token that no event announced, and what its verified text states. */
export interface FirstSeen {
  readonly tenant: Tenant;
  readonly key: RuleKey;
  readonly data: TokenSeen;
}

export function createRecordings({
  onSeen,
  monotonic,
}: {
  readonly onSeen: OnSeen;
  readonly monotonic?: (() => number) | undefined;
}): Recordings {
  const restraint = createRestraint(RECORDINGS, monotonic);
  const underWay = new Map<string, Promise<boolean>>();

  /** Questions about one new token share its recording. */
  function share({ tenant, key, data }: FirstSeen): Promise<boolean> {
    const name = `${tenant.id}|${key}`;
    let recording = underWay.get(name);
    if (!recording) {
      recording = onSeen({ tenant: tenant.id, key: ruleKeyToBytes(key).toString('base64url'), data }).finally(() =>
        underWay.delete(name),
      );
      underWay.set(name, recording);
    }
    return recording;
  }

  return {
    async record(token, caller) {
      let isRecorded = false;
      await restraint.run(caller, async () => {
        isRecorded = await inTime(share(token), { ms: WRITE_TIMEOUT_MS, what: 'a token was not recorded' });
        // Each is paid for: a first sight is work that stays.
        return undefined;
      });
      return isRecorded;
    },
  };
}
