import { Type } from 'typebox';
import type { OcsfEvent } from '../../ocsf/index.js';
import { EgressError, hostOf } from '../../platform/egress/index.js';
import type { ChannelKind, Message } from '../channel.js';
import { formatMessage, frameOf, SYSLOG_SEVERITY } from '../syslog/message.js';
import { sendFrame } from '../syslog/send.js';
import { FORMAT, isOcsf, ocsfOf } from './format.js';
import { shown } from './text.js';

const SCHEME = 'syslog-tls:';
/** The port of syslog over TLS (RFC 5425, section 4.1). */
const PORT = 6514;
/** IANA keeps this number for examples (RFC 5612). Rescind has none of its own. */
const SD_ID = 'finding@32473';
/** The least that names a finding says so many characters of it. Each may take twelve bytes, twice, beside the structured data. */
const SAYS = 160;

/** Syslog over TLS: RFC 5424 in the frames of RFC 5425. */
export const syslog: ChannelKind = {
  name: 'syslog',
  means: 'A collector or SIEM that takes RFC 5424 over TLS (RFC 5425).',
  members: {
    address: Type.String({
      minLength: 1,
      maxLength: 512,
      pattern: '^syslog-tls://',
      description: `Host and port of the receiver, such as syslog-tls://siem.example:${PORT}. The port may be left out.`,
    }),
    format: FORMAT,
  },
  required: ['address'],
  signs: false,
  atOnce: 1,
  check: ({ address }) => {
    const url = URL.canParse(address!) ? new URL(address!) : undefined;
    const isPlain =
      url?.protocol === SCHEME &&
      url.hostname !== '' &&
      url.port !== '0' &&
      /^\/?$/.test(url.pathname) &&
      `${url.username}${url.password}${url.search}${url.hash}` === '';
    return isPlain ? undefined : '`address` is syslog-tls:// with a host and a port, and nothing else';
  },
  shown: ({ address }) => address!,
  async send(message, { settings }, { egress, signal }) {
    const url = new URL(settings['address']!);
    try {
      const destination = egress.destination(hostOf(url), { isTls: true });
      const port = url.port === '' ? PORT : Number(url.port);
      await sendFrame(destination, port, frameOf(syslogOf(message, isOcsf(settings))), signal);
      return { result: 'delivered', status: null, problem: null, answer: '' };
    } catch (error) {
      const problem = error instanceof EgressError ? error.message : 'the message could not be sent';
      return { result: 'retry', status: null, problem, answer: '' };
    }
  },
};

function syslogOf(message: Message, asOcsf: boolean): Buffer {
  const { told, at, finding, link } = message;
  const { user, client, agent, resource } = finding;
  return formatMessage({
    severity: SYSLOG_SEVERITY[finding.severity],
    at: new Date(at),
    hostname: link === null ? undefined : hostOf(new URL(link)),
    msgId: `finding.${told}`,
    sdId: SD_ID,
    parameters: [
      ['id', finding.id],
      ['kind', finding.kind],
      ['severity', finding.severity],
      ['state', finding.state],
      ['message', message.id],
      ...(user === null ? [] : [['user', user.sub] as const]),
      ...(client === null ? [] : [['client', client.client_id] as const]),
      ...(agent === null ? [] : [['agent', agent.id] as const]),
      ...(resource === null ? [] : [['resource', resource.uri] as const]),
    ],
    bodies: asOcsf ? ocsfBodies(message) : jsonBodies(message),
  });
}

/** The finding as the API answers it; if that is too long, without its details, and else the least that names it. */
function jsonBodies({ told, at, finding, link }: Message): readonly object[] {
  const envelope = { type: `finding.${told}`, timestamp: at, ...(link === null ? {} : { link }) };
  const { id, kind, severity, state, count, see } = finding;
  const least = { id, kind, severity, state, count, says: shown(finding.says, SAYS), see };
  return [
    { ...envelope, data: finding },
    { ...envelope, truncated: true, data: { ...finding, details: {}, entries: [], stop: null } },
    { ...envelope, truncated: true, data: least },
  ];
}

function ocsfBodies(message: Message): readonly object[] {
  const { finding } = message;
  const says = shown(finding.says, SAYS);
  const least = ocsfOf({ ...message, finding: { ...finding, says, details: {}, entries: [], stop: null } });
  return [
    ocsfOf(message),
    truncated(ocsfOf(message), ['unmapped', 'evidences']),
    truncated(least, ['unmapped', 'evidences', 'observables', 'resources']),
  ];
}

function truncated(event: OcsfEvent, without: readonly string[]): object {
  const members = Object.entries(event).filter(([name]) => !without.includes(name));
  return { ...Object.fromEntries(members), metadata: { ...event.metadata, is_truncated: true } };
}
