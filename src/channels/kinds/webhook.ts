import { FORMAT, isOcsf, ocsfOf } from './format.js';
import { ADDRESS, httpKind } from './http-kind.js';
import { signatureHeaders } from './signature.js';

const GONE = 410;

/** Standard Webhooks: the finding as `/v1/findings/{id}` answers it, signed. */
export const webhook = httpKind({
  name: 'webhook',
  means: 'A program of your own: the finding as JSON, signed as Standard Webhooks says.',
  members: { address: ADDRESS, format: FORMAT },
  required: ['address'],
  signs: true,
  atOnce: 4,
  format(message, { settings, secrets }, nowMs) {
    const { id, told, at, finding, link } = message;
    const said = { type: `finding.${told}`, timestamp: at, data: finding, ...(link === null ? {} : { link }) };
    const body = JSON.stringify(isOcsf(settings) ? ocsfOf(message) : said);
    const headers = signatureHeaders({ id, seconds: Math.floor(nowMs / 1_000), body }, secrets);
    return { address: settings['address']!, headers, body };
  },
  refuses: (status) => status === GONE,
});
