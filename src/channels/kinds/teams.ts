import type { Message } from '../channel.js';
import { ADDRESS, httpKind } from './http-kind.js';
import { commandOf, factsOf, headingOf, shown } from './text.js';

/** Teams takes messages of 28 KB. */
const TEXT = 1_000;
const VALUE = 300;
const COMMAND = 2_000;

const run = (text: string, more: object = {}) => ({ type: 'TextRun', text, ...more });
/** Text runs show their text as it is; a TextBlock or a FactSet would read Markdown. */
const paragraph = (...inlines: readonly object[]) => ({ type: 'RichTextBlock', inlines });
/** Adaptive Cards read `{{DATE(…)}}` in a text. */
const plain = (text: string, most: number): string => shown(text, most).replaceAll('{{', '{ {');

/** A workflow of Microsoft Teams that posts what it gets, as an Adaptive Card. */
export const teams = httpKind({
  name: 'teams',
  means: 'A channel of Microsoft Teams: the address of a workflow that begins with a webhook request.',
  members: { address: ADDRESS },
  required: ['address'],
  signs: false,
  atOnce: 1,
  format: (message, { settings }) => ({
    address: settings['address']!,
    body: {
      type: 'message',
      attachments: [
        { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: cardOf(message) },
      ],
    },
  }),
  refuses: (status) => status === 400 || status === 410 || status === 413,
});

function cardOf(message: Message) {
  const { finding, link } = message;
  const command = commandOf(message, COMMAND);
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      paragraph(run(plain(headingOf(message), VALUE), { weight: 'Bolder', size: 'Large' })),
      paragraph(run(plain(finding.says, TEXT))),
      ...factsOf(message).map(([name, value]) =>
        paragraph(run(`${name}: `, { weight: 'Bolder' }), run(plain(value, VALUE))),
      ),
      paragraph(run(plain(finding.next, TEXT))),
      ...(command === undefined || command.includes('{{')
        ? []
        : [paragraph(run('Stop it: ', { weight: 'Bolder' }), run(command, { fontType: 'Monospace' }))]),
    ],
    actions: link === null ? [] : [{ type: 'Action.OpenUrl', title: 'Show the finding', url: link }],
  };
}
