import type { ControlState } from '../control/index.js';
import type { KeySets } from '../registry/index.js';
import type { Appender } from './append/appender.pg.js';
import { createKeyRecorder, type KeyRecorderOptions } from './key-records.pg.js';
import { createSignatureChecks, type SignatureChecks } from './signed/signature-checks.js';

/** Creates the checks of what sources sign. They record fetched keys in the ledger before an event that the keys verified. */
export function createSignatures(options: {
  readonly pool: KeyRecorderOptions['pool'];
  readonly state: ControlState;
  readonly keySets: KeySets;
  readonly appender: Pick<Appender, 'submit'>;
}): SignatureChecks {
  return createSignatureChecks({ ...options, recordKeys: createKeyRecorder(options) });
}
