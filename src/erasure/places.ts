/** The fate of a column of the database when a person is erased. */
export type Treatment =
  /** The row goes. */
  | 'row-deleted'
  /** The name is replaced. */
  | 'replaced'
  /** Holds no name: keyed hashes, digests, keys, names that Rescind chose, words of a closed list. */
  | 'no-name'
  /** Holds the name of another thing (a client, an agent, a session, a route, a tag) and stays, even if that name contains the person's. */
  | 'other-things'
  /** May hold the name until the time that README names. */
  | 'kept';

/**
 * Every column of the database that can hold text, with its treatment. A spec compares the list with the database, so that no new column is without one.
 */
export const PLACES: Readonly<Record<string, Readonly<Record<string, Treatment>>>> = {
  access: { tok: 'no-name', source_res: 'no-name' },
  archive_file: { name: 'no-name', sha256: 'no-name' },
  caller_network: { caller: 'replaced', network: 'other-things', said: 'replaced' },
  channel: {
    name: 'other-things',
    kind: 'no-name',
    settings: 'kept',
    secrets: 'kept',
    kinds: 'no-name',
    news: 'no-name',
    tags: 'other-things',
    updated_by: 'replaced',
  },
  channel_delivery: { told: 'replaced', problem: 'replaced' },
  connection_version: { id: 'no-name', parts: 'other-things', scopes: 'other-things' },
  contradiction_owed: { kind: 'no-name', key: 'no-name', named: 'other-things' },
  control_command: { key: 'no-name', hash: 'no-name' },
  control_log: { kind: 'no-name', subject: 'other-things', body: 'replaced' },
  control_snapshot: { dumped_as: 'no-name' },
  control_snapshot_part: { kind: 'no-name', bytes: 'no-name' },
  control_topic_key: { key: 'no-name' },
  dedupe: { key: 'no-name', hash: 'no-name' },
  detection_change: { kind: 'no-name', said: 'replaced' },
  directory: {
    key: 'no-name',
    parts: 'row-deleted',
    display_name: 'row-deleted',
    user_name: 'row-deleted',
    emails: 'row-deleted',
    owner: 'replaced',
    team: 'other-things',
    tags: 'other-things',
    updated_by: 'replaced',
  },
  edge_scope_granted: { scope: 'other-things' },
  entity: { key: 'no-name', parts: 'replaced' },
  entry: { type: 'no-name', commitment: 'no-name', leaf_hash: 'no-name' },
  entry_remainder: { said: 'replaced' },
  erasure: { person: 'no-name', names: 'replaced', step: 'no-name', reason: 'no-name', author: 'replaced' },
  finding: { kind: 'no-name', subject: 'replaced', tok: 'no-name', details: 'replaced' },
  finding_action: {
    kind: 'no-name',
    action: 'no-name',
    outcome: 'no-name',
    why: 'replaced',
    selector: 'replaced',
    hits: 'no-name',
    rule: 'no-name',
  },
  finding_change: { kind: 'no-name', state: 'no-name', said: 'replaced' },
  finding_memory: { kind: 'no-name', key: 'replaced', state: 'replaced' },
  finding_news: { what: 'no-name' },
  finding_past: { tok: 'no-name', details: 'replaced' },
  grant_version: { scopes: 'other-things' },
  id_jag: {
    key: 'no-name',
    sha_key: 'no-name',
    facts: 'replaced',
    session_key: 'no-name',
    parent_key: 'no-name',
  },
  issuer_user: { iss: 'other-things' },
  kafka_offset: { cluster: 'no-name', topic: 'no-name', last_sha256: 'no-name', stopped: 'no-name' },
  ledger_checkpoint: { note: 'no-name', witnessed_note: 'no-name' },
  ledger_key: { public_key: 'no-name' },
  ledger_witness: { name: 'no-name' },
  node: { name: 'no-name', behind: 'no-name' },
  payload: { mode: 'no-name', salt: 'row-deleted', attributes: 'row-deleted', bytes: 'row-deleted' },
  person_session: {
    id: 'row-deleted',
    iss: 'row-deleted',
    sub: 'row-deleted',
    sid: 'row-deleted',
    name: 'row-deleted',
    roles: 'row-deleted',
  },
  quarantine: {
    code: 'no-name',
    detail: 'row-deleted',
    door: 'no-name',
    caller: 'other-things',
    cluster: 'no-name',
    topic: 'no-name',
    mode: 'no-name',
    headers: 'row-deleted',
    bytes: 'row-deleted',
    record_headers: 'row-deleted',
    digest: 'no-name',
  },
  refused_token: { reason: 'no-name', member: 'no-name', token: 'no-name' },
  rule_confirmation: { name: 'no-name', outcome: 'no-name' },
  rule_event: { keys: 'no-name', event_id: 'replaced', subject: 'other-things' },
  rule_version: {
    rule: 'no-name',
    effect: 'no-name',
    selector: 'replaced',
    keys: 'no-name',
    lead: 'no-name',
    reason: 'replaced',
    author: 'replaced',
    cause: 'replaced',
    after_lift_of: 'no-name',
    lift: 'replaced',
  },
  said: { name: 'no-name', details: 'replaced' },
  saved_view: { owner: 'replaced', name: 'replaced', page: 'no-name', search: 'replaced', updated_by: 'replaced' },
  session: { key: 'no-name', iss: 'other-things', sid: 'other-things' },
  sign_in_link: { id: 'row-deleted', caller: 'row-deleted' },
  signed_manifest: { digest: 'no-name', jws: 'no-name' },
  source_count: { what: 'no-name' },
  source_event: { what: 'no-name' },
  tree_head: { root: 'no-name' },
  tree_tile: { hash: 'no-name' },
  token: { key: 'no-name', facts: 'replaced', id_jag_key: 'no-name', parent_key: 'no-name' },
  token_name: { name: 'no-name', tok: 'no-name' },
  topic_cursor: { cluster: 'no-name', topic: 'no-name' },
};

/** Copies that an erasure does not reach, each with its place and with what ends it. */
export const ELSEWHERE: readonly { readonly place: string; readonly ends: string }[] = [
  {
    place: 'the topics of sources, `rescind.events.<source>`',
    ends: 'with the retention of each topic: set it as short as the intake allows',
  },
  {
    place: 'the topic `rescind.control`, sealed with the key of the deployment',
    ends: 'not by itself: records of orders and lifts may name the person; delete the topic, and Rescind writes it anew',
  },
  {
    place: 'the topics `rescind.findings.<tenant>` and `rescind.ocsf.<tenant>`, channels, and whatever reads them',
    ends: 'where they went: tell the owner of each receiver and of each SIEM',
  },
  {
    place: 'files that people made: exports, reports, copies of the archive, the quarantine of unknown sources',
    ends: 'where they lie; the quarantine of unknown sources within 7 days',
  },
  {
    place: 'backups of the database and of the archive, its write-ahead log, rows that no VACUUM has removed yet',
    ends: 'with the retention of the backups, and with the next VACUUM; after a restore, erase the person again',
  },
  {
    place: 'the memory of processes, and logs of Rescind and of its proxies, which name people who sign in',
    ends: 'with a restart, and with the retention of the logs',
  },
];
