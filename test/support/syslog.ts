/** A message, as RFC 5424 reads it. */
export interface ReadMessage {
  readonly facility: number;
  readonly severity: number;
  readonly timestamp: string;
  readonly hostname: string | null;
  readonly appName: string | null;
  readonly procId: string | null;
  readonly msgId: string | null;
  readonly structured: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly msg: string;
}

/** Splits octets into frames (RFC 5425, section 4.3). Throws where a frame is malformed; returns the octets of an unfinished one. */
export function readFrames(octets: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = octets;
  for (;;) {
    const space = rest.indexOf(0x20);
    if (space === -1) {
      if (!/^(?:[1-9][0-9]{0,9})?$/.test(rest.toString('latin1'))) throw new Error('MSG-LEN is no number');
      return { messages, rest };
    }
    const length = rest.subarray(0, space).toString('latin1');
    if (!/^[1-9][0-9]{0,9}$/.test(length)) throw new Error(`MSG-LEN is ${JSON.stringify(length)}`);
    const end = space + 1 + Number(length);
    if (rest.length < end) return { messages, rest };
    messages.push(rest.subarray(space + 1, end));
    rest = rest.subarray(end);
  }
}

/** Reads a message strictly by the ABNF of RFC 5424, section 6. Throws for anything else. */
export function readSyslog(octets: Buffer): ReadMessage {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  let at = 0;
  const fail = (wanted: string): never => {
    throw new Error(`${wanted} is expected at ${at} of ${JSON.stringify(text.slice(0, 200))}`);
  };
  const take = (pattern: RegExp, wanted: string): string => {
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = at;
    const found = sticky.exec(text);
    if (found === null) return fail(wanted);
    at = sticky.lastIndex;
    return found[0];
  };
  const space = (): string => take(/ /, 'SP');
  const printable = (most: number, wanted: string): string | null => {
    const value = take(new RegExp(`[\\x21-\\x7e]{1,${most}}(?= )`), wanted);
    return value === '-' ? null : value;
  };

  take(/</, '<');
  const priority = Number(take(/(?:0|[1-9][0-9]{0,2})(?=>)/, 'PRIVAL'));
  if (priority > 191) fail('PRIVAL up to 191');
  take(/>1/, '> and VERSION 1');
  space();
  const timestamp = take(
    /\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)/,
    'TIMESTAMP',
  );
  space();
  const hostname = printable(255, 'HOSTNAME');
  space();
  const appName = printable(48, 'APP-NAME');
  space();
  const procId = printable(128, 'PROCID');
  space();
  const msgId = printable(32, 'MSGID');
  space();
  const structured = new Map<string, ReadonlyMap<string, string>>();
  if (text[at] === '-') at++;
  else {
    do {
      const [id, parameters] = readElement();
      if (structured.has(id)) fail('an SD-ID once');
      structured.set(id, parameters);
    } while (text[at] === '[');
  }
  let msg = '';
  if (at < text.length) {
    space();
    msg = text.slice(at);
    // MSG-ANY has no mark, so that nobody can tell its encoding: only ASCII is safe there.
    if (msg.startsWith('\ufeff')) msg = msg.slice(1);
    else if (!/^[\x20-\x7e]*$/.test(msg)) fail('MSG of printable ASCII, or with a BOM,');
  }
  return {
    facility: priority >> 3,
    severity: priority & 7,
    timestamp,
    hostname,
    appName,
    procId,
    msgId,
    structured,
    msg,
  };

  function readElement(): readonly [string, ReadonlyMap<string, string>] {
    take(/\[/, '[');
    const id = take(/[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}/, 'SD-ID');
    if (!/^[^@]+@\d+(?:\.\d+)*$/.test(id) && !['timeQuality', 'origin', 'meta'].includes(id))
      fail('an SD-ID with a number');
    const parameters = new Map<string, string>();
    while (text[at] === ' ') {
      at++;
      const name = take(/[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}(?==")/, 'PARAM-NAME');
      take(/="/, '="');
      let value = '';
      for (; text[at] !== '"'; at++) {
        if (at >= text.length || text[at] === ']') fail('an escaped ] or the end of PARAM-VALUE');
        if (text[at] === '\\' && /["\\\]]/.test(text[at + 1] ?? '')) at++;
        // Section 6.3.3 leaves control characters to the receiver; many end a line at one.
        if (text.charCodeAt(at) < 0x20) fail('PARAM-VALUE without control characters');
        value += text[at];
      }
      at++;
      if (!parameters.has(name)) parameters.set(name, value);
    }
    take(/\]/, ']');
    return [id, parameters];
  }
}
