import type { IdJagIssued, TokenIssued } from '../../contracts/index.js';
import { ruleKeyFromBytes, type RuleKey } from '../../rules/index.js';
import type { Stored, StoredLineage } from './stored-lineage.js';

/** One row of `read-nearest.sql`, each column as PostgreSQL's text. Without an ID-JAG the last seven are null. */
export type NearestRow = [
  nth: string,
  ...token: StoredText,
  idJagKey: string | null,
  idJag: string | null,
  ...issued: StoredText | NoneStored,
];

type StoredText = [
  ix: string,
  seenSeq: string,
  source: string,
  facts: string,
  parentKey: string | null,
  conflict: string,
];
type NoneStored = [ix: null, seenSeq: null, source: null, facts: null, parentKey: null, conflict: null];

/** Adds a row to a lineage: its token, and its ID-JAG beside those of earlier rows, because two ID-JAGs can share a digest. */
export function foldNearest(key: RuleKey, row: NearestRow, before: StoredLineage | undefined): StoredLineage {
  const [, ix, seenSeq, source, facts, parentKey, conflict, idJagKey, idJag, ...issued] = row;
  const token = before?.tokens[0] ?? {
    ...storedOf<TokenIssued>(key, [ix, seenSeq, source, facts, parentKey, conflict]),
    idJagKey: optionalKey(idJagKey),
  };
  const idJags = [...(before?.idJags ?? [])];
  if (isStored(issued))
    idJags.push(storedOf<IdJagIssued>(idJag === idJagKey ? token.idJagKey! : keyOf(idJag!), issued));
  return { tokens: [token], idJags, complete: idJagKey === null || idJags.length > 0, broken: false };
}

const isStored = (columns: StoredText | NoneStored): columns is StoredText => columns[0] !== null;

function storedOf<Facts>(key: RuleKey, [ix, seenSeq, source, facts, parentKey, conflict]: StoredText): Stored<Facts> {
  return {
    key,
    ix: BigInt(ix),
    seenSeq: BigInt(seenSeq),
    source,
    facts: JSON.parse(facts) as Facts,
    conflict: conflict === 't',
    parentKey: optionalKey(parentKey),
  };
}

/** Decodes a `bytea` from its text: hexadecimal after `\x`. */
const keyOf = (text: string): RuleKey => ruleKeyFromBytes(Buffer.from(text.slice(2), 'hex'));

const optionalKey = (text: string | null): RuleKey | undefined => (text === null ? undefined : keyOf(text));
