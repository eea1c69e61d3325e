import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { RescindError } from '../../contracts/index.js';

/**
 * Returns the authorities that Node trusts and those of the file; undefined without a file. A file without a certificate is
 * refused, because TLS would silently trust nobody more.
 */
export function readAuthorities(variable: string, path: string | undefined): readonly string[] | undefined {
  if (path === undefined) return undefined;
  const text = readPem(variable, path).toString('utf8');
  if (!isCertificate(text)) throw new RescindError('config-invalid', { detail: `${variable} names a file that holds no PEM certificate` });
  return [...rootCertificates, text];
}

export const isCertificate = (pem: Buffer | string): boolean => pem.includes('-----BEGIN CERTIFICATE-----');

/** Refused by the variable's name; the path and what the system said go to the log with the cause. */
export function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RescindError('config-invalid', { detail: `${variable} names a file that cannot be read`, cause });
  }
}
