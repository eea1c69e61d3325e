import {
  FINDING_NAMES,
  FINDING_STATES,
  holdsSecret,
  implies,
  MAX_IDENTIFIER_LENGTH,
  nameSchemas,
  NOT_BLANK,
  readTime,
  RescindError,
  timeInput,
  type FindingChanged,
} from '../../contracts/index.js';

export type SaidState = FindingChanged['state'];
export type SaidName = (typeof FINDING_NAMES)[number];

/** The words of a person about a finding. */
export interface Change {
  readonly state: SaidState;
  readonly reason?: string;
  /** Epoch seconds. */
  readonly until?: number;
  /** Empty: this finding alone. */
  readonly same: readonly SaidName[];
  readonly on_behalf_of?: string;
}

const MAX_REASON_LENGTH = 1_024;
const is = (...states: readonly SaidState[]) => ({ required: ['state'], properties: { state: { enum: states } } });
const without = (member: string) => ({ not: { required: [member] } });

export const CHANGE = {
  type: 'object',
  required: ['state'],
  properties: {
    state: {
      type: 'string',
      enum: [...FINDING_STATES],
      description:
        '`acknowledged`: somebody works on it. `resolved`: new evidence opens it again. `false-alarm`: new evidence opens it again, but not before `until`. `muted`: it is not open before `until`. `open`: takes back what was said.',
    },
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_REASON_LENGTH,
      pattern: NOT_BLANK,
      description: 'Kept in the ledger. A false alarm and a mute need one. Must contain no token and no secret.',
    },
    until: timeInput('For a mute or a false alarm: its end, in the future; a duration counts onwards from now.'),
    same: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'string', enum: [...FINDING_NAMES] },
      description:
        'For a mute: it counts for each finding of the kind, present or later, that has these names of the finding too. With `open`: ends that mute.',
    },
    on_behalf_of: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_IDENTIFIER_LENGTH,
      pattern: NOT_BLANK,
      description: 'the person who says so through the caller',
    },
  },
  additionalProperties: false,
  allOf: [
    implies(is('false-alarm', 'muted'), { required: ['reason'] }),
    implies(is('muted'), { required: ['until'] }),
    implies(is('open', 'acknowledged', 'resolved'), without('until')),
    implies(is('acknowledged', 'resolved', 'false-alarm'), without('same')),
  ],
} as const;

/** Requests as OpenAPI shows them. */
export const CHANGE_EXAMPLES = {
  acknowledge: {
    summary: 'Somebody works on it',
    value: { state: 'acknowledged', reason: 'Dana looks at it', on_behalf_of: 'dana@corp.example' },
  },
  mute: {
    summary: 'Silent for a week, for every finding of the kind about the same client',
    value: { state: 'muted', reason: 'a scanner that we run', until: '7d', same: ['client'] },
  },
  reopen: { summary: 'Takes back what was said', value: { state: 'open' } },
};

nameSchemas({ FindingChange: CHANGE });

/** Reads the body of `POST /v1/findings/{id}`. `now` is epoch seconds. */
export function readChange(body: unknown, now: number): Change {
  const input = readMembers(body);
  const state = readState(input['state']);
  const reason = readText('reason', input['reason'], MAX_REASON_LENGTH);
  const until = readTime('until', input['until'], now, 'after');
  const same = readSame(input['same']);
  const person = readText('on_behalf_of', input['on_behalf_of'], MAX_IDENTIFIER_LENGTH);
  if (reason === undefined && (state === 'false-alarm' || state === 'muted'))
    throw invalid(`\`${state}\` needs a \`reason\``);
  if (until === undefined && state === 'muted') throw invalid('`muted` needs `until`');
  if (until !== undefined && state !== 'muted' && state !== 'false-alarm')
    throw invalid('`until` belongs to `muted` and `false-alarm`');
  if (same.length > 0 && state !== 'muted' && state !== 'open')
    throw invalid('`same` belongs to `muted`, and to `open`, which ends such a mute');
  if (until !== undefined && until <= now)
    throw new RescindError('time-not-future', { detail: '`until` lies in the past' });
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(until === undefined ? {} : { until }),
    same,
    ...(person === undefined ? {} : { on_behalf_of: person }),
  };
}

function readMembers(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body must be a JSON object');
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(CHANGE.properties, name));
  if (unknown !== undefined) throw invalid(`unknown member: ${unknown.slice(0, 64)}`);
  return body as Readonly<Record<string, unknown>>;
}

function readState(value: unknown): SaidState {
  const state = FINDING_STATES.find((one) => one === value);
  if (state === undefined) throw invalid(`\`state\` is one of ${FINDING_STATES.join(', ')}`);
  return state;
}

function readText(name: string, value: unknown, most: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '' || [...value].length > most || value.includes('\0'))
    throw invalid(`\`${name}\` must be text of at most ${most} characters`);
  if (holdsSecret(value))
    throw new RescindError('token-in-request', {
      detail: `\`${name}\` holds a token or a secret; name it by its issuer and jti, or by its SHA-256`,
    });
  return value;
}

function readSame(value: unknown): readonly SaidName[] {
  if (value === undefined) return [];
  const names = Array.isArray(value) ? FINDING_NAMES.filter((name) => value.includes(name)) : [];
  if (names.length === 0 || names.length !== (value as readonly unknown[]).length)
    throw invalid(`\`same\` is a list of ${FINDING_NAMES.join(', ')}, each once`);
  return names;
}

const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
