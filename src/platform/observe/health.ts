import { RescindError } from '../../contracts/index.js';

/** Pause between two runs of a watched check. */
export const HEALTH_REFRESH_MS = 1_000;
/** A run that takes longer counts as failed. */
export const HEALTH_CHECK_TIMEOUT_MS = 2_000;
/** How long the result of a watched check stays valid: several runs at their slowest. */
export const HEALTH_MAX_AGE_MS = 10_000;

/** `serve`: introspection, orders and questions are answered. `ingest`: events are taken, over Kafka too. */
export type ReadyRole = 'serve' | 'ingest';
export const READY_ROLES: readonly ReadyRole[] = ['serve', 'ingest'];

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** Duration of the check in milliseconds. */
  readonly ms: number;
  readonly code?: string;
}

export interface HealthReport {
  readonly role: ReadyRole;
  readonly ready: boolean;
  /** Age of the oldest result, in milliseconds. */
  readonly age_ms: number;
  readonly checks: readonly CheckResult[];
}

export interface Health {
  /**
   * Registers a `check` that reads memory and throws while its part cannot work. Each report runs it. Without `roles` it counts for every
   * role.
   */
  register(name: string, check: () => void, roles?: readonly ReadyRole[]): void;
  /** Runs a `check` of something outside the process in the background; no report waits for it. Resolves after the first run. */
  watch(name: string, check: () => Promise<void>, roles?: readonly ReadyRole[]): Promise<void>;
  /** Reports what is known now. Contains the codes of errors thrown on purpose, never messages. Without `role`: the main role. */
  report(role?: ReadyRole): HealthReport;
  readonly roles: readonly ReadyRole[];
}

export interface HealthOptions {
  readonly stopping?: AbortSignal;
  /** Roles of this process, the main one first. The process is never ready for another role. */
  readonly roles?: readonly ReadyRole[];
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

interface Check {
  readonly name: string;
  readonly roles: readonly ReadyRole[];
  read(): { readonly result: CheckResult; readonly ageMs: number };
}

export function createHealth({
  stopping,
  roles: own = READY_ROLES,
  now = () => performance.now(),
}: HealthOptions = {}): Health {
  const checks = new Map<string, Check>();

  function add(check: Check): void {
    if (checks.has(check.name)) throw new TypeError(`two health checks named ${check.name}`);
    checks.set(check.name, check);
  }

  const resultOf = (name: string, startedAt: number, error?: unknown): CheckResult => ({
    name,
    ok: error === undefined,
    ms: Math.round(now() - startedAt),
    ...(error instanceof RescindError ? { code: error.code } : {}),
  });

  return {
    roles: own,
    register(name, check, roles = READY_ROLES) {
      add({
        name,
        roles,
        read() {
          const startedAt = now();
          try {
            check();
            return { result: resultOf(name, startedAt), ageMs: 0 };
          } catch (error) {
            return { result: resultOf(name, startedAt, error), ageMs: 0 };
          }
        },
      });
    },
    async watch(name, check, roles = READY_ROLES) {
      let last: CheckResult = { name, ok: false, ms: 0 };
      let lastAt = now();
      add({
        name,
        roles,
        read() {
          const ageMs = Math.round(now() - lastAt);
          return { result: ageMs <= HEALTH_MAX_AGE_MS ? last : { name, ok: false, ms: last.ms, code: 'stale' }, ageMs };
        },
      });
      const run = async (): Promise<void> => {
        const startedAt = now();
        const error = await within(HEALTH_CHECK_TIMEOUT_MS, check);
        last = resultOf(name, startedAt, error);
        lastAt = now();
        if (stopping?.aborted !== true) setTimeout(() => void run(), HEALTH_REFRESH_MS).unref();
      };
      await run();
    },
    report(role = own[0] ?? 'serve') {
      const read = [...checks.values()].filter(({ roles }) => roles.includes(role)).map((check) => check.read());
      const results: CheckResult[] = read.map(({ result }) => result);
      if (own.length > 0 && !own.includes(role)) results.push({ name: 'role', ok: false, ms: 0 });
      if (stopping?.aborted === true) results.push({ name: 'process', ok: false, ms: 0, code: 'shutting-down' });
      return {
        role,
        ready: results.every(({ ok }) => ok),
        age_ms: Math.max(0, ...read.map(({ ageMs }) => ageMs)),
        checks: results,
      };
    },
  };
}

/** Returns the error that ended `work`; undefined if it passed. */
async function within(timeoutMs: number, work: () => Promise<void>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<unknown>((resolve) => {
    timer = setTimeout(() => resolve(new Error('too slow')), timeoutMs);
  });
  try {
    return await Promise.race([
      work().then(
        () => undefined,
        (error: unknown) => error ?? new Error('failed'),
      ),
      timeout,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
