import { runCLI } from 'jest';

/** A run of some specs, as `pool.ts` asks for it. */
export interface Request {
  readonly root: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly specs: readonly string[];
  /** Whether to stop when a spec has failed. */
  readonly bail: boolean;
}

export interface Reply {
  readonly specs: readonly { readonly path: string; readonly ms: number; readonly failed: string | undefined }[];
}

type Argv = Parameters<typeof runCLI>[0];

// Specs may leave a rejection behind, above all where a line was broken; it must not end the worker in the middle of the next run.
process.on('unhandledRejection', () => undefined);

process.on('message', (request: Request) => {
  void runInGroups(request)
    .then((reply) => process.send!(reply))
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
});

/** Runs the first spec alone, then twice as many each time. jest's own `bail` would end this process. */
async function runInGroups({ root, config, specs, bail }: Request): Promise<Reply> {
  const left = [...specs];
  const done: Reply['specs'][number][] = [];
  for (let size = bail ? 1 : left.length; left.length > 0; size *= 2) {
    done.push(...(await runSpecs(root, config, left.splice(0, size))));
    if (bail && done.some(({ failed }) => failed !== undefined)) break;
  }
  return { specs: done };
}

async function runSpecs(root: string, config: Request['config'], specs: readonly string[]): Promise<Reply['specs']> {
  const argv = { $0: '', _: [...specs], runTestsByPath: true, runInBand: true, silent: true, watchman: false, reporters: [], config: JSON.stringify(config) };
  const { results } = await runCLI(argv as unknown as Argv, [root]);
  return results.testResults.map(({ testFilePath, perfStats, failureMessage, testResults }) => ({
    path: testFilePath,
    ms: perfStats.runtime,
    failed: failureMessage ? (testResults.find(({ status }) => status === 'failed')?.fullName ?? 'the spec could not be run') : undefined,
  }));
}
