/** Lets one loop sleep until something happens. */
export interface Waker {
  /** Ends the sleep; without one, the next does not begin. */
  wake(): void;
  /** Milliseconds, or until woken. */
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
