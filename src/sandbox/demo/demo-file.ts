import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Sandbox } from '../sandbox.js';

const FILE_NAME = 'demo.json';
/** The file holds secrets and tokens. */
const OWNER_ONLY = 0o600;

export interface DemoTokens {
  /** Token of the wiki at crm, for Alice. */
  readonly live: string;
  /** Token of the agent at crm, for Alice; the agent's connection there is blocked. */
  readonly revoked: string;
  /** Token of the agent at files, for Alice: live until somebody blocks the agent. The caller `files` may ask about it. */
  readonly agent: string;
}

/** Everything that a script needs to continue after the demo. */
export interface DemoFile {
  readonly urls: Readonly<
    Record<'rescind' | 'introspect' | 'revoke' | 'events' | 'revocations' | 'graph' | 'access' | 'entries', string>
  >;
  /** Keyed by the sandbox's names; `id` and `secret` are those of a Rescind caller. */
  readonly callers: Readonly<Record<string, { readonly id: string; readonly secret: string }>>;
  readonly sources: Readonly<Record<string, { readonly name: string; readonly uri: string; readonly topic: string }>>;
  readonly issuers: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, string>>;
  /** `live` and `revoked` are access tokens at crm, so the caller `crm` may ask about them. */
  readonly tokens: DemoTokens;
}

export function describeSandbox(sandbox: Sandbox, rescindUrl: string, tokens: DemoTokens): DemoFile {
  const at = (path: string): string => new URL(path, rescindUrl).href;
  const parties = [...sandbox.registered.parties];
  const apps = Object.values(sandbox.apps);
  return {
    urls: {
      rescind: rescindUrl,
      introspect: at('/introspect'),
      revoke: at('/revoke'),
      events: at('/events'),
      revocations: at('/v1/revocations'),
      graph: at('/v1/graph'),
      access: at('/v1/access'),
      entries: at('/v1/entries'),
    },
    callers: Object.fromEntries([
      ...parties.map(([party, { name, secret }]) => [party, { id: name, secret }]),
      ['analyst', sandbox.registered.analyst],
    ]) as DemoFile['callers'],
    sources: Object.fromEntries(parties.map(([party, { name, uri, topic }]) => [party, { name, uri, topic }])),
    issuers: Object.fromEntries([
      ['idp', sandbox.idp.issuer],
      ...apps.map(({ name, issuer }) => [name, issuer] as const),
    ]),
    resources: Object.fromEntries(apps.map(({ name, resource }) => [name, resource])),
    tokens,
  };
}

/** Replaces the file in one step, so that no reader sees half of it. Only the owner can read it. */
export async function writeDemoFile(home: string, file: DemoFile): Promise<string> {
  await mkdir(home, { recursive: true });
  const path = join(resolve(home), FILE_NAME);
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: OWNER_ONLY, flag: 'wx' });
  await rename(draft, path);
  return path;
}
