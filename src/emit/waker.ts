/** Lets one loop sleep until something happens. */
export interface Waker {
  /** Ends the sleep; if the loop is not asleep, its next sleep does not begin. */
  wake(): void;
  /** Sleeps for this many milliseconds, or until woken; without a number, until woken. */
  sleep(ms: number | undefined): Promise<void>;
}

export function createWaker(): Waker {
  let woken = false;
  let end: (() => void) | undefined;
  return {
    wake() {
      woken = true;
      end?.();
    },
    async sleep(ms) {
      if (!woken) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          end = resolve;
          if (ms !== undefined) timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
        end = undefined;
      }
      woken = false;
    },
  };
}
