import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { buildEvent, toKafkaMessage } from '../../src/emit/index.js';
import { cleanUp } from '../support/cleanups.js';
import { isAlive, untilGone } from '../support/orphans.js';
import { kafkaPid, makeHome, postgresPid, removeHome, runRescind, untilSeen, untilUp, type Served } from './served.js';

const IDP = 'https://idp.acme.example';
const TEST_TIMEOUT_MS = 180_000;

describe('the embedded services of a running Rescind', () => {
  let home: string;
  let served: Served;
  let url: string;
  let key: string;
  let introspecting: string;
  let events = 0;

  const call = async (path: string, body?: unknown, secret = key): Promise<{ status: number; body: any }> => {
    const form = typeof body === 'string';
    const headers = {
      authorization: `Bearer ${secret}`,
      ...(body === undefined
        ? {}
        : { 'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json' }),
    };
    const answer = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const start = async (): Promise<void> => {
    served = runRescind(['serve'], home);
    url = await untilUp(served);
  };
  const said = (line: string): number => served.out().split(line).length - 1;
  const brokersOf = (): string => /Kafka at ([\d.:]+)/.exec(served.out())![1]!;

  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    home = await makeHome();
    cleanups.push(() => removeHome(home));
    cleanups.push(() => {
      served.signal('SIGKILL');
      return served.ended;
    });
    await start();
    key = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
    expect(
      (
        await call('/v1/sources', {
          name: 'idp',
          uri: IDP,
          types: ['session.ended'],
          issuers: [IDP],
          resources: ['https://api.example'],
        })
      ).status,
    ).toBe(201);
    const caller = await call('/v1/callers', {
      id: 'asks',
      roles: { introspect: { resources: ['https://api.example'], issuers: [IDP] } },
    });
    expect(caller.status).toBe(201);
    introspecting = caller.body.secret;
  }, TEST_TIMEOUT_MS);
  afterEach(() => expect(served.out()).not.toContain('"level":"fatal"'));

  const stored = async (): Promise<number> =>
    Number(
      (await call('/v1/sources/idp/check')).body.types.find(({ type }: { type: string }) => type === 'session.ended')
        ?.events ?? 0,
    );

  /** Introspection answers, and an event that is written to Kafka comes into the ledger. */
  async function expectWorking(): Promise<void> {
    await untilSeen(served, async () =>
      (await call('/introspect', 'token=unknown', introspecting)).status === 200 ? true : undefined,
    );
    const before = await untilSeen(served, stored);
    const kafka = new Kafka({
      clientId: 'spec',
      brokers: [brokersOf()],
      logLevel: logLevel.NOTHING,
      retry: { retries: 20, maxRetryTime: 1_000 },
    });
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const event = buildEvent('session.ended', {
      source: IDP,
      id: `e-${++events}`,
      data: { iss: IDP, sid: `s-${events}`, sub: 'alice' },
    });
    await producer.send({ topic: 'rescind.events.idp', messages: [toKafkaMessage(event, { mode: 'structured' })] });
    await producer.disconnect();
    await untilSeen(served, async () => ((await stored()) === before + 1 ? true : undefined));
  }

  /** Each problem is written once in ten seconds, whoever meets it how often. */
  function expectFewStacks(from: number, seconds: number): void {
    const kinds = new Map<string, number>();
    for (const line of served
      .out()
      .slice(from)
      .split('\n')
      .filter((text) => text.includes('"stack"'))) {
      // kafkajs has the stack beside its message.
      const { msg, err } = JSON.parse(line) as { msg: string; err?: { message: string } };
      const kind = `${msg}: ${err?.message ?? ''}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    for (const [kind, lines] of kinds)
      expect({ kind, tooMany: lines > 2 + seconds / 10 }).toEqual({ kind, tooMany: false });
  }

  it.each([
    ['PostgreSQL', postgresPid],
    ['Kafka', kafkaPid],
  ])(
    'restart %s at the same address when it is killed, log it once, and everything reconnects',
    async (name, pidOf) => {
      await expectWorking();
      const from = served.out().length;
      const startedAt = performance.now();
      const killed = await pidOf(home);
      process.kill(killed, 'SIGKILL');
      await untilSeen(served, () => (said(`${name} runs again`) === 1 ? true : undefined));
      expect(await pidOf(home)).not.toBe(killed);
      await expectWorking();
      expect(said(`${name} ended unexpectedly; starting it again`)).toBe(1);
      expect(said(`${name} runs again`)).toBe(1);
      expectFewStacks(from, (performance.now() - startedAt) / 1000);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'recover at the next start after Rescind, both services and their guards were killed',
    async () => {
      const left = [await postgresPid(home), await kafkaPid(home)];
      served.signal('SIGKILL');
      await served.ended;
      await start();
      for (const pid of left) expect(isAlive(pid)).toBe(false);
      await expectWorking();
    },
    TEST_TIMEOUT_MS,
  );
});

describe('an embedded service that cannot be started again', () => {
  it(
    'ends the process with a status and a message, and stops everything else that the process had started',
    async () => {
      const home = await makeHome();
      const served = runRescind(['serve'], home);
      try {
        await untilUp(served);
        const [postgres, kafka] = [await postgresPid(home), await kafkaPid(home)];
        await rename(join(home, 'postgres', 'data', 'global'), join(home, 'postgres', 'moved'));
        await mkdir(join(home, 'postgres', 'data', 'global'));
        process.kill(postgres, 'SIGKILL');
        expect(await served.ended).toMatchObject({ code: 1 });
        expect(served.out()).toMatch(/PostgreSQL ended and could not be kept running in \d+ tries: /);
        await untilGone(kafka);
      } finally {
        served.signal('SIGKILL');
        await served.ended;
        await removeHome(home);
      }
    },
    TEST_TIMEOUT_MS,
  );
});
