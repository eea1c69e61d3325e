import type { EngineValue } from '../question/compose.js';

/** A request of the engine's keeper to the child process. Each answer carries the `id` of its request. */
export type Request = { readonly id: number } & (
  | {
      /** Opens a database that may read below these directories and nowhere else. */
      readonly ask: 'open';
      readonly room: string;
      readonly directories: readonly string[];
      readonly memory: string;
    }
  | {
      /** Appends rows from a file of text, then removes rows of the tail below `trim`. */
      readonly ask: 'load';
      readonly room: string;
      readonly uses: string | null;
      readonly late: string | null;
      readonly trim: bigint | null;
    }
  | {
      readonly ask: 'run';
      readonly room: string;
      readonly sql: string;
      readonly values: readonly EngineValue[];
      readonly timeoutMs: number;
    }
  | { readonly ask: 'cancel'; readonly target: number }
  | { readonly ask: 'close'; readonly room: string }
);

export type Cell = null | boolean | number | bigint | string | Uint8Array | readonly Cell[];

export type EngineFailure =
  /** The query was cancelled. */
  | 'cancelled'
  | 'too-long'
  | 'too-large'
  /** A file cannot be opened or read. */
  | 'file'
  /** The database has been closed. */
  | 'closed'
  | 'other';

export type Response = { readonly id: number } & (
  | { readonly rows: readonly (readonly Cell[])[]; readonly kept?: number }
  | { readonly failed: EngineFailure; readonly message: string }
);
