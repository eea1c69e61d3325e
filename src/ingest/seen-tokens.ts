import { RescindError, validateEventData, type TokenSeen } from '../contracts/index.js';
import type { ControlState } from '../control/index.js';
import type { Appender } from './append/appender.pg.js';
import { checkSourceRights } from './accept/source-rights.js';
import { checkStrings } from './accept/strings.js';

/** A token that no event announced, with the facts that its verified text states. */
export interface SeenToken {
  /** Id of the tenant. */
  readonly tenant: string;
  /** Names the token within the tenant, the same at every node. */
  readonly key: string;
  readonly data: TokenSeen;
}

/**
 * Records tokens at first sight. Resolves when it is durable: true where the ledger has the token's `token.seen` now, false where a `token.issued`
 * of its source with these facts would be refused. Rejects where nothing is known of it.
 */
export function createSeenTokenRecorder(options: {
  readonly state: ControlState;
  readonly appender: Pick<Appender, 'submit'>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}): (seen: SeenToken) => Promise<boolean> {
  const { state, appender, now = Date.now } = options;
  return async ({ tenant: id, key, data }) => {
    const tenant = state.tenant(id);
    if (!tenant || !mayBeRecorded(state, id, data)) return false;
    // One token, one id: the ledger drops what another node tells of it.
    await appender.submit({
      events: [],
      own: [{ tenant, name: 'token.seen', id: `seen-${key}`, timeMs: now(), data }],
    });
    return true;
  };
}

function mayBeRecorded(state: ControlState, tenant: string, data: TokenSeen): boolean {
  const source = state.source(data.source);
  if (!source || source.tenant !== tenant || source.disabled || source.profile.announced !== 'optional') return false;
  if (validateEventData('token.seen', data) !== undefined || !data.aud.every((uri) => source.resources.includes(uri)))
    return false;
  try {
    checkStrings(data);
    checkSourceRights('token.issued', { kind: 'access', ...data }, source, false);
    return true;
  } catch (error) {
    if (error instanceof RescindError) return false;
    throw error;
  }
}
