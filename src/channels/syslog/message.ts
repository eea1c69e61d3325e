/* RFC 5424, as far as Rescind writes it: UTF-8 in parameters, and a message of printable ASCII, which needs no mark of its encoding. */

/** Security and authorization messages (RFC 5424, section 6.2.1). */
const FACILITY = 10;
const NIL = '-';
const APP_NAME = 'rescind';
/** Bounds of RFC 5424, section 6, in characters. */
const MAX_HOSTNAME = 255;
const MAX_MSGID = 32;
/** A name is cut at so many characters; the message has all of it. */
const MAX_PARAMETER = 128;
/** RFC 5425, section 4.3.1: receivers should take so many octets. */
export const MAX_MESSAGE_BYTES = 8_192;

/** Numerical severities of RFC 5424 for those of findings. */
export const SYSLOG_SEVERITY = { critical: 2, high: 3, medium: 4, low: 5, info: 6 } as const;

export interface SyslogMessage {
  readonly severity: number;
  readonly at: Date;
  /** Name of the deployment's host; undefined if it has not said how it is reached. */
  readonly hostname: string | undefined;
  readonly msgId: string;
  /** `name@number`: no standard has defined it. */
  readonly sdId: string;
  /** Parameters of the structured data. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Bodies, the fullest first. The first with which the message fits is sent; the last one is sent in any case. */
  readonly bodies: readonly object[];
}

/** Formats a message: `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD] MSG`. */
export function formatMessage({ severity, at, hostname, msgId, sdId, parameters, bodies }: SyslogMessage): Buffer {
  const header = [
    `<${FACILITY * 8 + severity}>1`,
    at.toISOString(),
    headerValue(hostname, MAX_HOSTNAME),
    APP_NAME,
    NIL,
    headerValue(msgId, MAX_MSGID),
    `[${[sdId, ...parameters.map(([name, value]) => `${name}="${parameterValue(value)}"`)].join(' ')}]`,
  ].join(' ');
  for (const [nth, body] of bodies.entries()) {
    const message = Buffer.from(`${header} ${asciiJson(body)}`, 'utf8');
    if (message.length <= MAX_MESSAGE_BYTES || nth === bodies.length - 1) return message;
  }
  return Buffer.from(header, 'utf8');
}

/** Frames a message by its length (RFC 5425, section 4.3). */
export const frameOf = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${message.length} `, 'ascii'), message]);

/** Values of the header are printable ASCII without spaces. */
function headerValue(value: string | undefined, most: number): string {
  const plain = (value ?? '').replace(/[^\x21-\x7e]/g, '').slice(0, most);
  return plain === '' ? NIL : plain;
}

/** Cuts a value, escapes what ends it, and replaces what no line shows. A lone surrogate has no form in UTF-8. */
const parameterValue = (value: string): string =>
  [...value]
    .slice(0, MAX_PARAMETER)
    .join('')
    // oxlint-disable-next-line no-control-regex -- control characters are what it replaces
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
    .replace(/[\ud800-\udfff]/gu, '\ufffd')
    .replace(/["\\\]]/g, '\\$&');

/** Writes JSON in ASCII, so that its bytes are the same in each encoding. */
const asciiJson = (body: object): string =>
  JSON.stringify(body).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
