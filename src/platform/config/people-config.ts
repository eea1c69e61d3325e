import { readInteger, splitList, type Environment, type Refuse } from './environment.js';
import { isLoopback } from './loopback.js';
import { Secret } from './secret.js';

/** Roles of people, from the least to the most. */
export const PEOPLE_ROLES = ['viewer', 'investigator', 'responder', 'admin'] as const;
export type PeopleRole = (typeof PEOPLE_ROLES)[number];

const DEFAULT_ROLES_CLAIM = 'groups';
const DEFAULT_TENANT = 'default';
const DEFAULT_IDLE_MINUTES = 60;
const DEFAULT_SESSION_HOURS = 12;
export const DEFAULT_FRESH_USERS = 100;

/** How people sign in, and for how long. */
export interface PeopleConfig {
  /** The OpenID provider at which people sign in. Undefined: by links alone. */
  readonly provider: ProviderConfig | undefined;
  /** A session ends when it was not used for so long, milliseconds. */
  readonly idleMs: number;
  /** A session ends so long after the sign-in, milliseconds. */
  readonly sessionMs: number;
  /** A person whose order hits more users than this must have signed in within the last minutes. */
  readonly freshUsers: number;
}

export interface ProviderConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** The claim whose values give the roles. */
  readonly rolesClaim: string;
  /** Roles by the value of the claim. */
  readonly roles: ReadonlyMap<string, readonly PeopleRole[]>;
  /** Name of the tenant to which these people belong. */
  readonly tenant: string;
}

export const PEOPLE_DOCUMENTATION: Readonly<Record<string, string>> = {
  OIDC_ISSUER: 'issuer of the OpenID provider at which people sign in to the console (default: none, by links alone)',
  OIDC_CLIENT_ID: 'id of Rescind at OIDC_ISSUER; its redirect URI is <PUBLIC_URL>/console/callback',
  OIDC_CLIENT_SECRET: 'secret of Rescind at OIDC_ISSUER',
  OIDC_ROLES_CLAIM: `claim of the ID token or of the userinfo whose values give people their roles (default ${DEFAULT_ROLES_CLAIM})`,
  OIDC_ROLES: `comma-separated role=value, such as viewer=staff,responder=soc: who has the value has the role; roles are ${PEOPLE_ROLES.join(', ')}; nobody else gets in`,
  OIDC_TENANT: `name of the tenant of the people of OIDC_ISSUER (default ${DEFAULT_TENANT})`,
  SESSION_IDLE_MINUTES: `minutes without use after which a person must sign in again (default ${DEFAULT_IDLE_MINUTES})`,
  SESSION_HOURS: `hours after which a person must sign in again (default ${DEFAULT_SESSION_HOURS})`,
  FRESH_SIGN_IN_USERS: `an order of a person that hits more users than this, or everything, needs a sign-in of the last five minutes (default ${DEFAULT_FRESH_USERS})`,
};

export function readPeople(env: Environment, refuse: Refuse): PeopleConfig {
  return Object.freeze({
    provider: readProvider(env, refuse),
    idleMs:
      60_000 * readInteger(env, 'SESSION_IDLE_MINUTES', { min: 1, max: 1_440, default: DEFAULT_IDLE_MINUTES }, refuse),
    sessionMs:
      3_600_000 * readInteger(env, 'SESSION_HOURS', { min: 1, max: 168, default: DEFAULT_SESSION_HOURS }, refuse),
    freshUsers: readInteger(
      env,
      'FRESH_SIGN_IN_USERS',
      { min: 0, max: 1_000_000, default: DEFAULT_FRESH_USERS },
      refuse,
    ),
  });
}

function readProvider(env: Environment, refuse: Refuse): ProviderConfig | undefined {
  const needed = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_ROLES'];
  if (needed.every((variable) => env[variable] === undefined)) return undefined;
  const missing = needed.filter((variable) => env[variable] === undefined);
  for (const variable of missing) refuse(variable, `is missing; ${needed.join(', ')} belong together`);
  if (missing.length > 0) return undefined;
  const issuer = env['OIDC_ISSUER']!;
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (
    url === undefined ||
    !isSafe ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    issuer.length > 200
  )
    refuse(
      'OIDC_ISSUER',
      'must be an https URL without query and fragment, of at most 200 characters; http is for loopback',
    );
  return {
    issuer,
    clientId: env['OIDC_CLIENT_ID']!,
    clientSecret: new Secret(env['OIDC_CLIENT_SECRET']!),
    rolesClaim: env['OIDC_ROLES_CLAIM'] ?? DEFAULT_ROLES_CLAIM,
    roles: readRoles(env['OIDC_ROLES']!, refuse),
    tenant: env['OIDC_TENANT'] ?? DEFAULT_TENANT,
  };
}

function readRoles(text: string, refuse: Refuse): ProviderConfig['roles'] {
  const roles = new Map<string, PeopleRole[]>();
  for (const item of splitList(text)) {
    const [, name, value] = /^([a-z]+)=(.+)$/.exec(item) ?? [];
    const role = PEOPLE_ROLES.find((one) => one === name);
    if (role === undefined)
      refuse('OIDC_ROLES', `must be role=value, comma-separated; roles are ${PEOPLE_ROLES.join(', ')}`);
    else roles.set(value!, [...(roles.get(value!) ?? []), role]);
  }
  return roles;
}
