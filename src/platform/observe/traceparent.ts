import { randomBytes } from 'node:crypto';

/** Position of a span in its trace (W3C Trace Context). */
export interface SpanContext {
  /** 16 bytes, hexadecimal. */
  readonly traceId: string;
  /** 8 bytes, hexadecimal. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Matches version 00. Later versions keep its first four fields (section 3.2.3). */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Parses the header. Undefined if it is absent or malformed, which begins a new trace (section 3.2.2). */
export function parseTraceparent(header: string | readonly string[] | undefined): SpanContext | undefined {
  const fields = typeof header === 'string' ? TRACEPARENT.exec(header) : null;
  if (fields === null || (header!.slice(0, 2) === '00' && fields[4] !== undefined)) return undefined;
  return { traceId: fields[1]!, spanId: fields[2]!, sampled: (Number.parseInt(fields[3]!, 16) & 1) === 1 };
}

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');

/** Whether a trace is sampled. Every process with the same ratio gives the same answer, because a trace id's lowest 7 bytes are random. */
export const isSampled = (traceId: string, ratio: number): boolean =>
  Number.parseInt(traceId.slice(-13), 16) / 2 ** 52 < ratio;
