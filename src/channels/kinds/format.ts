import { Type } from 'typebox';
import { findingToOcsf, type OcsfEvent } from '../../ocsf/index.js';
import type { Message } from '../channel.js';

export const FORMAT = Type.Enum(['json', 'ocsf'], {
  description:
    'What a message says: `json` the finding as the API answers it, `ocsf` a Detection Finding. Default: json.',
});

export const isOcsf = ({ format }: Readonly<Record<string, string>>): boolean => format === 'ocsf';

/** Says a message as a Detection Finding of OCSF. */
export const ocsfOf = ({ tenant, seq, told, at, finding }: Message): OcsfEvent =>
  findingToOcsf(finding, { position: seq, change: told, atMs: Date.parse(at), tenant });
