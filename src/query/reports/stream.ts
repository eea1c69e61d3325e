import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { RescindError } from '../../contracts/index.js';

/** Reports that one process writes at a time. Each keeps a connection for as long as its reader reads. */
export const REPORTS_AT_ONCE = 4;
/** Reports of one tenant at a time, so that no tenant takes all. */
const REPORTS_OF_A_TENANT = 2;

export interface Report {
  readonly contentType: string;
  readonly fileName: string;
  readonly body: Readable;
}

/** Writes a piece of the report. Waits until the reader has room for more; rejects if the reader has gone. */
export type Write = (text: string) => Promise<void>;

export interface ReportStreams {
  /** Resolves when the first text is written. An earlier failure rejects; a later failure cuts the body off. */
  open(tenant: string, run: (write: Write) => Promise<void>): Promise<Readable>;
}

export function createReportStreams(): ReportStreams {
  /** The tenant of each running report. */
  const running: string[] = [];
  return {
    async open(tenant, run) {
      const own = running.filter((one) => one === tenant).length;
      if (running.length >= REPORTS_AT_ONCE || own >= REPORTS_OF_A_TENANT) {
        throw new RescindError('overloaded', {
          detail: `${own} reports of the tenant are being written, ${running.length} in all; ask again when one has ended`,
        });
      }
      running.push(tenant);
      const body = new PassThrough();
      // The reader notices the failure as a body that was cut off.
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
          .finally(() => running.splice(running.indexOf(tenant), 1));
      });
      await began;
      return body;
    },
  };
}

class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}
