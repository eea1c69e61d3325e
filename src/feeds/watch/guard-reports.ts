import type { Seq } from '../../control/index.js';

/** Pause between two reports of a process; the first one of a while leaves at once. */
const REPORT_EVERY_MS = 50;
/** Guards in one message: PostgreSQL carries 8,000 bytes, and a guard takes at most 130. */
const GUARDS_A_MESSAGE = 50;
/** Messages of one report. Further guards are left out: those who watch see them counted by their node. */
const MAX_MESSAGES = 20;
/** A guard that has not asked for a grant for so long is forgotten. */
const FORGOTTEN_AFTER_MS = 60_000;

/** A guard with the seq up to which it has applied the log. */
export interface Held {
  readonly tenant: string;
  readonly caller: string;
  readonly guard: string;
  readonly held: Seq;
}

export const GUARD_CHANNEL = 'rescind_guards';

/** Tells other processes which guards have applied a record of their tenant. Best effort, for people who watch. */
export interface GuardReports {
  /** Notes a grant. */
  granted(held: Held): void;
  prune(): void;
  stop(): void;
}

export interface GuardReportsOptions {
  /** Sends a message to every process. */
  readonly send: (messages: readonly string[]) => Promise<unknown>;
  /** Returns the seq of the last record of a tenant. */
  readonly lastOf: (tenant: string) => Seq;
  readonly monotonic?: () => number;
}

export function createGuardReports({
  send,
  lastOf,
  monotonic = () => performance.now(),
}: GuardReportsOptions): GuardReports {
  const known = new Map<string, { held: Seq; at: number }>();
  let due = new Map<string, Held>();
  let timer: NodeJS.Timeout | undefined;
  let sentAt = -Infinity;

  function flush(): void {
    timer = undefined;
    const messages = messagesOf([...due.values()]);
    due = new Map();
    sentAt = monotonic();
    send(messages).catch(() => undefined);
  }

  return {
    granted(one) {
      const { tenant, caller, guard, held } = one;
      const name = `${caller}/${guard}`;
      const before = known.get(name);
      known.set(name, { held, at: monotonic() });
      // A guard without a grant before had nothing to confirm.
      if (before === undefined || held <= before.held || lastOf(tenant) <= before.held) return;
      due.set(name, one);
      timer ??= setTimeout(flush, Math.max(0, sentAt + REPORT_EVERY_MS - monotonic())).unref();
    },
    prune() {
      const oldest = monotonic() - FORGOTTEN_AFTER_MS;
      for (const [name, { at }] of known) if (at < oldest) known.delete(name);
    },
    stop: () => clearTimeout(timer),
  };
}

function messagesOf(held: readonly Held[]): string[] {
  const byTenant = new Map<string, Held[]>();
  for (const one of held) byTenant.set(one.tenant, [...(byTenant.get(one.tenant) ?? []), one]);
  const messages: string[] = [];
  for (const [tenant, guards] of byTenant)
    for (let at = 0; at < guards.length; at += GUARDS_A_MESSAGE)
      messages.push(
        JSON.stringify([
          tenant,
          guards.slice(at, at + GUARDS_A_MESSAGE).map(({ caller, guard, held: seq }) => [caller, guard, String(seq)]),
        ]),
      );
  return messages.slice(0, MAX_MESSAGES);
}

/** Reads a message of another process; none if it is not one. */
export function readReport(message: string): readonly Held[] {
  try {
    const [tenant, guards] = JSON.parse(message) as [string, [string, string, string][]];
    return guards.map(([caller, guard, held]) => ({ tenant, caller, guard, held: BigInt(held) as Seq }));
  } catch {
    return [];
  }
}
