import { holdsSecret, MAX_IDENTIFIER_LENGTH, readTime, RescindError } from '../contracts/index.js';
import { defaultEffect, isByIdentity, parseSelector, type Effect, type Selector } from '../rules/index.js';
import { refuseEverything, UNCOUNTED, type Confirm } from './confirmation.js';
import { LIFT, MAX_REASON_LENGTH, ORDER } from './order-schema.js';

/** A valid order. `reach.ts` decides whether the caller may give it. */
export interface Order {
  readonly selector: Selector;
  readonly effect: Effect;
  /** Epoch seconds. Absent: the time of the order. */
  readonly before?: number;
  /** Epoch seconds. */
  readonly until?: number;
  /** At `until`, everything that was stopped becomes good again. */
  readonly resume?: true;
  readonly reauthenticate: boolean;
  readonly reason: string;
  readonly on_behalf_of?: string;
  /** Confirms that the rule is intended although it hits many. Not recorded. */
  readonly confirm?: Confirm;
}

export interface Lift {
  readonly resume: boolean;
  readonly reason: string;
  readonly on_behalf_of?: string;
}

/** Reads the body of `POST /v1/revocations` (wire.md). `now` is epoch seconds. */
export function readOrder(body: unknown, now: number): Order {
  const input = readMembers(body, ORDER);
  const selector = readSelector(input['selector']);
  const effect = readEffect(input['effect']) ?? defaultEffect(selector);
  const before = readTime('before', input['before'], now);
  const until = readTime('until', input['until'], now, 'after');
  const reauthenticate = readFlag('reauthenticate', input['reauthenticate']);
  const reason = readReason(input['reason']);
  if (reason === undefined) throw new RescindError('reason-required');
  if (effect === 'block') {
    if (before !== undefined)
      throw new RescindError('invalid-effect', { detail: '`before` belongs to a revoke; a block has no moment' });
    if (reauthenticate) throw new RescindError('invalid-effect', { detail: '`reauthenticate` belongs to a revoke' });
    if (until !== undefined && until <= now)
      throw new RescindError('time-not-future', { detail: '`until` lies in the past' });
  } else {
    if (until !== undefined)
      throw new RescindError('invalid-effect', { detail: '`until` belongs to a block; a revoke is for ever' });
    if (before !== undefined && isByIdentity(selector)) {
      throw new RescindError('invalid-effect', {
        detail:
          'a token, an ID-JAG or a session is revoked whenever it was granted; leave `before` out, or name another member',
      });
    }
    if (before !== undefined && before > now)
      throw new RescindError('time-not-past', { detail: '`before` lies in the future' });
  }
  const resume = readFlag('resume', input['resume']);
  if (resume && until === undefined)
    throw new RescindError('invalid-effect', { detail: '`resume` says what happens at `until`, which is missing' });
  const confirm = readConfirm(input['confirm']);
  if (selector.all === true && confirm !== true) throw refuseEverything();
  return {
    selector,
    effect,
    ...(before === undefined ? {} : { before }),
    ...(until === undefined ? {} : { until }),
    ...(resume ? { resume } : {}),
    reauthenticate,
    reason,
    ...readPerson(input['on_behalf_of']),
    ...(confirm === undefined ? {} : { confirm }),
  };
}

/** Reads the same body for a preview, which needs no reason and no confirmation. */
export function readPreview(body: unknown, now: number): Order {
  if (!isObject(body)) return readOrder(body, now);
  readConfirm(body['confirm']);
  return readOrder({ reason: 'preview', ...body, confirm: true }, now);
}

export function readLift(body: unknown): Lift {
  const input = readMembers(body ?? {}, LIFT);
  return {
    resume: readFlag('resume', input['resume']),
    reason: readReason(input['reason']) ?? 'lifted without a stated reason',
    ...readPerson(input['on_behalf_of']),
  };
}

function readSelector(value: unknown): Selector {
  const selector = parseSelector(value);
  for (const text of textsIn(selector)) refuseSecret('selector', text);
  return selector;
}

function readMembers(
  body: unknown,
  { properties }: { readonly properties: object },
): Readonly<Record<string, unknown>> {
  if (!isObject(body)) throw new RescindError('invalid-request', { detail: 'the body must be a JSON object' });
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(properties, name));
  if (unknown !== undefined)
    throw new RescindError('invalid-request', { detail: `unknown member: ${unknown.slice(0, 64)}` });
  return body;
}

function readEffect(value: unknown): Effect | undefined {
  if (value === undefined || value === 'revoke' || value === 'block') return value;
  throw new RescindError('invalid-effect', { detail: '`effect` must be revoke or block' });
}

function readFlag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new RescindError('invalid-request', { detail: `\`${name}\` must be true or false` });
}

function readConfirm(value: unknown): Confirm | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true || value === UNCOUNTED || (Number.isSafeInteger(value) && (value as number) >= 0))
    return value as Confirm;
  throw new RescindError('invalid-request', {
    detail: `\`confirm\` must be the number that the preview says, "${UNCOUNTED}" if nothing could be counted, or true for a rule on everything`,
  });
}

function readReason(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > MAX_REASON_LENGTH || value.trim() === '') {
    throw new RescindError('invalid-request', {
      detail: `\`reason\` must be text of at most ${MAX_REASON_LENGTH} characters`,
    });
  }
  refuseSecret('reason', value);
  return value;
}

function readPerson(value: unknown): { on_behalf_of?: string } {
  if (value === undefined) return {};
  if (typeof value !== 'string' || value === '' || value.length > MAX_IDENTIFIER_LENGTH) {
    throw new RescindError('invalid-request', {
      detail: `\`on_behalf_of\` must be a name of at most ${MAX_IDENTIFIER_LENGTH} characters`,
    });
  }
  refuseSecret('on_behalf_of', value);
  return { on_behalf_of: value };
}

const textsIn = (selector: Selector): readonly string[] =>
  Object.values(selector)
    .flatMap((member) => (typeof member === 'object' ? Object.values(member) : [member]))
    .filter((value): value is string => typeof value === 'string');

/** Refuses secrets in text that a person types, because the ledger keeps and shows it. */
function refuseSecret(name: string, value: string): void {
  if (holdsSecret(value))
    throw new RescindError('token-in-request', {
      detail: `\`${name}\` holds a token or a secret; name it by its issuer and jti, or by its SHA-256`,
    });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
