import type { DemoFile } from './demo-file.js';

/** Lists commands ready for a shell. They read secrets from the demo's file, so the screen may be shown to others. */
export function nextSteps(
  path: string,
  { urls, issuers, resources }: DemoFile,
): readonly (readonly [title: string, lines: readonly string[]])[] {
  const asAnalyst = '-H "authorization: Bearer $(demo .callers.analyst.secret)"';
  const asCrm = '-u "$(demo .callers.crm.id):$(demo .callers.crm.secret)"';
  const asFiles = `curl -s -H "authorization: Bearer $(demo .callers.files.secret)" -d "token=$(demo .tokens.agent)" ${urls.introspect}`;
  const order = (selector: object, reason: string): string =>
    `curl -s ${asAnalyst} -H 'content-type: application/json' -d '${JSON.stringify({ selector, reason })}' ${urls.revocations}`;
  return [
    [
      'First, in another shell in this folder: the values of the demo, and the command line as the analyst',
      [
        `demo() { node -p "JSON.parse(require('fs').readFileSync('${path}'))$1"; }`,
        `rescind() { RESCIND_URL=${urls.rescind} RESCIND_KEY="$(demo .callers.analyst.secret)" npm run --silent rescind -- "$@"; }`,
      ],
    ],
    [
      'Introspect a live token and a revoked one, as crm does on every call (RFC 7662)',
      [
        `curl -s ${asCrm} -d "token=$(demo .tokens.live)" ${urls.introspect}`,
        `curl -s ${asCrm} -d "token=$(demo .tokens.revoked)" ${urls.introspect}`,
      ],
    ],
    [
      'Switch the agent off everywhere, and ask about its token at files before and after',
      [asFiles, order({ agent: { iss: issuers['idp'], id: 'atlas' } }, 'trying it out'), asFiles],
    ],
    [
      'Block Alice at crm alone',
      [order({ user: { iss: issuers['idp'], sub: 'alice' }, resource: resources['crm'] }, 'trying it out')],
    ],
    [
      'See the rules, and lift one',
      [
        `curl -s ${asAnalyst} ${urls.revocations}`,
        `curl -s ${asAnalyst} -H 'content-type: application/json' -d '{"reason":"done"}' ${urls.revocations}/<id>/lift`,
      ],
    ],
    ['See what the detections found, each with the command that stops it', ['rescind findings']],
    [
      'Ask what the agent can reach, and who was refused what; `rescind ask --help` lists all questions',
      [
        `rescind ask blast-radius --agent-iss ${issuers['idp']} --agent-id atlas`,
        'rescind ask access --outcome denied',
      ],
    ],
    [
      'Explore who did how much, by any names; `rescind explore --help` explains',
      [
        'rescind explore --by user,client,resource --measure calls,denied,records',
        'rescind explore --by agent,operation --where outcome=denied',
      ],
    ],
    [
      'Without the command line: who is connected to what, and who accessed what',
      [`curl -s ${asAnalyst} ${urls.graph}`, `curl -s ${asAnalyst} "${urls.access}?limit=20"`],
    ],
  ];
}
