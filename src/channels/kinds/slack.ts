import type { Message } from '../channel.js';
import { ADDRESS, httpKind } from './http-kind.js';
import { commandOf, factsOf, headingOf, shown } from './text.js';

/** Bounds of Block Kit, in characters: header 150, text of a section 3,000, text of a field 2,000. Escaping may make five of one. */
const HEADER = 150;
const TEXT = 590;
const FIELD = 390;
const FIELDS = 10;
const COMMAND = 590;

/** Slack reads these three as control characters in every text object. */
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
/** Text without mrkdwn, in which nothing is a mention, a link or an emoji. */
const plain = (text: string, most: number) => ({ type: 'plain_text', text: escape(shown(text, most)), emoji: false });

/** An incoming webhook of Slack, with Block Kit. */
export const slack = httpKind({
  name: 'slack',
  means: 'A channel of Slack: the address of an incoming webhook.',
  members: { address: ADDRESS },
  required: ['address'],
  signs: false,
  // Slack takes about one message a second of an incoming webhook.
  atOnce: 1,
  format: (message, { settings }) => ({ address: settings['address']!, body: bodyOf(message) }),
  // 429 asks to wait; any other refusal of the 400s says that the message or the channel is wrong.
  refuses: (status) => status >= 400 && status < 500 && status !== 429 && status !== 408,
});

function bodyOf(message: Message) {
  const { finding, link } = message;
  const heading = headingOf(message);
  const command = commandOf(message, COMMAND);
  return {
    // Shown in notifications, where blocks are not.
    text: escape(shown(`${heading}. ${finding.says}`, TEXT)),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(heading, HEADER) },
      { type: 'section', text: plain(finding.says, TEXT) },
      {
        type: 'section',
        fields: factsOf(message)
          .slice(0, FIELDS)
          .map(([name, value]) => plain(`${name}: ${value}`, FIELD)),
      },
      { type: 'section', text: plain(finding.next, TEXT) },
      ...(command === undefined ? [] : [{ type: 'section', text: plain(`Stop it: ${command}`, TEXT) }]),
      ...(link === null
        ? []
        : [{ type: 'section', text: { type: 'mrkdwn', text: `<${escape(link)}|Show the finding>`, verbatim: true } }]),
    ],
  };
}
