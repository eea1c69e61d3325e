import {
  DETECTION_ACTIONS,
  holdsSecret,
  MAX_IDENTIFIER_LENGTH,
  nameSchemas,
  NO_NUL,
  RescindError,
  type DetectionChanged,
} from '../../contracts/index.js';
import type { Detection } from '../detection.js';

export type Action = DetectionChanged['action'];
export type Cap = DetectionChanged['cap'];

/** An action as an administrator sets it. */
export interface ActionInput extends Pick<DetectionChanged, 'action' | 'cap'> {
  readonly on_behalf_of?: string;
}

/** An action that nobody says more about shows what it would do, and never hits more than one person's work. */
const DEFAULT_ACTION: Action = 'dry-run';
const DEFAULT_CAP: Cap = { users: 1, tokens: 20, per_hour: 5 };
const MOST: Cap = { users: 1_000, tokens: 10_000, per_hour: 100 };

const bounded = (name: keyof Cap, description: string) => ({
  type: 'integer',
  minimum: 1,
  maximum: MOST[name],
  default: DEFAULT_CAP[name],
  description,
});

export const ACTION = {
  type: 'object',
  properties: {
    action: {
      type: 'string',
      enum: [...DETECTION_ACTIONS],
      default: DEFAULT_ACTION,
      description:
        '`off`: people order rules. `dry-run`: each new finding says which rule would be ordered. `block`: the rule of each new finding is ordered, within the cap.',
    },
    cap: {
      type: 'object',
      properties: {
        users: bounded('users', 'the most users that a rule may hit, by its preview'),
        tokens: bounded('tokens', 'the most live tokens that a rule may hit, by its preview'),
        per_hour: bounded('per_hour', 'the most rules that the detection orders in an hour'),
      },
      additionalProperties: false,
    },
    on_behalf_of: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_IDENTIFIER_LENGTH,
      pattern: NO_NUL,
      description: 'the person who decided',
    },
  },
  additionalProperties: false,
} as const;

/** Requests as OpenAPI shows them. */
export const ACTION_EXAMPLES = {
  'dry-run': { summary: 'Findings say which rule would be ordered', value: { action: 'dry-run' } },
  block: {
    summary: 'Orders the rule of each new finding, within a cap',
    value: { action: 'block', cap: { users: 1, tokens: 20, per_hour: 5 }, on_behalf_of: 'dana@corp.example' },
  },
  off: { summary: 'People order rules', value: { action: 'off' } },
};

nameSchemas({ DetectionAction: ACTION });

/** Reads the body of `PUT /v1/detections/{kind}`. */
export function readAction({ kind, stop }: Detection, body: unknown): ActionInput {
  const input = readMembers('the body', body ?? {}, ACTION.properties);
  const action =
    input['action'] === undefined ? DEFAULT_ACTION : DETECTION_ACTIONS.find((one) => one === input['action']);
  if (action === undefined) throw invalid(`\`action\` is one of ${DETECTION_ACTIONS.join(', ')}`);
  if (action !== 'off' && stop.length === 0) throw invalid(`no rule stops what ${kind} finds, so its action stays off`);
  const caps = readMembers('`cap`', input['cap'] ?? {}, ACTION.properties.cap.properties);
  const capOf = (name: keyof Cap): number => {
    const value = caps[name] ?? DEFAULT_CAP[name];
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > MOST[name])
      throw invalid(`\`cap.${name}\` is a whole number from 1 to ${MOST[name]}`);
    return value as number;
  };
  const cap = { users: capOf('users'), tokens: capOf('tokens'), per_hour: capOf('per_hour') };
  return { action, cap, ...readPerson(input['on_behalf_of']) };
}

function readMembers(what: string, value: unknown, known: object): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${what} must be a JSON object`);
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) throw invalid(`unknown member: ${unknown.slice(0, 64)}`);
  return value as Readonly<Record<string, unknown>>;
}

function readPerson(value: unknown): { on_behalf_of?: string } {
  if (value === undefined) return {};
  if (typeof value !== 'string' || value === '' || value.length > MAX_IDENTIFIER_LENGTH || value.includes('\0'))
    throw invalid(`\`on_behalf_of\` must be a name of at most ${MAX_IDENTIFIER_LENGTH} characters`);
  if (holdsSecret(value))
    throw new RescindError('token-in-request', { detail: '`on_behalf_of` holds a token or a secret' });
  return { on_behalf_of: value };
}

const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
