import { describe, expect, it } from '@jest/globals';
import type { EndedSpan } from './otlp.js';
import { createTracing, SAMPLED_BY_CALLERS_A_SECOND } from './tracing.js';
import { isSampled, newTraceId, parseTraceparent } from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('parseTraceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ])('takes %s', (header, sampled) => {
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  it.each([
    ['nothing', undefined],
    ['two of them', [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`]],
    ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
    ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['a token', 'Bearer eyJhbGciOiJFUzI1NiJ9.e30.x'],
    ['a line break', `00-${TRACE}-${SPAN}-01\n`],
  ])('begins anew at %s', (_what, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe('a trace', () => {
  function sut(ratio: number): { tracing: ReturnType<typeof createTracing>; spans: EndedSpan[] } {
    const spans: EndedSpan[] = [];
    return {
      spans,
      tracing: createTracing({ ratio, sink: { add: (span) => void spans.push(span), stop: async () => undefined } }),
    };
  }

  it('is sampled because its caller wishes it only so many times a second', () => {
    const { tracing, spans } = sut(0);
    for (let i = 0; i < 100 * SAMPLED_BY_CALLERS_A_SECOND; i += 1)
      tracing.startRequest('GET /introspect', `00-${TRACE}-${SPAN}-01`, {}).end();
    expect(spans.length).toBeGreaterThanOrEqual(SAMPLED_BY_CALLERS_A_SECOND);
    expect(spans.length).toBeLessThan(50 * SAMPLED_BY_CALLERS_A_SECOND);
  });

  it('keeps spans below the one they were begun in, across what is awaited', async () => {
    const { tracing, spans } = sut(1);
    await tracing.span('outer', {}, async () => {
      await Promise.all(['a', 'b'].map((name) => tracing.span(name, {}, async () => void (await Promise.resolve()))));
    });
    const [a, b, outer] = spans;
    expect([a!.name, b!.name, outer!.name]).toEqual(['a', 'b', 'outer']);
    expect([a!.parentSpanId, b!.parentSpanId, outer!.parentSpanId]).toEqual([outer!.spanId, outer!.spanId, undefined]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  it('tells an error by its code, never by its message, and lets it through', async () => {
    const { tracing, spans } = sut(1);
    const error = Object.assign(new Error('password=hunter2'), { code: 'not-confirmed' });
    await expect(tracing.span('wait', { n: 1 }, () => Promise.reject(error))).rejects.toBe(error);
    expect(spans[0]).toMatchObject({ failed: true, attributes: { n: 1, 'error.type': 'not-confirmed' } });
    expect(JSON.stringify(spans)).not.toContain('hunter2');
  });

  it('is kept whole or not at all, by the ratio', async () => {
    const { tracing, spans } = sut(0);
    await tracing.span('outer', {}, () => tracing.span('inner', {}, async () => undefined));
    expect(spans).toEqual([]);
    const kept = Array.from({ length: 4_000 }, newTraceId).filter((id) => isSampled(id, 0.25)).length;
    expect(kept).toBeGreaterThan(800);
    expect(kept).toBeLessThan(1_200);
  });
});
