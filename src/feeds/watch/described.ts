/** The events of `GET /v1/stream`, for OpenAPI. */
export const WATCH_EVENTS = `Server-sent events, for as long as the client reads and its key has the role. It takes no \`as_of\`: it tells what happens from now on, or from \`Last-Event-ID\` on. Each event has one line of JSON.

- \`start\`: the first event. \`position\` is its id.
- \`finding\`: \`what\` happened (\`opened\`, \`grown\`, \`reopened\`, \`resolved\`, \`state-changed\`, \`rule-ordered\`, \`rule-held-back\`), its \`seq\` among the news of the tenant's findings, \`at\`, the \`id\` of the finding, and the \`finding\` as \`GET /v1/findings/{id}\` shows it now.
- \`rule\`: \`what\` is \`ordered\`, \`lifted\` or \`enabled\` (a source ended its own blocks) with the members of \`GET /v1/revocations/{id}\` and the number of \`nodes\`; then, with the \`seq\` of the record and \`ms\` since its commit, \`confirmed\` or \`expired\` for each \`node\` (with the number of its guards), \`guard-confirmed\` for each guard (\`caller\` and \`guard\`, best effort), \`not-confirmed\` if that takes too long, and \`in-force\` once no node and no guard answers *active* against it any more, with the numbers \`confirmed\`.
- \`coverage\`: \`trouble\` or \`ended\` for a \`source\`, and \`how\`: \`silent\`, \`behind\` or \`gaps\`. It tells what the detection \`source-trouble\` found, and comes with its \`finding\`.
- \`gap\`: the reader missed something. \`of\` is \`findings\` or \`rules\`; \`why\` is \`deleted\` (news are kept for 7 days; \`missed\` says how many) or \`ahead\` (the position is not known here, because the database was restored).
- \`end\`: the last event. \`reason\` is \`too-slow\`, \`no-right\` or \`stopping\`.

A client that goes on with \`Last-Event-ID\` misses no finding and no rule. It may be told again of a rule that was not in force yet: \`seq\`, \`what\` and \`node\` say so. A comment comes every 5 s.`;
