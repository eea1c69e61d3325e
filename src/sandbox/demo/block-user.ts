import { block, describeOrder, lift } from './revocations.js';
import { call, obtain, refusalOf, until, type HeldToken, type Stage } from './stage.js';

export interface BobsTokens {
  readonly agentAtFiles: HeldToken;
  readonly wikiAtCrm: HeldToken;
  /** Alice's token, through the same client at the same application. */
  readonly alicesAgentAtFiles: HeldToken;
}

/** Shows that one user is blocked everywhere, whatever acts for the user, and is then let back in. Returns the id of the block. */
export async function blockUser(stage: Stage, tokens: BobsTokens): Promise<string> {
  const { printer, sandbox, analyst } = stage;
  printer.section('Bob leaves the company, and comes back');

  const before = await printer.step("Bob's agent reads files", () =>
    call(stage, tokens.agentAtFiles, 'GET', '/documents'),
  );
  printer.check(before.status === 200, `served: ${before.status}`);

  const ordered = await printer.step('Dana blocks Bob everywhere', () =>
    block(analyst, { user: { iss: sandbox.idp.issuer, sub: 'bob' } }, 'left the company'),
  );
  printer.detail(describeOrder(ordered));

  const agent = await printer.step("Bob's agent reads files", () =>
    call(stage, tokens.agentAtFiles, 'GET', '/documents'),
  );
  printer.check(agent.status === 401, `refused: ${agent.status}`);
  const wiki = await printer.step('The wiki reads crm for Bob', () =>
    call(stage, tokens.wikiAtCrm, 'GET', '/contacts'),
  );
  printer.check(wiki.status === 401, `refused: ${wiki.status}`);
  const refusal = await printer.step('Bob asks for a fresh ID-JAG and token', () =>
    refusalOf(obtain(stage, 'bob', 'atlas', 'files')),
  );
  printer.check(refusal === 'invalid_grant', `refused: ${refusal}`);
  const alice = await printer.step("Alice's agent reads files", () =>
    call(stage, tokens.alicesAgentAtFiles, 'GET', '/documents'),
  );
  printer.check(alice.status === 200, `served: ${alice.status}`);

  const lifted = await printer.step('Dana lifts the block', () => lift(analyst, ordered.id, 'came back'));
  printer.detail(describeOrder(lifted));
  const old = await printer.step("Bob's agent reads files with the token from before", () =>
    call(stage, tokens.agentAtFiles, 'GET', '/documents'),
  );
  printer.check(old.status === 401, `refused: ${old.status}; what was granted before the lift stays revoked`);

  const regranted = await printer.step('Bob gets a fresh ID-JAG and token', async () => {
    await until('regrant_after', async () =>
      // Tokens are granted in whole seconds.
      Math.floor(Date.now() / 1000) * 1000 > Date.parse(lifted.regrant_after ?? '1970-01-01') ? true : undefined,
    );
    return obtain(stage, 'bob', 'atlas', 'files');
  });
  printer.detail('the time includes the wait for `regrant_after`: clocks of two organisations may differ');
  const again = await printer.step("Bob's agent reads files", () => call(stage, regranted, 'GET', '/documents'));
  printer.check(again.status === 200, `served: ${again.status}`);
  return ordered.id;
}
