import { selectorKey, type Selector, type TokenRef } from '../../rules/index.js';
import type { Command } from '../log/control-log.pg.js';

export interface Contradiction {
  readonly tenant: { readonly id: string; readonly key: Uint8Array };
  readonly subject:
    | { readonly kind: 'token'; readonly named: TokenRef }
    | { readonly kind: 'id_jag'; readonly iss: string; readonly jti: string };
  readonly reason: string;
  readonly author: string;
  readonly newId: () => string;
}

/**
 * Builds the command that blocks a token or ID-JAG about which two events contradict each other. A rule stops it on every node,
 * whatever facts the node has in memory. The command's key makes it apply once.
 */
export function commandFromContradiction({ tenant, subject, reason, author, newId }: Contradiction): Command {
  const selector: Selector =
    subject.kind === 'token' ? { token: subject.named } : { id_jag: { iss: subject.iss, jti: subject.jti } };
  const { shape, key } = selectorKey(tenant.key, selector);
  const encoded = Buffer.from(key, 'latin1').toString('base64url');
  const id = newId();
  return {
    records: [
      {
        kind: 'rule.ordered',
        tenant: tenant.id,
        subject: id,
        body: {
          id,
          effect: 'block',
          selector,
          shape,
          key: encoded,
          reauthenticate: false,
          reason,
          author: { caller: author },
        },
      },
    ],
    from: 'event',
    once: { key: ['conflict', tenant.id, subject.kind, encoded], content: encoded },
  };
}
