import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ocsfFaults } from '../../../test/support/ocsf.js';
import type { FindingItem } from '../../findings/index.js';
import type { Egress, OutgoingRequest } from '../../platform/egress/index.js';
import type { ChannelKind, Message, Target } from '../channel.js';
import { CHANNEL_KINDS } from '../kinds.js';
import { TEST_FINDING } from '../set/test-finding.js';

const NOW_MS = 1_796_083_200_000;
const ID = '5c1f0d0e-0000-4000-8000-000000000001';
const SETTINGS = {
  address: 'https://hooks.example/services/secret',
  routing_key: 'abcdefghijklmnopqrstuvwxyz012345',
};
/** Names that would be a mention, a link, markup, a function, another direction, or invisible, if a receiver read it. */
const HOSTILE = [
  '<!channel>',
  '<@U012345>',
  '<https://evil.example|click>',
  '[click](https://evil.example)',
  '*bold*',
  '&lt;!here&gt;',
  '{{DATE(2026-01-01T00:00:00Z)}}',
  '\u202egpj.exe',
  'a\u200bb',
  'a\u2028b',
  'a\nb',
  '\u{e0041}',
  '\u0000',
  '\ud800',
  '<at>everyone</at>',
];
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const kindOf = (name: string): ChannelKind => CHANNEL_KINDS.find((kind) => kind.name === name)!;

const findingOf = (more: Partial<FindingItem> = {}): FindingItem => ({
  ...TEST_FINDING(NOW_MS, ID),
  kind: 'bulk-export',
  severity: 'high',
  says: 'ann read 5,000 records.',
  ...more,
});
const messageOf = (more: Partial<Message> = {}): Message => ({
  id: 'msg_1',
  seq: 7n,
  tenant: 'acme',
  told: 'opened',
  at: '2026-12-01T00:00:00.000Z',
  finding: findingOf(),
  link: 'https://rescind.example/v1/findings/1',
  ...more,
});

/** The request that a kind makes of a message, and what came of the answer. */
async function sent(
  name: string,
  message: Message,
  { status = 200, headers = {} }: { status?: number; headers?: object } = {},
  target: Target = { settings: SETTINGS, secrets: [] },
) {
  const requests: Omit<OutgoingRequest, 'lookup' | 'ca'>[] = [];
  const egress: Egress = {
    destination: () => {
      throw new Error('not used');
    },
    send: async (request) => {
      requests.push(request);
      return { status, headers: headers as never, body: Buffer.from('said'), isCut: false };
    },
  };
  const outcome = await kindOf(name).send(message, target, {
    egress,
    nowMs: NOW_MS,
    signal: new AbortController().signal,
  });
  const [request] = requests;
  return { request: request!, body: JSON.parse(request!.body!) as any, outcome };
}

/** Every text in a value. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

describe('a webhook', () => {
  it('is signed by each secret, over id, time and the bytes that go out', async () => {
    const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `whsec_${Buffer.alloc(32, 7).toString('base64')}`];
    const { request } = await sent('webhook', messageOf(), {}, { settings: SETTINGS, secrets });
    const signed = `msg_1.${NOW_MS / 1_000}.${request.body!}`;
    const expected = secrets.map(
      (secret) =>
        `v1,${createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
          .update(signed)
          .digest('base64')}`,
    );
    expect(request.headers).toMatchObject({
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(NOW_MS / 1_000),
      'webhook-signature': expected.join(' '),
    });
  });

  it('has the finding as it is', async () => {
    const message = messageOf({ told: 'state-changed', link: null });
    expect((await sent('webhook', message)).body).toEqual({
      type: 'finding.state-changed',
      timestamp: message.at,
      data: message.finding,
    });
  });
});

/** The rule that a detection ordered by itself. */
const ACTION: FindingItem['action'] = {
  action: 'block',
  outcome: 'ordered',
  says: 'Its detection ordered rule r-1, which came into force.',
  selector: {},
  hits: { users: 1, tokens: 1 },
  rule: 'r-1',
  at: '2026-12-01T00:00:00.000Z',
};

describe.each([
  ['rule-ordered', 'A detection ordered the rule of a finding'],
  ['rule-held-back', 'A detection did not order the rule of a finding'],
] as const)('a message that tells %s', (told, heading) => {
  it.each(['slack', 'teams', 'pagerduty', 'webhook'])('says to %s what the detection did', async (name) => {
    const { body } = await sent(name, messageOf({ told, finding: findingOf({ action: ACTION }) }));
    expect(JSON.stringify(body)).toContain(ACTION.says);
    if (name === 'slack' || name === 'teams') expect(JSON.stringify(body)).toContain(`${heading}: high, bulk-export`);
  });
});

describe('a message in OCSF', () => {
  it('is a Detection Finding, signed as any other', async () => {
    const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];
    const settings = { ...SETTINGS, format: 'ocsf' };
    const { body, request } = await sent('webhook', messageOf({ told: 'opened' }), {}, { settings, secrets });
    expect(ocsfFaults(body)).toEqual([]);
    expect(body).toMatchObject({
      class_uid: 2004,
      activity_id: 1,
      metadata: { uid: 'acme/findings/7', tenant_uid: 'acme' },
      finding_info: { uid: ID },
    });
    expect(request.headers).toHaveProperty('webhook-signature');
  });
});

