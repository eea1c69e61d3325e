import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

/** Runs in each spec of the probing run: notes which mutants' places it reaches. */
declare const mutateReachedDirectory: string;
declare const afterAll: (act: () => void) => void;
declare const expect: { getState(): { readonly testPath?: string } };

const reached = new Set<number>();
(globalThis as { mutateReached?: Set<number> }).mutateReached = reached;
afterAll(() => {
  writeFileSync(join(mutateReachedDirectory, `${randomUUID()}.json`), JSON.stringify({ spec: expect.getState().testPath, reached: [...reached] }));
});
