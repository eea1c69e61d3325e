import { isRecorded } from '../recorded-token.js';
import type { RescindAdmin } from '../rescind-admin.js';
import type { AppName, ClientName, UserName } from '../organisation.js';
import type { Sandbox } from '../sandbox.js';
import type { Printer } from './printer.js';

/** What every chapter of the demo works with. */
export interface Stage {
  readonly printer: Printer;
  readonly sandbox: Sandbox;
  /** Rescind, as the analyst of the security team sees it. */
  readonly analyst: RescindAdmin;
  /** Turns an issuer, resource or client identifier into the short name that the demo prints. */
  nameOf(identifier: string): string;
  /** API calls that were made with a token, so far: each leaves an event. */
  calls(): number;
  countCall(): void;
}

/** An access token with where it is good. */
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
    for (const client of Object.values(sandbox.clients)) names.set(client.registrationAt(app.name).clientId, client.name);
  }
  return (identifier) => names.get(identifier) ?? identifier;
}

/** One API call, its status and what the API said. Every body of the sandbox is JSON. */
export async function call(stage: Stage, token: HeldToken, method: string, path: string) {
  const { sandbox } = stage;
  stage.countCall();
  const response = await sandbox.clients[token.client].call(token.app, token.accessToken, method, path);
  return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', body: (await response.json()) as unknown };
}

/** A fresh ID-JAG, redeemed for a fresh token that Rescind has heard of. */
export async function obtain(stage: Stage, user: UserName, client: ClientName, app: AppName): Promise<HeldToken> {
  const party = stage.sandbox.clients[client];
  const { accessToken } = await party.redeem(app, await party.exchange(user, app));
  await untilRecorded(stage, accessToken);
  return { user, client, app, accessToken };
}

export const untilRecorded = ({ analyst }: Stage, accessToken: string): Promise<true> => until('the event of a token', () => isRecorded(analyst, accessToken));

/** The `error` of an OAuth refusal; anything else is thrown on. */
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
/** Far above what the slowest step takes on a loaded machine. */
const PATIENCE_MS = 30_000;

/** Asks again until the answer is there; for what reaches Rescind through Kafka, which nobody waits for otherwise. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAt) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
