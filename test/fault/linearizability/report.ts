import type { RunResult } from './run.js';

const share = (part: number): number => Math.round(part * 10_000) / 10_000;

/** One object a line, as of every bench and fault. */
export function rowOf(
  { seed, seconds, verdict, faults, orders, tokens, behind, checksBy, unavailableShare, stuck, evidence }: RunResult,
  trap?: string,
): object {
  const { checks, active, inactive, unavailable, afterAnswer, stale, wronglyInactive } = verdict;
  return {
    name: 'fault.linearizability',
    value: stale,
    unit: 'stale',
    ...(trap === undefined ? {} : { trap }),
    checks,
    stale,
    wrongly_inactive: wronglyInactive,
    active,
    inactive,
    unavailable,
    unavailable_share: share(unavailableShare),
    after_answer: afterAnswer,
    behind,
    checks_by: checksBy,
    tokens,
    orders,
    faults,
    stuck,
    seconds: Math.round(seconds),
    seed,
    ...(evidence === undefined ? {} : { evidence }),
  };
}

export function describeRun(result: RunResult, trap?: string): string {
  const { verdict, faults, orders } = result;
  const lines = Object.entries({
    'stale active': verdict.stale,
    'wrongly inactive': verdict.wronglyInactive,
    checks: verdict.checks,
    '  asked after the answer of an order': verdict.afterAnswer,
    '  active': verdict.active,
    '  inactive': verdict.inactive,
    '  unavailable': `${verdict.unavailable} (${(100 * result.unavailableShare).toFixed(2)} %)`,
    '  pipelined behind another': result.behind,
    '  by': listed(result.checksBy),
    tokens: result.tokens,
    orders: listed(orders),
    faults: listed(faults),
    ...(result.stuck.length === 0 ? {} : { stuck: result.stuck.join(', ') }),
    seconds: Math.round(result.seconds),
    seed: result.seed,
    ...(trap === undefined ? {} : { trap }),
    ...(result.evidence === undefined ? {} : { evidence: result.evidence }),
  });
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
