import { isRecorded } from '../recorded-token.js';
import type { RescindAdmin } from '../rescind-admin.js';
import type { AppName, ClientName, UserName } from '../organisation.js';
import type { Sandbox } from '../sandbox.js';
import type { Printer } from './printer.js';

/** The objects that every chapter of the demo works with. */
export interface Stage {
  readonly printer: Printer;
  readonly sandbox: Sandbox;
  /** Client of Rescind's API with the analyst's key. */
  readonly analyst: RescindAdmin;
  /** Turns an issuer, resource or client identifier into the short name that the demo prints. */
  nameOf(identifier: string): string;
  /** Counts the API calls made with a token so far. Each call leaves an event. */
  calls(): number;
  countCall(): void;
}

/** An access token, with its user, its client and the application that accepts it. */
export interface HeldToken {
  readonly user: UserName;
  readonly client: ClientName;
  readonly app: AppName;
  readonly accessToken: string;
}

export function createNames(sandbox: Sandbox): Stage['nameOf'] {
  const names = new Map<string, string>([[sandbox.idp.issuer, 'idp']]);
  for (const app of Object.values(sandbox.apps)) {
    names.set(app.resource, app.name);
    names.set(app.issuer, `${app.name} (authorization server)`);
    for (const client of Object.values(sandbox.clients))
      names.set(client.registrationAt(app.name).clientId, client.name);
  }
  return (identifier) => names.get(identifier) ?? identifier;
}

/** Makes one API call and returns its status, challenge and body. Every body of the sandbox is JSON. */
export async function call(stage: Stage, token: HeldToken, method: string, path: string) {
  const { sandbox } = stage;
  stage.countCall();
  const response = await sandbox.clients[token.client].call(token.app, token.accessToken, method, path);
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? '',
    body: (await response.json()) as unknown,
  };
}

/** Gets a fresh ID-JAG, redeems it, and waits until Rescind has recorded the new token. */
export async function obtain(stage: Stage, user: UserName, client: ClientName, app: AppName): Promise<HeldToken> {
  const party = stage.sandbox.clients[client];
  const { accessToken } = await party.redeem(app, await party.exchange(user, app));
  await untilRecorded(stage, accessToken);
  return { user, client, app, accessToken };
}

export const untilRecorded = ({ analyst }: Stage, accessToken: string): Promise<true> =>
  until('the event of a token', () => isRecorded(analyst, accessToken));

/** Returns the `error` of an OAuth refusal, or `nothing was refused` if the work succeeds. Rethrows any other error. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    const code = (error as { error?: unknown }).error;
    if (typeof code === 'string') return code;
    throw error;
  }
  return 'nothing was refused';
}

const POLL_MS = 25;
/** Far longer than the slowest step takes on a loaded machine. */
const PATIENCE_MS = 30_000;

/** Asks again until there is an answer. For facts that reach Rescind through Kafka, whose arrival nothing else waits for. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAt) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
