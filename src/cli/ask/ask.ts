import { createInterface } from 'node:readline';
import type { Terminal } from '../terminal.js';

/** Whether somebody sits there who can be asked. */
export const canAsk = ({ stdin, err }: Terminal): boolean => stdin.isTTY === true && err.isTTY === true;

/** Asks on standard error, so that the output stays the answer's alone, and resolves with a line, or with nothing where the input ends. */
export function ask({ stdin, err }: Terminal, question: string): Promise<string> {
  err.write(question);
  // The terminal itself echoes and edits the line, and its interrupt ends the process.
  const lines = createInterface({ input: stdin, terminal: false });
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line.trim());
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}
