import {
  CLOCK_MARGIN_MS,
  isByIdentity,
  type Check,
  type History,
  type RecordedToken,
  type SentLift,
  type SentOrder,
  type Value,
} from './history.js';

/** A check whose answer no order of events explains. */
export interface Violation {
  readonly kind: 'stale' | 'wrongly-inactive';
  readonly check: Check;
  /** Orders that select the token, in the history's numbering. */
  readonly orders: readonly number[];
}

export interface Verdict {
  readonly checks: number;
  readonly active: number;
  readonly inactive: number;
  readonly unavailable: number;
  /** Checks that had to be inactive, being asked after the answer of an order that selects them: the ones that could be stale. */
  readonly afterAnswer: number;
  readonly stale: number;
  readonly wronglyInactive: number;
  /** The first {@link MAX_VIOLATIONS}. */
  readonly violations: readonly Violation[];
}

const MAX_VIOLATIONS = 100;

/** Half open, on the host clock. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** When a token must not be active, and when it may be inactive: the union of what each order says. */
interface Spans {
  readonly must: readonly Span[];
  readonly may: readonly Span[];
}

/**
 * Checks the product's promise over the recorded history: no *active* to a question that began after the answer to an order that
 * selects the token and stops it; no *inactive* for a token that nothing may stop. A decision falls at one moment between
 * the beginning and the end of its check. So *active* is stale when every such moment lies where the token must be
 * stopped, and *inactive* is wrong when none lies where it may be.
 */
export function checkHistory(history: History): Verdict {
  const spansOf = createSpans(history);
  const counts = { active: 0, inactive: 0, unavailable: 0 };
  const violations: Violation[] = [];
  let [checks, afterAnswer, stale, wronglyInactive] = [0, 0, 0, 0];

  for (const check of history.checks) {
    checks += 1;
    counts[check.answer] += 1;
    if (check.answer === 'unavailable') continue;
    const { must, may } = spansOf(check.token);
    const mustBeStopped = must.some(({ from, to }) => from <= check.began && check.ended < to);
    if (mustBeStopped) afterAnswer += 1;
    const kind =
      mustBeStopped && check.answer === 'active'
        ? 'stale'
        : check.answer === 'inactive' && !may.some((span) => meets(span, check))
          ? 'wrongly-inactive'
          : undefined;
    if (kind === undefined) continue;
    if (kind === 'stale') stale += 1;
    else wronglyInactive += 1;
    if (violations.length < MAX_VIOLATIONS) violations.push({ kind, check, orders: selecting(history, check.token) });
  }
  return { checks, ...counts, afterAnswer, stale, wronglyInactive, violations };
}

const meets = ({ from, to }: Span, { began, ended }: Check): boolean => began < to && ended >= from;

function createSpans({ tokens, orders, epochAtZero }: History): (token: number) => Spans {
  const byFirst = new Map<Value | undefined, SentOrder[]>();
  for (const order of orders) {
    const [first] = order.selector;
    const same = byFirst.get(first);
    if (same) same.push(order);
    else byFirst.set(first, [order]);
  }
  const known = new Map<number, Spans>();

  function spansOf(token: RecordedToken): Spans {
    const must: Span[] = [];
    const may: Span[] = [];
    for (const first of [undefined, ...token.values]) {
      for (const order of byFirst.get(first) ?? []) {
        if (!selects(order, token)) continue;
        const stopped = stoppedBy(order, token, epochAtZero);
        if (stopped.must) must.push(stopped.must);
        if (stopped.may) may.push(stopped.may);
      }
    }
    return { must: union(must), may: union(may) };
  }

  return (at) => {
    let spans = known.get(at);
    if (!spans) known.set(at, (spans = spansOf(tokens[at]!)));
    return spans;
  };
}

const selects = ({ selector }: SentOrder, { values }: RecordedToken): boolean =>
  selector.every((value) => values.has(value));

const selecting = ({ tokens, orders }: History, token: number): number[] =>
  orders.flatMap((order, at) => (selects(order, tokens[token]!) ? [at] : []));

function stoppedBy(
  order: SentOrder,
  token: RecordedToken,
  epochAtZero: number,
): { readonly must?: Span; readonly may?: Span } {
  const inForce = order.answered ?? Infinity;
  const between = (from: number, to: number): Span | undefined => (from < to ? { from, to } : undefined);
  const until = (mustEnd: number, mayEnd: number) => ({
    must: between(inForce, mustEnd),
    may: between(order.began, mayEnd),
  });

  if (order.effect === 'revoke') {
    const reach = isByIdentity(order)
      ? 'always'
      : order.before === undefined
        ? reachesAsOf(order, token, epochAtZero)
        : reachesTo(order.before, token);
    if (reach === 'never') return {};
    return reach === 'always' ? until(Infinity, Infinity) : { may: between(order.began, Infinity) };
  }
  if (order.until !== undefined) {
    const end = order.until * 1000 - epochAtZero;
    const afterwards = order.resume === true ? 'never' : isByIdentity(order) ? 'always' : reachesTo(order.until, token);
    return until(
      afterwards === 'always' ? Infinity : end - CLOCK_MARGIN_MS,
      afterwards === 'never' ? end + CLOCK_MARGIN_MS : Infinity,
    );
  }
  if (order.lift) {
    // A lift without `resume` is a revoke as of the lift, in force before the block ends.
    const afterwards = order.lift.resume
      ? 'never'
      : isByIdentity(order)
        ? 'always'
        : reachesAsOf(order.lift, token, epochAtZero);
    return until(
      afterwards === 'always' ? Infinity : order.lift.began,
      afterwards === 'never' ? (order.lift.answered ?? Infinity) : Infinity,
    );
  }
  return until(Infinity, Infinity);
}

type Reach = 'always' | 'maybe' | 'never';

const reachesTo = (moment: number, { grantedAt, skew }: RecordedToken): Reach =>
  grantedAt <= moment + skew ? 'always' : 'never';

/** A revoke as of an order whose own moment lies somewhere between its first sending and its answer. */
function reachesAsOf(
  { began, answered = Infinity }: SentOrder | SentLift,
  token: RecordedToken,
  epochAtZero: number,
): Reach {
  const earliest = (began + epochAtZero - CLOCK_MARGIN_MS) / 1000;
  const latest = (answered + epochAtZero + CLOCK_MARGIN_MS) / 1000;
  if (token.grantedAt <= earliest + token.skew || token.recorded < began) return 'always';
  return token.grantedAt > latest + token.skew && token.recordingBegan > answered ? 'never' : 'maybe';
}

function union(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && span.from <= last.to) joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else joined.push(span);
  }
  return joined;
}
