import { RescindError } from '../contracts/index.js';
import type { ControlFollower, ControlLog } from '../control/index.js';

/** For a health check: throws while there is a reason. */
export function refuseWhen(
  reason: string | undefined,
  code: 'no-lease' | 'kafka-unavailable' | 'control-log-behind',
): void {
  if (reason !== undefined) throw new RescindError(code, { detail: reason });
}

/** Takes no command once the log was replaced: a record in an old backup would make it another history, which cannot be restored any more. */
export function refuseReplaced(controlLog: ControlLog, follower: ControlFollower): ControlLog {
  return {
    ...controlLog,
    async append(command) {
      if (follower.isReplaced())
        throw new RescindError('control-log-behind', { detail: follower.notCurrentReason() ?? 'stopping' });
      return controlLog.append(command);
    },
  };
}
