import { instantText } from '../../contracts/index.js';
import { ask } from './ask.js';
import { IDP } from '../seed-event.js';
import type { Incident, Scene } from './incident.js';

const USER = 'priya.mehta';
const AGENT = 'travel-booker';

const tokenPath = (scene: Scene): string =>
  `/v1/tokens?iss=${scene.organisation.app('billing').issuer}&jti=leaver-token`;

export const leaver: Incident = {
  name: 'leaver',
  happened: `${USER} left 4 days ago at 17:00; an agent that held a token of hers was served at 17:20 and 17:40.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:50'), AGENT, 'billing', 'billing.read billing.write');
    const token = scene.token({
      at: at(4, '16:50'),
      user: USER,
      client: AGENT,
      app: 'billing',
      scope: 'billing.read billing.write',
      as: 'token',
    });
    scene.call(token, { at: at(4, '16:55'), route: 'GET /invoices', from: '192.0.2.23', records: 8 });
    scene.say(IDP, 'user.disabled', at(4, '17:00'), { iss: scene.organisation.idp.issuer, sub: USER });
    scene.call(token, { at: at(4, '17:20'), route: 'POST /payments', from: '192.0.2.23' });
    scene.call(token, { at: at(4, '17:40'), route: 'POST /payments', from: '192.0.2.23' });
  },
  answers: (scene) => [
    {
      question: 'What was done in her name after she left?',
      path: `/v1/access?${ask.user(scene, USER)}&from=${scene.time(4, '17:00')}`,
      answer: {
        items: [
          {
            at: scene.time(4, '17:40'),
            route: 'POST /payments',
            operation: 'write',
            outcome: 'allowed',
            agent: { id: 'agent-travel-booker' },
          },
          { at: scene.time(4, '17:20'), route: 'POST /payments', operation: 'write', outcome: 'allowed' },
        ],
      },
    },
    {
      question: 'Is the token stopped?',
      path: tokenPath(scene),
      answer: { user: { sub: USER }, stopped_by: [{}] },
    },
    {
      question: 'Was anything used after a rule said that it should not be?',
      path: `/v1/changes?kind=used-after-rule&since=${scene.time(4, '16:59')}&until=${scene.time(4, '18:00')}&${ask.client(scene, AGENT)}`,
      answer: {
        items: [
          {
            rule_state: 'ordered',
            at: scene.time(4, '17:20'),
            last_at: scene.time(4, '17:40'),
            uses: 2,
            tokens: 1,
            user: { sub: USER },
          },
        ],
      },
    },
    {
      question: 'The report on the rule that her leaving ordered',
      path: '/v1/reports/incident?rule={id}',
      after: { path: tokenPath(scene), members: ['stopped_by', 0, 'rule'] },
      answer: {
        rule: { effect: 'block', ordered_at: instantText(scene.at(4, '17:00:01') * 1_000) },
        before: { allowed: 1, denied: 0, records: 8 },
        after: {
          allowed: 2,
          denied: 0,
          first: scene.time(4, '17:20'),
          last: scene.time(4, '17:40'),
          newest: [{ operation: 'write' }, { operation: 'write' }],
        },
      },
    },
  ],
};
