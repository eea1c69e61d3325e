import { decodeJwt } from 'jose';
import { showExportFound } from './findings.js';
import { block, describeOrder } from './revocations.js';
import { call, obtain, refusalOf, type HeldToken, type Stage } from './stage.js';

export interface TokensBefore {
  readonly agentAtCrm: HeldToken;
  readonly agentAtFiles: HeldToken;
  readonly wikiAtCrm: HeldToken;
  /** Time at which the agent had exported every contact, epoch milliseconds. */
  readonly exportedMs: number;
}

/** Shows an agent that misbehaves at one application: a finding says so and names the rule that stops the agent there, and nothing else. */
export async function blockConnection(stage: Stage, tokens: TokensBefore): Promise<void> {
  const { printer, sandbox, analyst } = stage;
  const { atlas } = sandbox.clients;
  const { crm } = sandbox.apps;
  printer.section('Dana of the security team is told, and cuts the agent off');

  const { selector, reason } = await showExportFound(stage, tokens.exportedMs);
  const ordered = await printer.step('Dana orders that rule', () => block(analyst, selector, reason));
  printer.detail(describeOrder(ordered));

  const next = await printer.step('Atlas makes its next call at crm with the token it holds', () =>
    call(stage, tokens.agentAtCrm, 'GET', '/contacts'),
  );
  printer.check(
    next.status === 401 && next.challenge.includes('invalid_token'),
    `refused: ${next.status} ${next.challenge}`,
  );

  const idJag = await printer.step('Atlas asks the identity provider for a fresh ID-JAG', () =>
    atlas.exchange('alice', 'crm'),
  );
  printer.detail(`issued: ${String(decodeJwt(idJag).jti)} (the identity provider knows nothing of the block)`);
  const refusal = await printer.step("Atlas redeems it at crm's authorization server, which asks Rescind first", () =>
    refusalOf(atlas.redeem('crm', idJag)),
  );
  printer.check(refusal === 'invalid_grant', `refused: ${refusal}; no token was issued`);

  const careless = await printer.step(
    'The same where the authorization server forgets to ask: it issues a fresh token',
    async () => {
      crm.setAsksRescind(false);
      try {
        return await obtain(stage, 'alice', 'atlas', 'crm');
      } finally {
        crm.setAsksRescind(true);
      }
    },
  );
  const fresh = await printer.step('Atlas calls crm with the fresh token', () =>
    call(stage, careless, 'GET', '/contacts'),
  );
  printer.check(fresh.status === 401, `refused: ${fresh.status} ${fresh.challenge}`);

  const elsewhere = await printer.step('Atlas calls files, where it is not blocked', () =>
    call(stage, tokens.agentAtFiles, 'GET', '/documents'),
  );
  printer.check(elsewhere.status === 200, `served: ${elsewhere.status}`);
  const other = await printer.step('The wiki calls crm for Alice', () =>
    call(stage, tokens.wikiAtCrm, 'GET', '/contacts'),
  );
  printer.check(other.status === 200, `served: ${other.status}`);
}
