import { splitList, type Environment, type Refuse } from './environment.js';

/** Receivers to which findings may be pushed, and how messages name this deployment. */
export interface ChannelsConfig {
  /** Hosts, addresses and networks (CIDR) of receivers that are not public, or are reached without TLS. */
  readonly allowed: readonly string[];
  /** Path of PEM certificates of further authorities for receivers, beside the authorities that Node trusts. */
  readonly caFile: string | undefined;
  /** Address under which people reach this deployment, without a slash at the end. */
  readonly publicUrl: string | undefined;
}

export const CHANNELS_DOCUMENTATION: Readonly<Record<string, string>> = {
  CHANNEL_ALLOWED_HOSTS:
    'comma-separated hosts, addresses and networks (10.1.0.0/16) to which findings may be pushed although they are not public addresses, also without TLS (default: none)',
  CHANNEL_TLS_CA:
    'path of the PEM certificates of authorities that receivers of findings may have, beside those that Node trusts',
  PUBLIC_URL: 'URL under which people reach this deployment, for links in what is pushed (default: no links)',
};

export function readChannels(env: Environment, refuse: Refuse): ChannelsConfig {
  const given = env['CHANNEL_ALLOWED_HOSTS'];
  const allowed = given === undefined ? [] : splitList(given);
  if (!allowed.every((item) => /^[A-Za-z0-9.:-]+(?:\/\d{1,3})?$/.test(item)))
    refuse('CHANNEL_ALLOWED_HOSTS', 'must be host names, addresses or networks such as 10.1.0.0/16, comma-separated');
  return Object.freeze({
    allowed: Object.freeze(allowed),
    caFile: env['CHANNEL_TLS_CA'],
    publicUrl: readPublicUrl(env, refuse),
  });
}

function readPublicUrl(env: Environment, refuse: Refuse): string | undefined {
  const value = env['PUBLIC_URL'];
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isWhole =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '';
  if (!isWhole) refuse('PUBLIC_URL', 'must be an http or https URL without credentials, query and fragment');
  return url?.href.replace(/\/$/, '');
}
