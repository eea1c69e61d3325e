import { createInterface } from 'node:readline';
import type { Terminal } from '../terminal.js';

/** Says whether a person can be asked: both the input and standard error are a terminal. */
export const canAsk = ({ stdin, err }: Terminal): boolean => stdin.isTTY === true && err.isTTY === true;

/**
 * Asks on standard error, because standard output is for the answer alone. Resolves with the line, or with an empty text if the input ends.
 */
export function ask({ stdin, err }: Terminal, question: string): Promise<string> {
  err.write(question);
  // The terminal itself echoes and edits the line, and Ctrl-C ends the process.
  const lines = createInterface({ input: stdin, terminal: false });
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line.trim());
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}
