import { createRequire } from 'node:module';

interface Event {
  readonly name: string;
  readonly test?: { mode?: unknown; readonly errors: readonly unknown[] };
}
interface Environment {
  handleTestEvent?(event: Event): void | Promise<void>;
}
type EnvironmentClass = new (...settings: unknown[]) => Environment;

const { TestEnvironment } = createRequire(import.meta.url)('jest-environment-node') as { readonly TestEnvironment: EnvironmentClass };

/** jest's environment of Node, which skips the tests of a spec after the first that failed: one is enough to find a mutant. */
export default class FailFast extends TestEnvironment {
  private hasFailed = false;

  override handleTestEvent({ name, test }: Event): void {
    if (name === 'test_done' && test!.errors.length > 0) this.hasFailed = true;
    if (name === 'test_start' && this.hasFailed) test!.mode = 'skip';
  }
}