describe('a message for people', () => {
  it.each(HOSTILE)('shows the name %j as text, and no more', async (name) => {
    const user = { entity: 1, iss: 'https://idp.example', sub: name };
    const finding = findingOf({ says: `${name} read.`, next: name, user, resource: { entity: 2, uri: name } });
    const slack = (await sent('slack', messageOf({ finding }))).body;
    const teams = (await sent('teams', messageOf({ finding }))).body;
    const pagerduty = (await sent('pagerduty', messageOf({ finding }))).body;
    for (const text of [slack, teams, pagerduty].flatMap(textsOf)) expect(text).not.toMatch(INVISIBLE);
    for (const { text, fields } of slack.blocks as {
      text?: { type: string; text: string };
      fields?: { type: string; text: string }[];
    }[])
      for (const one of [...(text ? [text] : []), ...(fields ?? [])]) {
        if (one.type === 'mrkdwn') expect(one.text).toBe('<https://rescind.example/v1/findings/1|Show the finding>');
        else expect(one).toMatchObject({ type: 'plain_text', emoji: false, text: expect.not.stringMatching(/[<>]/) });
      }
    expect(slack.text).not.toMatch(/[<>]/);
    const card = teams.attachments[0].content;
    // A TextBlock and a FactSet read Markdown; a TextRun does not.
    for (const { type, inlines } of card.body as { type: string; inlines: { type: string; text: string }[] }[]) {
      expect([type, ...new Set(inlines.map((run) => run.type))]).toEqual(['RichTextBlock', 'TextRun']);
      for (const { text } of inlines) expect(text).not.toContain('{{');
    }
  });

  it('keeps the bounds of its receiver, whatever it is told', async () => {
    const long = '<&>'.repeat(20_000);
    const user = { entity: 1, iss: 'https://idp.example', sub: long };
    const finding = findingOf({ says: long, next: long, user, resource: { entity: 2, uri: long } });
    const { body: slack } = await sent('slack', messageOf({ finding }));
    expect(slack.blocks.length).toBeLessThanOrEqual(50);
    for (const { text, fields } of slack.blocks) {
      if (text !== undefined) expect(text.text.length).toBeLessThanOrEqual(3_000);
      expect(fields?.length ?? 0).toBeLessThanOrEqual(10);
      for (const field of fields ?? []) expect(field.text.length).toBeLessThanOrEqual(2_000);
    }
    expect((await sent('teams', messageOf({ finding }))).request.body!.length).toBeLessThan(28_000);
    const { body: pagerduty } = await sent('pagerduty', messageOf({ finding }));
    expect(pagerduty.payload.summary.length).toBeLessThanOrEqual(1_024);
  });

  it('shows the command that stops it, unless it would be shown otherwise than it is typed', async () => {
    const stop = (command: string) => ({
      selector: {},
      preview: { method: 'POST', path: '/v1/revocations/preview' } as const,
      command,
    });
    const command = `rescind revoke --selector '{"user":{"sub":"ann"}}'`;
    for (const name of ['slack', 'teams', 'pagerduty']) {
      const shown = async (typed: string) =>
        textsOf((await sent(name, messageOf({ finding: findingOf({ stop: stop(typed) }) }))).body).join('\n');
      expect(await shown(command)).toContain(command);
      expect(await shown(`${command}\u202e`)).not.toContain('rescind revoke');
    }
  });

  it('has no link if the deployment has no address for people', async () => {
    for (const name of ['slack', 'teams', 'pagerduty'])
      expect(JSON.stringify((await sent(name, messageOf({ link: null }))).body)).not.toContain('Show the finding');
  });
});

describe('PagerDuty', () => {
  it.each([
    ['open', 'trigger'],
    ['acknowledged', 'acknowledge'],
    ['resolved', 'resolve'],
    ['false-alarm', 'resolve'],
    ['muted', 'resolve'],
  ])('is told of a finding that is %s: %s, by the id of the finding', async (state, action) => {
    const finding = findingOf({ state: state as FindingItem['state'] });
    const { body } = await sent('pagerduty', messageOf({ finding, told: 'state-changed' }));
    expect(body).toMatchObject({ routing_key: SETTINGS.routing_key, dedup_key: ID, event_action: action });
    if (action === 'trigger')
      expect(body.payload).toMatchObject({ summary: finding.says, severity: 'error', class: 'bulk-export' });
    else expect(body.payload).toBeUndefined();
  });
});

describe('an answer', () => {
  it.each([
    ['webhook', 204, 'delivered'],
    ['webhook', 410, 'refused'],
    ['webhook', 400, 'retry'],
    ['webhook', 301, 'retry'],
    ['slack', 200, 'delivered'],
    ['slack', 404, 'refused'],
    ['slack', 429, 'retry'],
    ['slack', 500, 'retry'],
    ['teams', 202, 'delivered'],
    ['teams', 400, 'refused'],
    ['teams', 429, 'retry'],
    ['pagerduty', 202, 'delivered'],
    ['pagerduty', 400, 'refused'],
    ['pagerduty', 429, 'retry'],
  ])('to %s of %i means %s', async (name, status, result) => {
    expect((await sent(name, messageOf(), { status })).outcome).toMatchObject({ result, status, answer: 'said' });
  });

  it.each([
    ['7', 7_000],
    ['86400', 3_600_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
  ])('with Retry-After %s asks for a pause of %p ms', async (value, pauseMs) => {
    const { outcome } = await sent('slack', messageOf(), { status: 429, headers: { 'retry-after': value } });
    expect(outcome.pauseMs).toBe(pauseMs);
  });
});
