/** Formats an event of the stream (WHATWG HTML, section 9.2). `data` is one line, because JSON escapes line ends. */
export const frame = (event: 'start' | 'reset' | 'rule' | 'forget' | 'seq', seq: bigint, data: object): string =>
  `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** A comment that shows that the stream is alive. */
export const HEARTBEAT = ':\n\n';
