import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { RescindError } from '../../contracts/index.js';

/**
 * Reads the authorities that Node trusts and those in the file. Returns undefined if no file is given. Refuses a file without a
 * certificate, because TLS would silently trust no further authority.
 */
export function readAuthorities(variable: string, path: string | undefined): readonly string[] | undefined {
  if (path === undefined) return undefined;
  const text = readPem(variable, path).toString('utf8');
  if (!isCertificate(text))
    throw new RescindError('config-invalid', { detail: `${variable} names a file that holds no PEM certificate` });
  return [...rootCertificates, text];
}

export const isCertificate = (pem: Buffer | string): boolean => pem.includes('-----BEGIN CERTIFICATE-----');

/** Reads a PEM file. A refusal names the variable; the path and the system's message go to the log with the cause. */
export function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RescindError('config-invalid', { detail: `${variable} names a file that cannot be read`, cause });
  }
}
