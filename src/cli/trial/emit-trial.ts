import { RequestFailed, pathOf, type Answer, type Client } from '../client.js';
import { TRIAL_APP, TRIAL_APP_TYPES, TRIAL_IDP, TRIAL_IDP_TYPES } from './emit-mix.js';

const CALLER = 'trial-emitter';

/** A key for one run. */
export interface Trial {
  readonly key: string;
  /** Removes the key. Nobody accepts it afterwards. */
  remove(): Promise<void>;
}

/**
 * Registers the parties of the trial if they are missing, and resolves with a key that may emit for both until `expiresAt` (epoch seconds).
 * Needs a client with an administrator's key.
 */
export async function registerTrial(client: Client, expiresAt: number): Promise<Trial> {
  await unlessThere(
    client.post(pathOf('sources'), {
      name: TRIAL_IDP.name,
      uri: TRIAL_IDP.uri,
      types: TRIAL_IDP_TYPES,
      issuers: [TRIAL_IDP.issuer],
    }),
  );
  await unlessThere(
    client.post(pathOf('sources'), {
      name: TRIAL_APP.name,
      uri: TRIAL_APP.uri,
      types: TRIAL_APP_TYPES,
      issuers: [TRIAL_APP.issuer],
      resources: [TRIAL_APP.resource],
    }),
  );
  const roles = { emit: { sources: [TRIAL_IDP.name, TRIAL_APP.name] } };
  const created = await unlessThere(client.post(pathOf('callers'), { id: CALLER, roles, expires_at: expiresAt }));
  const secret = created ?? (await anotherSecret(client, expiresAt));
  const id = secretIdOf(secret);
  return {
    key: secret['secret'] as string,
    async remove() {
      if (id !== undefined) await client.delete(pathOf('callers', CALLER, 'secrets', id));
    },
  };
}

async function unlessThere(request: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof RequestFailed && error.code === 'already-exists') return undefined;
    throw error;
  }
}

/**
 * Adds a secret to the existing caller. A killed run leaves its secret behind; if the caller already has two secrets, the older one is
 * removed.
 */
async function anotherSecret(client: Client, expiresAt: number): Promise<Answer> {
  const add = (): Promise<Answer> => client.post(pathOf('callers', CALLER, 'secrets'), { expires_at: expiresAt });
  try {
    return await add();
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.code !== 'too-many-secrets') throw error;
  }
  const { secrets } = await client.get(pathOf('callers', CALLER));
  await client.delete(pathOf('callers', CALLER, 'secrets', (secrets as { id: string }[])[0]!.id));
  return add();
}

/** Finds the id of the secret: a new caller's answer lists its one secret, a new secret's answer has its id. */
function secretIdOf(answer: Answer): string | undefined {
  const { secrets, id } = answer as { secrets?: readonly { id: string }[]; id?: string };
  return secrets === undefined ? id : secrets[0]?.id;
}
