import { instantText } from '../../contracts/index.js';
import { ask } from './ask.js';
import type { Incident, Scene } from './incident.js';

const USER = 'femi.adeyemi';
const AGENT = 'sql-analyst';
const APP = 'analytics';

const tokenPath = (scene: Scene): string =>
  `/v1/tokens?iss=${scene.organisation.app(APP).issuer}&jti=use-after-revocation-token`;

export const useAfterRevocation: Incident = {
  name: 'use-after-revocation',
  happened: `2 days ago at 14:00 ${APP} revoked a token of ${AGENT} and served three more calls with it, until 14:09, before it refused the next.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:10'), AGENT, APP, 'analytics.read');
    const token = scene.token({
      at: at(2, '13:30'),
      user: USER,
      client: AGENT,
      app: APP,
      scope: 'analytics.read',
      as: 'token',
    });
    scene.call(token, { at: at(2, '13:40'), route: 'GET /reports', from: '192.0.2.20', records: 30 });
    scene.say(APP, 'token.revoked', at(2, '14:00'), {
      iss: token.app.issuer,
      jti: 'use-after-revocation-token',
      kind: 'access',
      reason: 'reported by its owner',
    });
    for (const time of ['14:03', '14:06', '14:09'])
      scene.call(token, { at: at(2, time), route: 'GET /reports/{id}', from: '192.0.2.20' });
    scene.call(token, { at: at(2, '14:12'), route: 'GET /reports/{id}', from: '192.0.2.20', denied: 401 });
  },
  answers: (scene) => [
    {
      question: 'What was served after the revocation?',
      path: `/v1/access?${ask.user(scene, USER)}&from=${scene.time(2, '14:00')}&outcome=allowed`,
      answer: {
        items: ['14:09', '14:06', '14:03'].map((time) => ({
          at: scene.time(2, time),
          status: 200,
          agent: { id: 'agent-sql-analyst' },
        })),
      },
    },
    {
      question: 'And when did it stop?',
      path: `/v1/access?${ask.user(scene, USER)}&outcome=denied`,
      answer: { items: [{ at: scene.time(2, '14:12'), status: 401, route: 'GET /reports/{id}' }] },
    },
    {
      question: 'What is this token, and does anything stop it?',
      path: tokenPath(scene),
      answer: {
        user: { sub: USER },
        agent: { id: 'agent-sql-analyst' },
        stopped_by: [{}],
        accesses: { count: 5, allowed: 4, denied: 1, first: scene.time(2, '13:40'), last: scene.time(2, '14:12') },
      },
    },
    {
      question: 'Was anything used after a rule said that it should not be?',
      path: `/v1/changes?kind=used-after-rule&since=${scene.time(2, '13:59')}&until=${scene.time(2, '15:00')}&${ask.client(scene, AGENT)}`,
      answer: {
        items: [
          {
            rule_state: 'ordered',
            at: scene.time(2, '14:03'),
            last_at: scene.time(2, '14:09'),
            uses: 3,
            tokens: 1,
            user: { sub: USER },
          },
        ],
      },
    },
    {
      question: 'The report on the rule: what it hit, what was done before and tried after it',
      path: '/v1/reports/incident?rule={id}',
      after: { path: tokenPath(scene), members: ['stopped_by', 0, 'rule'] },
      answer: {
        rule: { effect: 'revoke', ordered_at: instantText(scene.at(2, '14:00:01') * 1_000), lifted: null },
        hit: { live_tokens: 1, newest: [{ user: { sub: USER }, issued_at: scene.time(2, '13:30:01') }], left_out: 0 },
        before: { allowed: 1, denied: 0, records: 30, first: scene.time(2, '13:40'), last: scene.time(2, '13:40') },
        after: { allowed: 3, denied: 1, first: scene.time(2, '14:03'), last: scene.time(2, '14:12'), left_out: 0 },
      },
    },
  ],
};
