import { decodeJwt } from 'jose';
import type { AppName, ClientName, UserName } from '../organisation.js';
import type { TokensBefore } from './block-connection.js';
import type { BobsTokens } from './block-user.js';
import { call, obtain, refusalOf, untilRecorded, type HeldToken, type Stage } from './stage.js';

/** Shows two users, a web application and an AI agent at two resource applications. */
export async function dayOfWork(stage: Stage): Promise<TokensBefore & { readonly bob: BobsTokens }> {
  const { printer, sandbox } = stage;
  const { atlas } = sandbox.clients;
  printer.section('A day of work: what Cross-App Access is');

  await printer.step('Alice signs in to the agent atlas at the identity provider', () =>
    sandbox.signIn('alice', 'atlas'),
  );
  printer.detail('OpenID Connect authorization code with PKCE; atlas now holds an ID token');

  const idJag = await printer.step('Atlas exchanges it for an ID-JAG to crm; the policy decides', () =>
    atlas.exchange('alice', 'crm'),
  );
  const claims = decodeJwt(idJag);
  printer.detail(`RFC 8693: jti ${String(claims.jti)}`);
  printer.detail(
    `for ${stage.nameOf(String(claims['resource']))}, scope ${String(claims['scope'])}, good for ${Number(claims.exp) - Number(claims.iat)} s`,
  );

  const redeemed = await printer.step("Atlas redeems it at crm's authorization server, which asks Rescind first", () =>
    atlas.redeem('crm', idJag),
  );
  printer.detail(`RFC 7523: a JWT access token for ${redeemed.expiresIn} s, scope ${redeemed.scope}`);
  const agentAtCrm: HeldToken = { user: 'alice', client: 'atlas', app: 'crm', accessToken: redeemed.accessToken };
  await untilRecorded(stage, redeemed.accessToken);

  await served(
    stage,
    'Atlas reads contacts; crm asks Rescind whether the token is good',
    agentAtCrm,
    'GET',
    '/contacts',
  );
  await served(stage, 'Atlas exports every contact', agentAtCrm, 'GET', '/export');
  const exportedMs = Date.now();

  const replay = await printer.step('Somebody redeems the same ID-JAG again', () =>
    refusalOf(atlas.redeem('crm', idJag)),
  );
  printer.check(replay === 'invalid_grant', `refused: ${replay}; an ID-JAG is good once`);

  const agentAtFiles = await working(stage, 'alice', 'atlas', 'files', '/documents');
  await printer.step('Alice signs in to the wiki as well', () => sandbox.signIn('alice', 'wiki'));
  const wikiAtCrm = await working(stage, 'alice', 'wiki', 'crm', '/contacts');
  await working(stage, 'alice', 'wiki', 'files', '/documents/plan');

  await printer.step('Bob signs in to atlas and to the wiki', async () => {
    await sandbox.signIn('bob', 'atlas');
    await sandbox.signIn('bob', 'wiki');
  });
  await working(stage, 'bob', 'atlas', 'crm', '/contacts');
  const bobsAgentAtFiles = await working(stage, 'bob', 'atlas', 'files', '/documents/minutes');
  const bobsWikiAtCrm = await working(stage, 'bob', 'wiki', 'crm', '/contacts');

  const refused = await printer.step(
    "Bob's agent tries to export the contacts, which his scope does not allow",
    async () => {
      const token = await obtain(stage, 'bob', 'atlas', 'crm');
      return call(stage, token, 'GET', '/export');
    },
  );
  printer.check(
    refused.status === 403 && refused.challenge.includes('insufficient_scope'),
    `refused: ${refused.status} insufficient_scope`,
  );

  return {
    agentAtCrm,
    agentAtFiles,
    wikiAtCrm,
    exportedMs,
    bob: { agentAtFiles: bobsAgentAtFiles, wikiAtCrm: bobsWikiAtCrm, alicesAgentAtFiles: agentAtFiles },
  };
}

async function working(
  stage: Stage,
  user: UserName,
  client: ClientName,
  app: AppName,
  path: string,
): Promise<HeldToken> {
  const { printer } = stage;
  const [token, { status }] = await printer.step(
    `${stage.sandbox.users[user].name} through ${client}: ID-JAG, token and a call at ${app}`,
    async () => {
      const held = await obtain(stage, user, client, app);
      return [held, await call(stage, held, 'GET', path)] as const;
    },
  );
  printer.check(status === 200, `served: ${status} GET ${path}`);
  return token;
}

async function served(stage: Stage, title: string, token: HeldToken, method: string, path: string): Promise<void> {
  const { status } = await stage.printer.step(title, () => call(stage, token, method, path));
  stage.printer.check(status === 200, `served: ${status} ${method} ${path}`);
}
