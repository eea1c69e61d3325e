import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Secret } from '../config/index.js';
import { createLog } from '../log/index.js';
import { createMetrics, createOtlpSink, type EndedSpan } from './index.js';
import { MAX_WAITING_SPANS } from './otlp.js';

const span = (name: string): EndedSpan => ({
  traceId: '1'.repeat(32),
  spanId: '2'.repeat(16),
  parentSpanId: undefined,
  name,
  kind: 'internal',
  startMs: 1_790_000_000_000.25,
  endMs: 1_790_000_000_001,
  attributes: {},
  failed: false,
});

function sut(endpoint: string): {
  sink: ReturnType<typeof createOtlpSink>;
  dropped: () => Promise<string>;
  logged: string[];
} {
  const metrics = createMetrics();
  const logged: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => logged.push(line) } });
  const headers = new Secret('api-key=hunter2');
  const sink = createOtlpSink({ endpoint, headers, serviceName: 'spec', version: '1', metrics, log });
  return {
    sink,
    logged,
    dropped: async () => /^rescind_trace_spans_dropped_total (\d+)$/m.exec(await metrics.text())![1]!,
  };
}

describe('the OTLP sink', () => {
  it('counts what no collector got, says so once, and goes on', async () => {
    const { sink, dropped, logged } = sut('http://127.0.0.1:1');
    for (let i = 0; i < 600; i += 1) sink.add(span('a'));
    await sink.stop();
    expect(await dropped()).toBe('600');
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toContain('hunter2');
  });

  it('holds no more than it may', async () => {
    const { sink, dropped } = sut('http://127.0.0.1:1');
    for (let i = 0; i < MAX_WAITING_SPANS + 5; i += 1) sink.add(span('a'));
    expect(await dropped()).toBe('5');
    await sink.stop();
  });

  it('counts what a collector refused, and follows it nowhere', async () => {
    const paths: (string | undefined)[] = [];
    const collector = createServer((req, res) => {
      paths.push(req.url);
      req.resume();
      res.writeHead(307, { location: '/elsewhere' }).end();
    });
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    const { sink, dropped } = sut(`http://127.0.0.1:${(collector.address() as { port: number }).port}/`);
    sink.add(span('a'));
    await sink.stop();
    collector.close();
    expect([await dropped(), paths]).toEqual(['1', ['/v1/traces']]);
  });
});
