import { RescindError } from '../contracts/index.js';

/** For a health check: throws while there is a reason. */
export function refuseWhen(
  reason: string | undefined,
  code: 'no-lease' | 'kafka-unavailable' | 'control-log-behind',
): void {
  if (reason !== undefined) throw new RescindError(code, { detail: reason });
}
