import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 30_000;
const ASK_EVERY_MS = 100;

/**
 * The text of `/metrics` at `url`, once it matches or after {@link LIMIT_MS}: one text serves everybody who asks soon after it was made, and
 * the slower the machine, the longer.
 */
export async function metricsWith(url: string, pattern: RegExp): Promise<string> {
  const givesUpAt = performance.now() + LIMIT_MS;
  for (;;) {
    const text = await (await fetch(new URL('/metrics', url))).text();
    if (pattern.test(text) || performance.now() > givesUpAt) return text;
    await delay(ASK_EVERY_MS);
  }
}
