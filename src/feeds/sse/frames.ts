/** Formats an event of a stream (WHATWG HTML, section 9.2). `data` is one line, because JSON escapes line ends. */
export const frame = (event: string, id: bigint | string, data: object): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** A comment that shows that the stream is alive. */
export const HEARTBEAT = ':\n\n';

/** Headers of the answer. A proxy must neither keep a stream nor collect it. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  connection: 'close',
} as const;
