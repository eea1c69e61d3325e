import { instantText } from '../../contracts/index.js';
import { verifiersOf, type ListedKey } from '../../log/index.js';
import { formatVerifierKey } from '../../merkle/index.js';

/** Writes the keys of a ledger under one of its origins, each with the times from and until which it signs. */
export function keyTimes(keys: readonly ListedKey[], origin: string) {
  const verifiers = verifiersOf(keys, origin);
  return keys.map(({ since, until }, nth) => ({
    key: formatVerifierKey(verifiers[nth]!),
    since: instantText(since.getTime()),
    until: until && instantText(until.getTime()),
  }));
}
