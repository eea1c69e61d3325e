import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { createMigratedDatabase, testLog, type TestDatabase } from '../../support/services.js';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number };
}
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: unknown;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const API_KEY = 'collector-hunter2';

describe('traces', () => {
  let database: TestDatabase;
  let home: string;
  let service: RunningRescind;
  let collector: Server;
  const received: { path: string | undefined; key: unknown; body: ExportRequest }[] = [];
  let answered: number;
  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    collector = createServer((req, res) => void take(req, res));
    cleanups.push(() => collector.close());
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    const { port } = collector.address() as { port: number };
    database = await createMigratedDatabase();
    cleanups.push(() => database.drop());
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
    cleanups.push(() => rm(home, { recursive: true, force: true }));
    const env = {
      RESCIND_HOME: home,
      PORT: '0',
      DATABASE_URL: database.url,
      KAFKA_BROKERS: 'none',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: `api-key=${API_KEY}`,
      OTEL_SERVICE_NAME: 'rescind-spec',
    };
    service = await startRescind(readConfig(env), { log: testLog() });
    cleanups.push(() => service.stop());
    // The first use of a key is an entry of its own, which no order below should have beside it.
    await fetch(`${service.url}/v1/me`, { headers: { authorization: `Bearer ${service.adminKey}` } });
    answered = await order({ traceparent: `00-${TRACE}-${PARENT}-01` });
    await order({ traceparent: `00-${'1'.repeat(32)}-${PARENT}-00` });
    await order({});
    await introspect({});
    await introspect({ traceparent: `00-${'2'.repeat(32)}-${PARENT}-01` });
    await service.stop();
  });

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    received.push({ path: req.url, key: req.headers['api-key'], body: (await json(req)) as ExportRequest });
    res.setHeader('content-type', 'application/json').end('{}');
  }

  async function order(headers: Record<string, string>): Promise<number> {
    const response = await fetch(`${service.url}/v1/revocations?token=hunter2`, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        selector: { issuer: 'https://idp.example', client: { iss: 'https://idp.example', client_id: 'secret-client' } },
        reason: 'spec',
      }),
    });
    await response.text();
    return response.status;
  }

  async function introspect(headers: Record<string, string>): Promise<void> {
    const body = new URLSearchParams({ token: 'hunter2' });
    await (
      await fetch(`${service.url}/introspect`, {
        method: 'POST',
        headers: { authorization: `Bearer ${service.adminKey}`, ...headers },
        body,
      })
    ).text();
  }

  const spans = (): Span[] =>
    received.flatMap(({ body }) =>
      body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => [...scope.spans])),
    );
  const ofTrace = (traceId: string): Span[] => spans().filter((span) => span.traceId === traceId);
  const attribute = (span: Span, key: string): object | undefined =>
    span.attributes.find((one) => one.key === key)?.value;

  it('reach the collector in the form that it requires', () => {
    expect(received.length).toBeGreaterThan(0);
    for (const { path, key, body } of received) {
      expect([path, key]).toEqual(['/v1/traces', API_KEY]);
      expect(JSON.stringify(body.resourceSpans[0]!.resource)).toContain(
        '{"key":"service.name","value":{"stringValue":"rescind-spec"}}',
      );
    }
  });

  it('have an order below its caller’s span, and its commit and wait below the order', () => {
    expect(answered).toBeLessThan(300);
    const mine = ofTrace(TRACE);
    const request = mine.find(({ parentSpanId }) => parentSpanId === PARENT)!;
    expect(request).toMatchObject({ name: 'POST /v1/revocations', kind: 2, status: {} });
    expect(attribute(request, 'http.response.status_code')).toEqual({ intValue: String(answered) });
    const below = mine.filter(({ parentSpanId }) => parentSpanId === request.spanId);
    expect(below.map(({ name }) => name).sort()).toEqual(['control.commit', 'control.when-in-force']);
    for (const span of mine) {
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThan(BigInt(span.startTimeUnixNano));
    }
  });

  it('follow the caller’s decision not to sample, and begin a trace if the caller has none', () => {
    expect(ofTrace('1'.repeat(32))).toEqual([]);
    expect(
      spans().filter(
        ({ name, parentSpanId, traceId }) =>
          name === 'POST /v1/revocations' && parentSpanId === undefined && traceId !== TRACE,
      ),
    ).toHaveLength(1);
  });

  it('show introspection only to a caller that samples', () => {
    expect(
      spans()
        .filter(({ name }) => name === 'POST /introspect')
        .map(({ traceId }) => traceId),
    ).toEqual(['2'.repeat(32)]);
  });

  it('contain nothing that a caller sent', () => {
    expect(JSON.stringify(received.map(({ body }) => body))).not.toMatch(/hunter2|rsk_|secret-client|idp\.example/);
  });
});
