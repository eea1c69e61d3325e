/** A table whose rows may hold a person's name in texts. `$1` is the tenant; in `find`, `$2` are texts; in `write`, `$2` is the row. */
export interface Rewrite {
  readonly table: string;
  readonly find: string;
  readonly write: string;
  /** The columns, in the order of `write`. `strict`: names of other things in the column stay, because decisions are made by them. */
  readonly columns: readonly string[];
  readonly strict?: true;
  /** A column is part of a key. A row that becomes the same as another one goes. */
  readonly keyed?: true;
}

/** Rows of these tables stay, without the name. */
export const REWRITES: readonly Rewrite[] = [
  {
    table: 'finding',
    find: 'SELECT ctid::text AS at, subject, details FROM finding WHERE tenant = $1 AND contains_any(concat(subject, details::text), $2)',
    write: 'UPDATE finding SET subject = $3, details = $4 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['subject', 'details'],
    keyed: true,
  },
  {
    table: 'finding_past',
    find: 'SELECT ctid::text AS at, details FROM finding_past WHERE tenant = $1 AND contains_any(details::text, $2)',
    write: 'UPDATE finding_past SET details = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['details'],
  },
  {
    table: 'finding_memory',
    find: 'SELECT ctid::text AS at, key, state FROM finding_memory WHERE tenant = $1 AND contains_any(concat(key, state::text), $2)',
    write: 'UPDATE finding_memory SET key = $3, state = $4 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['key', 'state'],
    keyed: true,
  },
  {
    table: 'finding_action',
    find: 'SELECT ctid::text AS at, why, selector FROM finding_action WHERE tenant = $1 AND contains_any(concat(why, selector::text), $2)',
    write: 'UPDATE finding_action SET why = $3, selector = $4 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['why', 'selector'],
  },
  {
    table: 'finding_change',
    find: 'SELECT ctid::text AS at, said FROM finding_change WHERE tenant = $1 AND contains_any(said::text, $2)',
    write: 'UPDATE finding_change SET said = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['said'],
    strict: true,
  },
  {
    table: 'detection_change',
    find: 'SELECT ctid::text AS at, said FROM detection_change WHERE tenant = $1 AND contains_any(said::text, $2)',
    write: 'UPDATE detection_change SET said = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['said'],
    strict: true,
  },
  {
    table: 'channel',
    find: 'SELECT ctid::text AS at, updated_by FROM channel WHERE tenant = $1 AND contains_any(updated_by, $2)',
    write: 'UPDATE channel SET updated_by = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['updated_by'],
  },
  {
    table: 'channel_delivery',
    find: 'SELECT ctid::text AS at, told, problem FROM channel_delivery WHERE tenant = $1 AND contains_any(concat(told, problem), $2)',
    write: 'UPDATE channel_delivery SET told = $3, problem = $4 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['told', 'problem'],
  },
  {
    table: 'caller_network',
    find: 'SELECT ctid::text AS at, caller, said FROM caller_network WHERE tenant = $1 AND contains_any(concat(caller, said::text), $2)',
    write: 'UPDATE caller_network SET caller = $3, said = $4 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['caller', 'said'],
    keyed: true,
    strict: true,
  },
  {
    table: 'saved_view',
    find: 'SELECT ctid::text AS at, owner, name, search, updated_by FROM saved_view WHERE tenant = $1 AND contains_any(concat(owner, name, search, updated_by), $2)',
    write:
      'UPDATE saved_view SET owner = $3, name = $4, search = $5, updated_by = $6 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['owner', 'name', 'search', 'updated_by'],
    keyed: true,
  },
  {
    table: 'directory',
    find: 'SELECT ctid::text AS at, owner, updated_by FROM directory WHERE tenant = $1 AND contains_any(concat(owner, updated_by), $2)',
    write: 'UPDATE directory SET owner = $3, updated_by = $4 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['owner', 'updated_by'],
  },
  {
    table: 'control_log',
    find: 'SELECT ctid::text AS at, body FROM control_log WHERE tenant = $1 AND contains_any(body::text, $2)',
    write: 'UPDATE control_log SET body = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['body'],
    strict: true,
  },
  {
    table: 'erasure',
    find: 'SELECT ctid::text AS at, author FROM erasure WHERE tenant = $1 AND contains_any(author::text, $2)',
    write: 'UPDATE erasure SET author = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['author'],
    strict: true,
  },
];

/** Rows of projections that no table of entries leads to. They change exactly as a rebuild from what is left of the entries would write them. `$3`: the end. */
export const PROJECTED: readonly Rewrite[] = [
  {
    table: 'said',
    find: 'SELECT ctid::text AS at, details FROM said WHERE tenant = $1 AND ix < $3 AND contains_any(details::text, $2)',
    write: 'UPDATE said SET details = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['details'],
    strict: true,
  },
  {
    table: 'rule_version',
    find: `SELECT ctid::text AS at, selector, reason, author, cause FROM rule_version
      WHERE tenant = $1 AND from_ix < $3 AND contains_any(concat(selector::text, reason, author::text, cause::text), $2)`,
    write:
      'UPDATE rule_version SET selector = $3, reason = $4, author = $5, cause = $6 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['selector', 'reason', 'author', 'cause'],
    strict: true,
  },
  {
    table: 'rule_version',
    find: 'SELECT ctid::text AS at, lift FROM rule_version WHERE tenant = $1 AND lifted_ix < $3 AND contains_any(lift::text, $2)',
    write: 'UPDATE rule_version SET lift = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['lift'],
    strict: true,
  },
  {
    table: 'rule_event',
    find: 'SELECT ctid::text AS at, event_id FROM rule_event WHERE tenant = $1 AND ix < $3 AND contains_any(event_id, $2)',
    write: 'UPDATE rule_event SET event_id = $3 WHERE tenant = $1 AND ctid = $2::tid',
    columns: ['event_id'],
  },
];

/** Rows of these tables are the person's alone and go. `$2`: texts; `$3`, `$4`: issuers and subjects; `$5`: ids of callers; `$6`: rule keys. */
export const DELETES: readonly { readonly table: string; readonly where: string }[] = [
  { table: 'directory', where: 'kind = 1 AND key = ANY ($6::bytea[])' },
  { table: 'person_session', where: '(iss, sub) IN (SELECT * FROM unnest($3::text[], $4::text[]))' },
  { table: 'sign_in_link', where: 'caller = ANY ($5::text[])' },
  { table: 'saved_view', where: 'owner = ANY ($5::text[]) AND NOT shared' },
  {
    table: 'quarantine',
    where: `contains_any(concat_ws(' ', detail, headers, record_headers), $2)
      OR EXISTS (SELECT FROM unnest($2::text[]) AS t (one) WHERE position(convert_to(t.one, 'UTF8') IN bytes) > 0
                 OR (mode = 'set' AND position(convert_to(t.one, 'UTF8') IN jws_claims(bytes)) > 0))`,
  },
];
