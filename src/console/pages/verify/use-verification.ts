import { useRef, useState } from 'react';
import { verifyFile, type Verdict } from './verify.js';

/** The page is drawn, and can be used, after at most so long a piece of work. */
const PIECE_MS = 30;

export interface Verification {
  readonly verdicts: readonly Verdict[];
  readonly state: 'running' | 'done' | 'failed';
}

/** Checks a file piece by piece. Another file or another key ends what runs. */
export function useVerification() {
  const [verification, setVerification] = useState<Verification>();
  const latest = useRef(0);
  const clear = (): void => {
    latest.current += 1;
    setVerification(undefined);
  };
  const start = async (...given: Parameters<typeof verifyFile>): Promise<void> => {
    const run = (latest.current += 1);
    const verdicts: Verdict[] = [];
    const show = (state: Verification['state']): void => setVerification({ verdicts: [...verdicts], state });
    show('running');
    try {
      let shownAt = performance.now();
      for await (const verdict of verifyFile(...given)) {
        verdicts.push(verdict);
        if (performance.now() - shownAt < PIECE_MS) continue;
        show('running');
        await new Promise((resolve) => setTimeout(resolve));
        if (run !== latest.current) return;
        shownAt = performance.now();
      }
      if (run === latest.current) show('done');
    } catch {
      // The file went away while it was read.
      if (run === latest.current) show('failed');
    }
  };
  return { verification, start, clear };
}
