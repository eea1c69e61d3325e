import { readFileSync } from 'node:fs';
import { RescindError } from '../../contracts/index.js';
import { parseVerifierKey, type VerifierKey } from '../../merkle/index.js';

/** A witness that is asked to cosign checkpoints (C2SP tlog-witness). */
export interface Witness {
  readonly key: VerifierKey;
  /** Submission prefix; `/add-checkpoint` is appended. */
  readonly url: string;
}

/**
 * Reads the lines `witness <name> <verifier key> <url>` of a policy (C2SP tlog-policy). Empty lines and comments (`#`) are passed over. Throws
 * `TypeError` for any other line, because a witness that is silently left out would be missed by nobody.
 */
export function readWitnesses(policy: string): readonly Witness[] {
  return policy.split('\n').flatMap((line, nth) => {
    const [word = '', , keyText = '', url = '', ...more] = line.trim().split(/\s+/);
    if (word === '' || word.startsWith('#')) return [];
    const key = parseVerifierKey(keyText);
    if (word !== 'witness' || key?.type !== 'cosignature' || !isWitnessUrl(url) || more.length > 0)
      throw new TypeError(`line ${nth + 1} is not \`witness <name> <verifier key of a witness> <https URL>\``);
    return [{ key, url: url.replace(/\/+$/, '') }];
  });
}

/** Reads the policy file that `WITNESSES` names; without one there are no witnesses. Throws `config-invalid` if it cannot be read. */
export function readWitnessFile(path: string | undefined): readonly Witness[] {
  if (path === undefined) return [];
  try {
    return readWitnesses(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new RescindError('config-invalid', { detail: `WITNESSES: ${(cause as Error).message}`, cause });
  }
}

/** Loopback may be asked in plaintext, as everywhere in the configuration. */
function isWitnessUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe =
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
  return isSafe && username === '' && password === '';
}
