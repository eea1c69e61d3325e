import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { RescindError } from '../../contracts/index.js';

/** Reports that one process writes at a time: each holds a connection for as long as its reader reads. */
const MAX_AT_ONCE = 2;

export interface Report {
  readonly contentType: string;
  readonly fileName: string;
  readonly body: Readable;
}

/** Waits until the reader has room for more; rejects once it has gone. */
export type Write = (text: string) => Promise<void>;

export interface ReportStreams {
  /** Resolves when the first text is there. What fails before that rejects; what fails later cuts the body off. */
  open(run: (write: Write) => Promise<void>): Promise<Readable>;
}

export function createReportStreams(): ReportStreams {
  let running = 0;
  return {
    async open(run) {
      if (running >= MAX_AT_ONCE) throw new RescindError('overloaded', { detail: `${MAX_AT_ONCE} reports are being written; ask again when one has ended` });
      running += 1;
      const body = new PassThrough();
      // Whoever reads hears of it as a body that was cut off.
      body.on('error', () => undefined);
      const began = new Promise<void>((resolve, reject) => {
        const write: Write = async (text) => {
          if (body.destroyed) throw new ReaderGone();
          const hasRoom = body.write(text);
          resolve();
          if (!hasRoom) await Promise.race([once(body, 'drain'), once(body, 'close')]);
          if (body.destroyed) throw new ReaderGone();
        };
        run(write)
          .then(
            () => void body.end(),
            (error: unknown) => {
              reject(error as Error);
              body.destroy(error as Error);
            },
          )
          .finally(() => (running -= 1));
      });
      await began;
      return body;
    },
  };
}

class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}
