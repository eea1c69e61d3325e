import { MAX_EVIDENCE_CHARACTERS } from './evidence-file.js';

/**
 * Splits an archive into its evidence files, a line each with its newline. A longer line than any evidence file ends the reading, and is wrong as
 * it is.
 */
export async function* splitEvidence(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    let searched = rest.length;
    rest += chunk;
    for (let end; (end = rest.indexOf('\n', searched)) >= 0; searched = 0) {
      yield rest.slice(0, end + 1);
      rest = rest.slice(end + 1);
    }
    if (rest.length > MAX_EVIDENCE_CHARACTERS) break;
  }
  if (rest !== '') yield rest;
}
