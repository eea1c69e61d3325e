import { RescindError } from '../contracts/index.js';
import { isByIdentity, type Selector } from '../rules/index.js';
import type { Preview } from '../selection/index.js';

/** Smaller numbers of users and tokens never need a confirmation: in a small organisation one application is a large share. */
const LEAST_USERS = 20;
const LEAST_TOKENS = 100;

/** How far the number may have moved since its preview: a tenth, but at least ten. */
const MOVED_SHARE = 0.1;
const MOVED_LEAST = 10;

/** `confirm` of an order: `true` for a rule on everything, otherwise the previewed number, or `uncounted` if counting failed. */
export type Confirm = true | number | typeof UNCOUNTED;
export const UNCOUNTED = 'uncounted';

type Counts = Pick<Preview, 'users' | 'tokens'>;

/** The number that an order must name, and the total. `of` is null if the total could not be counted or is not told. */
export interface Asked {
  readonly by: 'users' | 'tokens';
  readonly number: number;
  readonly of: number | null;
}

/**
 * Whether the rule can hit a share of an organisation. A rule that names a token, an ID-JAG, a session or a user hits one person; a rule on
 * everything has a confirmation of its own.
 */
export const mayBeWide = (selector: Selector): boolean =>
  selector.all !== true && !isByIdentity(selector) && !selector.user;

/** Whether the rule hits so many that their share must be checked. */
export const isMany = ({ users, tokens }: Counts): boolean => users >= LEAST_USERS || tokens >= LEAST_TOKENS;

/** Returns the confirmation that the rule needs; undefined for none. `share` is in percent. `all` is null if it could not be counted. */
export function askedOf(hits: Counts, all: Counts | null, share: number): Asked | undefined {
  const exceeds = (by: 'users' | 'tokens', least: number): boolean =>
    hits[by] >= least && (all === null || hits[by] * 100 > share * all[by]);
  const by = exceeds('users', LEAST_USERS) ? 'users' : exceeds('tokens', LEAST_TOKENS) ? 'tokens' : undefined;
  return by && { by, number: hits[by], of: all === null ? null : Math.max(all[by], hits[by]) };
}

/** Whether `confirm` gives the number that is asked for. */
export function isConfirmed(confirm: Confirm | undefined, { number }: Asked): boolean {
  return typeof confirm === 'number' && Math.abs(confirm - number) <= Math.max(MOVED_LEAST, MOVED_SHARE * number);
}

/** Whether the order may proceed although counting failed: `confirm` is a previewed number or `uncounted`. */
export const isConfirmedUncounted = (confirm: Confirm | undefined): boolean =>
  typeof confirm === 'number' || confirm === UNCOUNTED;

export function refuseUnconfirmed(asked: Asked, hits: Preview, confirm: Confirm | undefined): RescindError {
  const what = asked.by === 'users' ? 'users' : 'live tokens';
  const number = `${hits.at_least ? 'at least ' : ''}${grouped(asked.number)}`;
  const many =
    asked.of === null
      ? `${number} ${what}`
      : `${number} of ${grouped(asked.of)} ${what}${asked.of > 0 ? ` (${Math.round((100 * asked.number) / asked.of)} %)` : ''}`;
  const wrong = typeof confirm === 'number' ? `, and \`confirm\` says ${grouped(confirm)}` : '';
  return new RescindError('confirmation-required', {
    detail: `the rule hits ${many}${wrong}; nothing was ordered. If that is meant, send the same order with "confirm": ${asked.number}`,
    extensions: { confirm: asked.number, by: asked.by, of: asked.of, hits },
  });
}

export const refuseUncounted = (): RescindError =>
  new RescindError('confirmation-required', {
    detail: `the hits of the rule could not be counted in time; nothing was ordered. To order it all the same, send the same order with "confirm": "${UNCOUNTED}"`,
    extensions: { confirm: UNCOUNTED, hits: null },
  });

export const refuseEverything = (): RescindError =>
  new RescindError('confirmation-required', {
    detail:
      'the rule selects everything; nothing was ordered. If that is meant, send the same order with "confirm": true',
    extensions: { confirm: true },
  });

const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
