import { Readable, Writable } from 'node:stream';
import { run } from '../../../src/cli/run.js';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface SayingOptions {
  readonly key?: string;
  readonly stdin?: string;
  readonly url?: string;
  readonly more?: Readonly<Record<string, string>>;
  /** Somebody sits at a terminal, and types `stdin`. */
  readonly terminal?: boolean;
}

/** Runs commands of `rescind` in this process, with a directory as their home. */
export const createCli =
  (home: string) =>
  async (args: string, { key, stdin = '', url, more = {}, terminal = false }: SayingOptions = {}): Promise<Said> => {
    const written = { out: '', err: '' };
    const tty = terminal ? { isTTY: true } : {};
    const sink = (name: 'out' | 'err') =>
      Object.assign(
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            written[name] += chunk.toString();
            done();
          },
        }),
        tty,
      );
    const words = [...args.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
    const env = {
      RESCIND_HOME: home,
      ...(url === undefined ? {} : { RESCIND_URL: url }),
      ...(key === undefined ? {} : { RESCIND_KEY: key }),
      ...more,
    };
    const code = await run(words, {
      env,
      out: sink('out'),
      err: sink('err'),
      stdin: Object.assign(Readable.from([stdin]), tty),
    });
    return { code, ...written };
  };
