import { ADDRESS, httpKind } from './http-kind.js';
import { signatureHeaders } from './signature.js';

const GONE = 410;

/** Standard Webhooks: the finding as `/v1/findings/{id}` answers it, signed. */
export const webhook = httpKind({
  name: 'webhook',
  means: 'A program of your own: the finding as JSON, signed as Standard Webhooks says.',
  members: { address: ADDRESS },
  required: ['address'],
  signs: true,
  atOnce: 4,
  format({ id, told, at, finding, link }, { settings, secrets }, nowMs) {
    const body = JSON.stringify({
      type: `finding.${told}`,
      timestamp: at,
      data: finding,
      ...(link === null ? {} : { link }),
    });
    const headers = signatureHeaders({ id, seconds: Math.floor(nowMs / 1_000), body }, secrets);
    return { address: settings['address']!, headers, body };
  },
  refuses: (status) => status === GONE,
});
