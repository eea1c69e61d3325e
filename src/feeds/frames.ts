/** An event of the stream (WHATWG HTML, section 9.2). `data` is one line: JSON escapes line ends. */
export const frame = (event: 'start' | 'reset' | 'rule' | 'forget' | 'seq', seq: bigint, data: object): string =>
  `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** A comment: says that the stream lives, and nothing else. */
export const HEARTBEAT = ':\n\n';
