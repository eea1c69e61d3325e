import { RescindError } from '../contracts/index.js';

/** A check that takes longer has failed. */
export const HEALTH_CHECK_TIMEOUT_MS = 2_000;

export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly ms: number; readonly code?: string }[];
}

export interface Health {
  /** `check` throws or rejects while its part cannot serve. Whoever can be unready registers itself. */
  register(name: string, check: () => Promise<void> | void): void;
  /** Runs all checks at once. Tells codes of errors thrown on purpose, never messages. */
  report(): Promise<HealthReport>;
}

export interface HealthOptions {
  readonly stopping?: AbortSignal;
  /** Told of every report. */
  readonly onReport?: (checks: HealthReport['checks']) => void;
}

export function createHealth(options: HealthOptions = {}): Health {
  const checks = new Map<string, () => Promise<void> | void>();

  async function run(name: string, check: () => Promise<void> | void): Promise<HealthReport['checks'][number]> {
    const startedAt = performance.now();
    const elapsed = (): number => Math.round(performance.now() - startedAt);
    let timer: NodeJS.Timeout | undefined;
    try {
      const timeout = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('too slow')), HEALTH_CHECK_TIMEOUT_MS);
      });
      await Promise.race([Promise.resolve().then(check), timeout]);
      return { name, ok: true, ms: elapsed() };
    } catch (error) {
      return { name, ok: false, ms: elapsed(), ...(error instanceof RescindError ? { code: error.code } : {}) };
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    register(name, check) {
      if (checks.has(name)) throw new TypeError(`two health checks named ${name}`);
      checks.set(name, check);
    },
    async report() {
      const results = await Promise.all([...checks].map(([name, check]) => run(name, check)));
      if (options.stopping?.aborted === true) results.push({ name: 'process', ok: false, ms: 0, code: 'shutting-down' });
      options.onReport?.(results);
      return { ready: results.every(({ ok }) => ok), checks: results };
    },
  };
}
