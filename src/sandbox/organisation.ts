import { randomBytes } from 'node:crypto';
import type { Connection, IdpClient, IdpUser } from './idp/index.js';
import type { Account } from './resource-app/index.js';

/** The sandbox's organisation: two users, a web application, an AI agent, and the administrators' approvals. */
export const USER_NAMES = ['alice', 'bob'] as const;
export type UserName = (typeof USER_NAMES)[number];
export const CLIENT_NAMES = ['wiki', 'atlas'] as const;
export type ClientName = (typeof CLIENT_NAMES)[number];
export const APP_NAMES = ['crm', 'files'] as const;
export type AppName = (typeof APP_NAMES)[number];

/** `atlas` is the agent. */
export const AGENT = { id: 'atlas', type: 'ai_agent' } as const;

interface Approval {
  readonly client: ClientName;
  readonly app: AppName;
  readonly users: Readonly<Record<UserName, readonly string[]>>;
}

const APPROVALS: readonly Approval[] = [
  { client: 'atlas', app: 'crm', users: { alice: ['crm.read', 'crm.write', 'crm.export'], bob: ['crm.read'] } },
  { client: 'atlas', app: 'files', users: { alice: ['files.read'], bob: ['files.read'] } },
  { client: 'wiki', app: 'crm', users: { alice: ['crm.read'], bob: ['crm.read'] } },
  { client: 'wiki', app: 'files', users: { alice: ['files.read', 'files.delete'], bob: ['files.read'] } },
];

export function createUsers(): Record<UserName, IdpUser> {
  const user = (login: UserName, name: string): IdpUser => ({ sub: login, login, name, password: generateSecret() });
  return { alice: user('alice', 'Alice Ames'), bob: user('bob', 'Bob Byrne') };
}

/** The analyst of the security team, who uses no application but Rescind. */
export const ANALYST = { sub: 'dana', login: 'dana', name: 'Dana Diaz', groups: ['security'] } as const;

/** Gives each user the application's own name, because a resource application does not use the IdP's. */
export function accountsAt(app: AppName, idpIssuer: string): readonly Account[] {
  return USER_NAMES.map((sub, position) => ({ iss: idpIssuer, sub, local: `${app}-${1001 + position}` }));
}

export const clientIdAt = (client: ClientName, app: AppName): string => `${client}-at-${app}`;

export function connections(
  apps: Readonly<Record<AppName, { issuer: string; resource: string }>>,
): readonly Connection[] {
  return APPROVALS.map(({ client, app, users }) => ({
    idpClientId: client,
    audience: apps[app].issuer,
    resource: apps[app].resource,
    clientId: clientIdAt(client, app),
    scopes: [...new Set(Object.values(users).flat())],
    users,
  }));
}

export function idpClient(
  name: ClientName,
  clientSecret: string,
  redirectUri: string,
  postLogoutRedirectUri: string,
): IdpClient {
  const client = { clientId: name, clientSecret, redirectUri, postLogoutRedirectUri };
  return name === AGENT.id ? { ...client, agent: AGENT } : client;
}

/** Generates 256 random bits, as Rescind does for its own secrets. */
export const generateSecret = (): string => randomBytes(32).toString('base64url');
