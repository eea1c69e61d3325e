import { readFileSync } from 'node:fs';
import { RescindError } from '../contracts/index.js';

/** Refused by the variable's name; the path and what the system said go to the log with the cause. */
export function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RescindError('config-invalid', { detail: `${variable} names a file that cannot be read`, cause });
  }
}
